// SPDX-License-Identifier: Apache-2.0
// IPv4 and IPv6 addresses as text (RFC 4291 section 2.2), for cidr matchers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::policy {

struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};  // IPv4 uses the first four
  bool v6 = false;
  bool operator==(const IpAddress&) const = default;
};

std::optional<IpAddress> parse_ip(std::string_view text);

// "localhost", or an address that only this machine has. Other names are not looked up: no.
bool is_loopback(std::string_view host);

}  // namespace weir::policy
