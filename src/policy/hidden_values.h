// SPDX-License-Identifier: Apache-2.0
// Finds what is hidden of an event in texts that others wrote, such as a handler's answer. Letters
// are compared without case (ASCII), as they are, as JSON writes them and percent-encoded. In
// a text that was cut, the beginning of a value at the very end counts too. Values of less than
// kSearchedMin bytes are not looked for: they would be found everywhere.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace weir::policy {

class HiddenValues {
 public:
  static constexpr std::size_t kSearchedMin = 4;
  static constexpr std::size_t kValuesMax = 1000;  // with more, every text is masked as a whole

  void add(std::string_view value);
  // What is hidden is not known value by value: every text is masked as a whole.
  void add_everything() { everything_ = true; }

  bool empty() const { return !everything_ && values_.empty(); }
  bool hides_everything() const { return everything_; }
  bool found_in(std::string_view text) const { return redact(text) != text; }
  // The text with a mask in place of each.
  std::string redact(std::string_view text, bool was_cut = false) const;

 private:
  void add_form(std::string_view form);

  std::set<std::string> values_;  // in lower case
  bool everything_ = false;
};

}  // namespace weir::policy
