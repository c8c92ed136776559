// SPDX-License-Identifier: Apache-2.0
#include "policy/ip_address.h"

#include <algorithm>
#include <charconv>

namespace weir::policy {
namespace {

std::optional<std::uint32_t> number(std::string_view text, int base, std::uint32_t most) {
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() ||
      value > most) {
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

// At most eight groups, so that nothing is allocated.
struct Groups {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;
};

// Groups of up to four hex digits between colons; at the end of an address an IPv4 one counts as
// two groups.
bool parse_groups(std::string_view text, bool at_end, Groups& into) {
  while (!text.empty()) {
    const auto colon = std::min(text.find(':'), text.size());
    const std::string_view part = text.substr(0, colon);
    const bool last = colon == text.size();
    const bool v4 = last && at_end && part.contains('.');
    const std::size_t size = v4 ? 4 : 2;
    if (into.size + size > into.bytes.size()) return false;
    std::uint8_t* const place = into.bytes.data() + into.size;
    into.size += size;
    if (v4) return parse_v4(part, place);
    const auto value = number(part, 16, 0xFFFF);
    if (!value || part.size() > 4) return false;
    place[0] = static_cast<std::uint8_t>(*value >> 8);
    place[1] = static_cast<std::uint8_t>(*value);
    if (last) return true;
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
  Groups head;
  Groups tail;
  if (!parse_groups(text.substr(0, gap), gap == text.npos, head)) return std::nullopt;
  if (gap != text.npos && !parse_groups(text.substr(gap + 2), true, tail)) return std::nullopt;
  const std::size_t size = head.size + tail.size;
  if (gap == text.npos ? size != 16 : size > 14) return std::nullopt;
  std::copy_n(head.bytes.begin(), head.size, address.bytes.begin());
  std::copy_n(tail.bytes.begin(), tail.size,
              address.bytes.end() - static_cast<std::ptrdiff_t>(tail.size));
  return address;
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") return true;
  const auto address = parse_ip(host);
  if (!address) return false;
  return address->v6 ? address == parse_ip("::1") : address->bytes[0] == 127;
}

}  // namespace weir::policy
