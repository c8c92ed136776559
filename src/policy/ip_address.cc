// SPDX-License-Identifier: Apache-2.0
#include "policy/ip_address.h"

#include <charconv>
#include <vector>

namespace weir::policy {
namespace {

std::optional<std::uint32_t> number(std::string_view text, int base, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || value > most) {
    return std::nullopt;
  }
  return value;
}

bool parse_v4(std::string_view text, std::uint8_t* into) {
  for (int i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == text.npos) return false;
    const std::string_view part = text.substr(0, dot);
    const auto value = number(part, 10, 255);
    if (!value || (part.size() > 1 && part[0] == '0')) return false;
    into[i] = static_cast<std::uint8_t>(*value);
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return text.empty();
}

// Groups of up to four hex digits between colons; a trailing IPv4 counts as two groups.
bool parse_groups(std::string_view text, std::vector<std::uint8_t>& into) {
  while (!text.empty()) {
    const auto colon = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, colon);
    if (part.contains('.') && colon == text.size()) {
      into.resize(into.size() + 4);
      return parse_v4(part, into.data() + into.size() - 4);
    }
    const auto value = number(part, 16, 0xFFFF);
    if (!value || part.size() > 4) return false;
    into.push_back(static_cast<std::uint8_t>(*value >> 8));
    into.push_back(static_cast<std::uint8_t>(*value));
    if (colon == text.size()) return true;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;  // a single colon at the end
  }
  return true;
}

}  // namespace

std::optional<IpAddress> parse_ip(std::string_view text) {
  IpAddress address;
  if (!text.contains(':')) {
    if (!parse_v4(text, address.bytes.data())) return std::nullopt;
    return address;
  }
  address.v6 = true;
  const auto gap = text.find("::");
  std::vector<std::uint8_t> head;
  std::vector<std::uint8_t> tail;
  if (!parse_groups(text.substr(0, gap), head)) return std::nullopt;
  if (gap != text.npos && !parse_groups(text.substr(gap + 2), tail)) return std::nullopt;
  const std::size_t size = head.size() + tail.size();
  if (gap == text.npos ? size != 16 : size > 14) return std::nullopt;
  std::copy(head.begin(), head.end(), address.bytes.begin());
  std::copy(tail.rbegin(), tail.rend(), address.bytes.rbegin());
  return address;
}

}  // namespace weir::policy
