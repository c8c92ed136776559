// SPDX-License-Identifier: Apache-2.0
// Lists of items with parameters, as in structured header fields (RFC 9651 section 4.2.1). Bounded,
// without allocation: the views point into the field. Inner lists are not read.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace weir::policy {

struct FieldValue {
  enum class Kind : unsigned char { text, number, other } kind = Kind::other;
  std::string_view text;  // of a string or token; escapes are left as they are
  double number = 0;      // of an integer or decimal
};

struct FieldItem {
  static constexpr std::size_t kParametersMax = 6;
  FieldValue value;
  std::array<std::string_view, kParametersMax> keys{};
  std::array<FieldValue, kParametersMax> values{};
  std::size_t parameters = 0;

  // nullptr if absent; the last one of a name counts.
  const FieldValue* find(std::string_view key) const;
  // Of a parameter that is a number and not negative.
  std::optional<double> number(std::string_view key) const;
};

struct FieldList {
  static constexpr std::size_t kItemsMax = 8;
  std::array<FieldItem, kItemsMax> items{};
  std::size_t count = 0;

  const FieldItem* begin() const { return items.data(); }
  const FieldItem* end() const { return items.data() + count; }
};

inline constexpr std::size_t kFieldMax = 4096;  // bytes

// false for anything that is malformed or above a bound: such a field is to be ignored whole.
bool parse_field_list(std::string_view text, FieldList& into);

}  // namespace weir::policy
