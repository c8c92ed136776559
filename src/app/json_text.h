// SPDX-License-Identifier: Apache-2.0
// JSON as people and scripts want it. Characters that could fool a terminal are escaped; the value
// stays the same.
#pragma once

#include <string>

#include "wire/json.h"

namespace weir::app {

// Two blanks per level, a newline at the end.
std::string to_pretty_json(wire::Json value);
// One line, a newline at the end.
std::string to_json_line(wire::Json value);
// YAML 1.2 block style; whatever could be read as something else is quoted.
std::string to_yaml(wire::Json value);

}  // namespace weir::app
