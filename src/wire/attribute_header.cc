// SPDX-License-Identifier: Apache-2.0
#include "wire/attribute_header.h"

#include <algorithm>

#include "base/seeded_bug.h"
#include "wire/percent.h"

namespace weir::wire {
namespace {

bool must_encode(char c) {
  if (WEIR_SEEDED_BUG("http.header_injection") && (c == '\r' || c == '\n')) return false;
  return c <= ' ' || c == '"' || c == '%' || static_cast<unsigned char>(c) >= 0x7F;
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"';
}

// RFC 9110 section 5.6.4. nullopt if the quotes do not enclose exactly one quoted string.
std::optional<std::string> unquoted(std::string_view text) {
  const std::string_view inner = text.substr(1, text.size() - 2);
  std::string result;
  result.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == '"') return std::nullopt;
    if (inner[i] == '\\' && ++i == inner.size()) return std::nullopt;
    result.push_back(inner[i]);
  }
  return result;
}

}  // namespace

void append_attribute_header(std::string& out, std::string_view value) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  if (std::ranges::none_of(value, must_encode)) {
    out += value;
    return;
  }
  for (const char c : value) {
    if (!must_encode(c)) {
      out.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
}

bool needs_decoding(std::string_view header) { return header.contains('%') || is_quoted(header); }

std::optional<std::string> decode_attribute_header(std::string_view header) {
  if (is_quoted(header)) {
    if (const auto inner = unquoted(header)) return percent_decode(*inner);
  }
  return percent_decode(header);
}

}  // namespace weir::wire
