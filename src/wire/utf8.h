// SPDX-License-Identifier: Apache-2.0
// UTF-8, one character at a time (RFC 3629: no overlong forms, no surrogates, nothing above
// U+10FFFF).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::wire {

// One character and the number of bytes it takes; size 0 if `text` does not start with a valid one.
struct Utf8Char {
  char32_t value = 0;
  std::uint8_t size = 0;
};

inline Utf8Char first_utf8(const char* at, const char* end) {
  const auto byte = [at](int i) { return static_cast<std::uint8_t>(at[i]); };
  const auto tail = [&](int i) { return at + i < end && (byte(i) & 0xC0) == 0x80; };
  if (at == end) return {};
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xC2) return {};
  if (lead < 0xE0) {
    if (!tail(1)) return {};
    return {static_cast<char32_t>((lead & 0x1F) << 6 | (byte(1) & 0x3F)), 2};
  }
  if (lead < 0xF0) {
    if (!tail(1) || !tail(2)) return {};
    const auto value = static_cast<char32_t>((lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 |
                                             (byte(2) & 0x3F));
    if (value < 0x800 || (value >= 0xD800 && value < 0xE000)) return {};
    return {value, 3};
  }
  if (lead > 0xF4 || !tail(1) || !tail(2) || !tail(3)) return {};
  const auto value = static_cast<char32_t>((lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 |
                                           (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F));
  if (value < 0x10000 || value > 0x10FFFF) return {};
  return {value, 4};
}

inline Utf8Char first_utf8(std::string_view text) {
  return first_utf8(text.data(), text.data() + text.size());
}

// `out` is anything with push_back(char). `value` is a Unicode scalar value.
template <class Out>
void append_utf8(Out& out, char32_t value) {
  const auto push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (value < 0x80) {
    push(value);
  } else if (value < 0x800) {
    push(0xC0 | value >> 6);
    push(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    push(0xE0 | value >> 12);
    push(0x80 | (value >> 6 & 0x3F));
    push(0x80 | (value & 0x3F));
  } else {
    push(0xF0 | value >> 18);
    push(0x80 | (value >> 12 & 0x3F));
    push(0x80 | (value >> 6 & 0x3F));
    push(0x80 | (value & 0x3F));
  }
}

}  // namespace weir::wire
