// SPDX-License-Identifier: Apache-2.0
// The compiled form of an event pattern, and the compiler.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "policy/filter.h"
#include "policy/matcher.h"

namespace weir::policy {

// All fields must match, and of each $or one branch.
struct PatternObject;

struct PatternField {
  std::string name;
  std::vector<Matcher> any_of;  // a leaf field; empty for a nested one
  std::unique_ptr<PatternObject> nested;
};

struct PatternObject {
  std::vector<PatternField> fields;
  std::vector<std::vector<PatternObject>> any_groups;  // one entry per $or
  std::size_t attribute_groups = 0;  // at the top level: how many of them, the first, need no data
};

struct Filter::Node {
  PatternObject pattern;
  bool looks_into_data = false;
};

// Error: pattern_invalid with "line L, column C: " in its detail.
Result<PatternObject> compile_pattern(std::string_view pattern_json);

}  // namespace weir::policy
