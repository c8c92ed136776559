// SPDX-License-Identifier: Apache-2.0
// What the process is connected to and who runs it. Reads the environment and the terminal once.
#pragma once

#include <cstddef>
#include <string>

namespace weir::app {

enum class ColorMode : unsigned char { automatic, always, never };

struct Terminal {
  bool input_tty = false;
  bool output_tty = false;
  bool error_tty = false;
  bool output_color = false;  // automatic: on a terminal, unless NO_COLOR is set or TERM is "dumb"
  bool error_color = false;
  std::size_t width = 0;        // of standard output; 0 if it is no terminal
  std::size_t error_width = 0;  // of standard error
};

Terminal read_terminal(ColorMode mode);
// "local:<user>", in the characters that the API takes.
std::string local_actor();

}  // namespace weir::app
