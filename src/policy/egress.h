// SPDX-License-Identifier: Apache-2.0
// Where Weir may connect to. Judged is the address that a connection would go to, never a name: a
// name can change its meaning. An IPv6 address that carries an IPv4 one (mapped, compatible, NAT64
// of RFC 6052, 6to4 of RFC 3056, Teredo of RFC 4380) is judged as both.
//
// In this order: what is denied always (unspecified, link-local with the metadata services, other
// metadata addresses, multicast, broadcast and reserved ones) and Weir's own listener;
// `egress.allow` allows; `egress.deny` denies; loopback is denied unless the administrator wrote it
// down as the address of a dependency; the rest is allowed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "model/config_model.h"
#include "policy/address_block.h"

namespace weir::policy {

class Egress {
 public:
  Egress() = default;
  // Blocks that cannot be read are config's to refuse; here they allow nothing and deny nothing.
  explicit Egress(const EgressSpec& spec);
  // The listener that nothing of ours may call: `hosts` are addresses or "localhost". Loopback is
  // always among them.
  void set_own(const std::vector<std::string>& hosts, std::uint16_t port);

  // Why no connection may be opened, as "169.254.169.254 is a link-local address, where clouds keep
  // their credentials"; empty if one may. What is no address, or has a zone, is refused.
  std::string refusal(std::string_view address, std::uint16_t port, bool loopback_listed) const;

 private:
  std::vector<AddressBlock> allow_;
  std::vector<AddressBlock> deny_;
  std::vector<IpAddress> own_hosts_;
  std::uint16_t own_port_ = 0;  // 0: not known
};

// A host that is written as a loopback address, or as "localhost".
bool is_loopback_host(std::string_view host);

}  // namespace weir::policy
