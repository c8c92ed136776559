// SPDX-License-Identifier: Apache-2.0
// Comma-separated values (RFC 4180, lines ended by a line feed) that a spreadsheet reads as values
// and as nothing else.
#pragma once

#include <string>

#include "wire/json.h"

namespace weir::app {

// One line per item, one column per member that any of them has, in the order of their first
// appearance; `items` is an array of objects, or one object. Times and numbers stand as in JSON,
// containers as JSON text, what is absent or null as nothing. Texts are printable, in quotes, and
// where a spreadsheet would take them for a formula (they begin with = + - @, a tab or a carriage
// return) a ' goes before them.
std::string to_csv(wire::Json items, bool headers);

}  // namespace weir::app
