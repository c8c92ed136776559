// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration: every problem with its place, all at once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::config {

// Line and column count from 1; column 0 = the whole line.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  bool operator==(const Place&) const = default;
};

enum class Severity : std::uint8_t { error, warning };

struct Problem {
  Place place;
  Severity severity = Severity::error;
  Code code = Code::config_invalid;
  std::string message;
  std::string hint;
  std::string excerpt;  // the source line
  std::string lint;     // "L3" of docs/guide/bound.md; empty = no lint
};

// "error[WR1301]", "error[WR1306, L3]", "warning[L3]" or "warning".
std::string label(const Problem& problem);
// "weir.yaml:7:12: error[WR1301]: ...", the line, a caret, and "hint: ..." for each.
std::string render(const std::vector<Problem>& problems);

}  // namespace weir::config
