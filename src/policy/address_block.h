// SPDX-License-Identifier: Apache-2.0
// Blocks of IP addresses in CIDR notation (RFC 4632, RFC 4291 section 2.3).
#pragma once

#include <optional>
#include <string_view>

#include "policy/ip_address.h"

namespace weir::policy {

struct AddressBlock {
  IpAddress address;
  int bits = 0;  // 0..32, or 0..128
};

// "10.0.0.0/8", "fd00::/8", or one address. Bits beyond the prefix must be zero: a block that says
// two things was not meant.
std::optional<AddressBlock> parse_block(std::string_view text);
bool contains(const AddressBlock& block, const IpAddress& address);

}  // namespace weir::policy
