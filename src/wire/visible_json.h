// SPDX-License-Identifier: Apache-2.0
// JSON text for people: what a terminal would obey or hide is written as an escape, which changes
// nothing for a parser.
#pragma once

#include <string>
#include <string_view>

namespace weir::wire {

// `json` is a valid document, or part of one. Outside ASCII such characters stand in strings only.
std::string visible_json(std::string_view json);

}  // namespace weir::wire
