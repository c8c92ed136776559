// SPDX-License-Identifier: Apache-2.0
#include "net/peer_counts.h"

#include <algorithm>

#include <boost/asio/ip/address.hpp>

#include "base/assert.h"

namespace weir::net {

namespace ip = boost::asio::ip;

std::string peer_of(const std::string& text) {
  boost::system::error_code error;
  const ip::address address = ip::make_address(text, error);
  if (error) return "";
  if (!address.is_v6() || address.is_loopback()) return address.to_string();
  const ip::address_v6 v6 = address.to_v6();
  if (v6.is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, v6).to_string();
  auto bytes = v6.to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return ip::address_v6(bytes).to_string() + "/64";
}

bool PeerCounts::admit(const std::string& peer, std::size_t per_peer, std::size_t all) {
  const bool loopback = peer == "::1" || peer.starts_with("127.");
  const bool capped = per_peer > 0 || !loopback;
  const std::size_t cap = per_peer > 0 ? per_peer : std::max<std::size_t>(all / 4, 1);
  const auto known = open_.find(peer);
  if (capped && known != open_.end() && known->second >= cap) return false;
  ++open_[peer];
  return true;
}

void PeerCounts::leave(const std::string& peer) {
  const auto known = open_.find(peer);
  WEIR_ASSERT(known != open_.end());
  if (--known->second == 0) open_.erase(known);
}

}  // namespace weir::net
