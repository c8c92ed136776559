// SPDX-License-Identifier: Apache-2.0
// JSON pointers (RFC 6901) as patterns: "~1" is '/', "~0" is '~', and a whole step "*" is any
// member or element.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace weir::policy {

struct PointerStep {
  std::string name;  // a member's name, or an element's number
  bool any = false;  // every member, every element
  bool fits(std::string_view member) const { return any || name == member; }
  bool operator==(const PointerStep&) const = default;
};
using PointerPattern = std::vector<PointerStep>;  // empty = the whole document

inline constexpr std::size_t kPointerStepsMax = 64;  // no document is read deeper

// Error: invalid_argument; its hint shows the pointer that was probably meant.
Result<PointerPattern> parse_pointer(std::string_view text);
// As it was written; "" is the whole document.
std::string to_text(const PointerPattern& pointer);

}  // namespace weir::policy
