// SPDX-License-Identifier: Apache-2.0
// The last gate before a terminal. Texts that came from outside are made printable where they enter
// a line, so that a line break in them does not begin a new one; whatever was forgotten there is
// caught here.
#pragma once

#include <string>
#include <string_view>

namespace weir::app {

// Lines as they are, everything in them printable. With `color` the few sequences that this program
// writes itself pass: bold, dim, red and back; nothing else that begins with ESC.
std::string terminal_text(std::string_view text, bool color);

}  // namespace weir::app
