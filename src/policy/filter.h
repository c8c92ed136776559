// SPDX-License-Identifier: Apache-2.0
// EventBridge event patterns: the filter language everywhere in Weir. The top level of a pattern
// holds CloudEvents attributes (extensions included) and `data`, the JSON payload; data that is not
// JSON counts as absent. Grammar: AWS EventBridge user guide, "event pattern syntax". Compared with
// aws/event-ruler 2.1 on random patterns and events; the differences, all on purpose:
// - names are not joined with dots: {"a.b":...} is the name "a.b" and nothing else;
// - below an array of objects, {"exists":false} asks for an element without the field, not for
//   no element with it;
// - numbers compare by their exact decimal value, whatever their size;
// - equals-ignore-case folds ASCII letters only;
// - cidr takes /32 and single addresses, and never matches what is no address;
// - top-level names that no event can have are errors.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "model/event.h"

namespace weir::policy {

// Compiled once, immutable, shared freely. Matching does not allocate for patterns over attributes
// only; the payload is parsed only if the pattern looks into `data` and everything else matched.
class Filter {
 public:
  // Error: Code::pattern_invalid; detail starts with "line L, column C: " within the pattern text,
  // hint may name the matcher that was probably meant.
  static Result<Filter> compile(std::string_view pattern_json);
  // Matches every event.
  static Filter all();

  bool matches(const Event& event) const;
  bool looks_into_data() const;

 private:
  struct Node;
  explicit Filter(std::shared_ptr<const Node> root) : root_(std::move(root)) {}
  std::shared_ptr<const Node> root_;
};

}  // namespace weir::policy
