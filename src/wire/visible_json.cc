// SPDX-License-Identifier: Apache-2.0
#include "wire/visible_json.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "wire/utf8.h"

namespace weir::wire {
namespace {

void append_code_units(std::string& out, std::uint32_t point) {
  if (point <= 0xFFFF) {
    out += fmt::format("\\u{:04x}", point);
    return;
  }
  const std::uint32_t rest = point - 0x10000;  // as a pair of surrogates, RFC 8259 section 7
  out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

bool is_visible_ascii(char c) { return static_cast<unsigned char>(c) < 0x7F; }

}  // namespace

std::string visible_json(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  while (!json.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(json, is_visible_ascii) -
                                                json.begin());
    out += json.substr(0, plain);
    json.remove_prefix(plain);
    if (json.empty()) break;
    const Utf8Char next = first_utf8(json);
    const std::size_t size = std::max<std::size_t>(next.size, 1);
    const std::string_view one = json.substr(0, size);
    if (next.size > 0 && printable(one) != one) {
      append_code_units(out, static_cast<std::uint32_t>(next.value));
    } else {
      out += one;
    }
    json.remove_prefix(size);
  }
  return out;
}

}  // namespace weir::wire
