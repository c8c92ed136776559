// SPDX-License-Identifier: Apache-2.0
#include "policy/egress.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/seeded_bug.h"
#include "base/text.h"

namespace weir::policy {
namespace {

struct Denied {
  std::string_view block;
  std::string_view what;
};

// IANA's special-purpose registries (RFC 6890), and where clouds keep their credentials.
constexpr Denied kAlways[] = {
    {"0.0.0.0/8", "is an unspecified address"},
    {"169.254.0.0/16", "is a link-local address, where clouds keep their credentials"},
    {"100.100.100.200", "is a cloud's metadata service"},
    {"168.63.129.16", "is a cloud's metadata service"},
    {"192.0.0.192", "is a cloud's metadata service"},
    {"224.0.0.0/4", "is a multicast address"},
    {"255.255.255.255", "is the broadcast address"},
    {"240.0.0.0/4", "is a reserved address"},
    {"::", "is an unspecified address"},
    {"fe80::/10", "is a link-local address"},
    {"fec0::/10", "is a site-local address"},
    {"fd00:ec2::/32", "is a cloud's metadata service"},
    {"fd20:ce::254", "is a cloud's metadata service"},
    {"ff00::/8", "is a multicast address"},
};

struct Carrier {
  std::string_view block;
  std::size_t at;         // where the IPv4 address begins
  std::uint8_t flip = 0;  // Teredo writes it inverted
};

constexpr Carrier kCarriers[] = {
    {"::ffff:0:0/96", 12},    // mapped
    {"::/96", 12},            // compatible
    {"::ffff:0:0:0/96", 12},  // translated, RFC 2765
    {"64:ff9b::/96", 12},     // NAT64
    {"64:ff9b:1::/48", 12},   // NAT64 of one's own, RFC 8215
    {"2002::/16", 2},         // 6to4
    {"2001::/32", 12, 0xFF},  // Teredo
};

struct Block {
  AddressBlock block;
  std::string_view what;
};

const std::vector<Block>& always() {
  static const std::vector<Block> blocks = [] {
    std::vector<Block> made;
    for (const Denied& one : kAlways) made.push_back({parse_block(one.block).value(), one.what});
    return made;
  }();
  return blocks;
}

// The address and every IPv4 address that it carries.
std::vector<IpAddress> readings(const IpAddress& address) {
  std::vector<IpAddress> all{address};
  if (!address.v6 || WEIR_SEEDED_BUG("egress.inner_address_not_read")) return all;
  for (const Carrier& carrier : kCarriers) {
    if (!contains(parse_block(carrier.block).value(), address)) continue;
    IpAddress inner;
    for (std::size_t i = 0; i < 4; ++i)
      inner.bytes[i] = address.bytes[carrier.at + i] ^ carrier.flip;
    all.push_back(inner);
  }
  return all;
}

bool is_loopback(const IpAddress& address) {
  if (!address.v6) return address.bytes[0] == 127;
  return address == parse_ip("::1").value();
}

bool any_contains(const std::vector<AddressBlock>& blocks,
                  const std::vector<IpAddress>& addresses) {
  return std::ranges::any_of(blocks, [&](const AddressBlock& block) {
    return std::ranges::any_of(addresses,
                               [&](const IpAddress& one) { return contains(block, one); });
  });
}

std::vector<AddressBlock> read(const std::vector<std::string>& texts) {
  std::vector<AddressBlock> blocks;
  for (const std::string& text : texts) {
    if (const auto block = parse_block(text)) blocks.push_back(*block);
  }
  return blocks;
}

// "::1" is a loopback address and also an IPv4-compatible 0.0.0.1.
bool is_always_denied(const Block& denied, const IpAddress& address, bool is_outer_loopback) {
  if (is_outer_loopback && !address.v6 && address.bytes[0] == 0) return false;
  return contains(denied.block, address);
}

}  // namespace

Egress::Egress(const EgressSpec& spec) : allow_(read(spec.allow)), deny_(read(spec.deny)) {}

void Egress::set_own(const std::vector<std::string>& hosts, std::uint16_t port) {
  own_hosts_.clear();
  for (const std::string& host : hosts) {
    if (const auto address = parse_ip(host)) own_hosts_.push_back(*address);
  }
  own_port_ = port;
}

std::string Egress::refusal(std::string_view address, std::uint16_t port,
                            bool loopback_listed) const {
  const auto shown = [&] { return printable(address.substr(0, 64)); };
  const auto parsed = parse_ip(address);
  if (!parsed) return fmt::format("{} is not an address that can be judged", shown());
  const std::vector<IpAddress> all = readings(*parsed);
  const bool outer_loopback = is_loopback(*parsed);
  for (const IpAddress& one : all) {
    for (const Block& denied : always()) {
      if (is_always_denied(denied, one, outer_loopback))
        return fmt::format("{} {}", shown(), denied.what);
    }
  }
  const bool loopback = std::ranges::any_of(all, is_loopback);
  const bool at_own_host = loopback || std::ranges::any_of(all, [&](const IpAddress& one) {
                             return std::ranges::find(own_hosts_, one) != own_hosts_.end();
                           });
  if (own_port_ != 0 && port == own_port_ && at_own_host)
    return fmt::format("{}:{} is where Weir itself listens", shown(), port);
  if (any_contains(allow_, all)) return {};
  if (any_contains(deny_, all)) return fmt::format("{} is in egress.deny", shown());
  if (loopback && !loopback_listed)
    return fmt::format("{} is a loopback address that is not in egress.allow", shown());
  return {};
}

bool is_loopback_host(std::string_view host) {
  if (equals_ignore_case(host, "localhost")) return true;
  const auto address = parse_ip(host);
  return address && is_loopback(*address);
}

}  // namespace weir::policy
