// SPDX-License-Identifier: Apache-2.0
#include "app/terminal.h"

#include <cstdlib>
#include <pwd.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>

namespace weir::app {
namespace {

constexpr std::size_t kWidthUnknown = 100;
constexpr std::size_t kUserMax = 100;

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

std::size_t columns_of(int file) {
  winsize size{};
  if (ioctl(file, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kWidthUnknown;
  return size.ws_col;
}

bool may_color(ColorMode mode, bool tty) {
  if (mode != ColorMode::automatic) return mode == ColorMode::always;
  return tty && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
}

}  // namespace

Terminal read_terminal(ColorMode mode) {
  Terminal terminal;
  terminal.input_tty = isatty(STDIN_FILENO) == 1;
  terminal.output_tty = isatty(STDOUT_FILENO) == 1;
  terminal.error_tty = isatty(STDERR_FILENO) == 1;
  terminal.output_color = may_color(mode, terminal.output_tty);
  terminal.error_color = may_color(mode, terminal.error_tty);
  if (terminal.output_tty) terminal.width = columns_of(STDOUT_FILENO);
  if (terminal.error_tty) terminal.error_width = columns_of(STDERR_FILENO);
  return terminal;
}

std::string local_actor() {
  const passwd* entry = getpwuid(geteuid());
  const std::string name = entry != nullptr ? entry->pw_name : "uid" + std::to_string(geteuid());
  std::string actor = "local:";
  for (const char c : name.substr(0, kUserMax)) {
    const bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-' || c == '@';
    actor += fits ? c : '_';
  }
  return actor;
}

}  // namespace weir::app
