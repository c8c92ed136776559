// SPDX-License-Identifier: Apache-2.0
#include "wire/host_name.h"

#include <algorithm>

namespace weir::wire {
namespace {

constexpr std::size_t kHostMax = 253;
constexpr std::size_t kLabelMax = 63;
constexpr std::size_t kIpv6Max = 45;

bool is_decimal(char c) { return c >= '0' && c <= '9'; }

bool is_hexadecimal(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_label_char(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool is_number(std::string_view label) {
  if (label.starts_with("0x") || label.starts_with("0X"))
    return std::ranges::all_of(label.substr(2), is_hexadecimal);
  return std::ranges::all_of(label, is_decimal);
}

// 0 to 255 without leading zeros, which some read as octal.
bool is_octet(std::string_view part) {
  if (part.empty() || part.size() > 3 || !std::ranges::all_of(part, is_decimal)) return false;
  if (part.size() > 1 && part[0] == '0') return false;
  return part.size() < 3 || part <= "255";
}

bool is_ipv4(std::string_view host) {
  int parts = 0;
  for (;;) {
    const auto dot = std::min(host.find('.'), host.size());
    if (++parts > 4 || !is_octet(host.substr(0, dot))) return false;
    if (dot == host.size()) return parts == 4;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace

std::string_view host_fault(std::string_view host, bool bracketed) {
  if (bracketed) {
    const bool good = host.size() <= kIpv6Max && std::ranges::count(host, ':') >= 2 &&
                      std::ranges::all_of(
                          host, [](char c) { return is_hexadecimal(c) || c == ':' || c == '.'; });
    return good ? "" : "is no IPv6 address in brackets";
  }
  if (host.empty()) return "is missing";
  if (host.size() > kHostMax) return "is longer than 253 characters";
  std::string_view rest = host;
  if (rest.ends_with('.')) rest.remove_suffix(1);
  std::string_view last;
  while (true) {
    const auto dot = std::min(rest.find('.'), rest.size());
    last = rest.substr(0, dot);
    if (last.empty() || last.size() > kLabelMax || !std::ranges::all_of(last, is_label_char))
      return "is not a valid host name";
    if (dot == rest.size()) break;
    rest.remove_prefix(dot + 1);
  }
  if (is_number(last) && !is_ipv4(host))
    return "is no plain IPv4 address; write four decimal numbers, as in 192.0.2.1";
  return "";
}

}  // namespace weir::wire
