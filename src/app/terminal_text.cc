// SPDX-License-Identifier: Apache-2.0
#include "app/terminal_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::app {
namespace {

constexpr std::array<std::string_view, 4> kOurs = {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[1;31m"};

bool is_plain(char c) { return (c >= ' ' && c < 0x7F) || c == '\n'; }

std::size_t size_of_ours(std::string_view text) {
  for (const std::string_view sequence : kOurs) {
    if (text.starts_with(sequence)) return sequence.size();
  }
  return 0;
}

}  // namespace

std::string terminal_text(std::string_view text, bool color) {
  if (std::ranges::all_of(text, is_plain)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    const std::size_t stop = std::min(text.find_first_of("\n\x1b"), text.size());
    out += printable(text.substr(0, stop));
    text.remove_prefix(stop);
    if (text.empty()) break;
    const std::size_t ours = text[0] == '\n' ? 1 : color ? size_of_ours(text) : 0;
    out += ours > 0 ? std::string(text.substr(0, ours)) : printable(text.substr(0, 1));
    text.remove_prefix(std::max<std::size_t>(ours, 1));
  }
  return out;
}

}  // namespace weir::app
