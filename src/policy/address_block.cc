// SPDX-License-Identifier: Apache-2.0
#include "policy/address_block.h"

#include <charconv>

namespace weir::policy {
namespace {

bool bit_at(const IpAddress& address, int bit) {
  return (address.bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0;
}

}  // namespace

std::optional<AddressBlock> parse_block(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int most = address->v6 ? 128 : 32;
  AddressBlock block{*address, most};
  if (slash != text.npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), block.bits);
    const bool whole = parsed.ec == std::errc{} && parsed.ptr == digits.data() + digits.size();
    const bool plain = digits == "0" || !digits.starts_with('0');
    if (!whole || !plain || block.bits < 0 || block.bits > most) return std::nullopt;
  }
  for (int bit = block.bits; bit < most; ++bit) {
    if (bit_at(block.address, bit)) return std::nullopt;
  }
  return block;
}

bool contains(const AddressBlock& block, const IpAddress& address) {
  if (block.address.v6 != address.v6) return false;
  for (int bit = 0; bit < block.bits; ++bit) {
    if (bit_at(block.address, bit) != bit_at(address, bit)) return false;
  }
  return true;
}

}  // namespace weir::policy
