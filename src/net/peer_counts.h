// SPDX-License-Identifier: Apache-2.0
// How many connections each peer has open, so that one of them cannot take all places. Holds one
// entry per peer with a connection, so it is bounded by the connections.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace weir::net {

// Whom a literal address counts for: itself, an IPv4 address for its mapped form, or the /64 that
// an IPv6 host may choose its addresses from. What is no address counts for "".
std::string peer_of(const std::string& address);

class PeerCounts {
 public:
  // False if the peer has `per_peer` already. 0: a quarter of `all`, and loopback as many as it
  // likes, because a proxy there speaks for everybody.
  bool admit(const std::string& peer, std::size_t per_peer, std::size_t all);
  void leave(const std::string& peer);  // after an admit() that was true
  std::size_t peers() const { return open_.size(); }

 private:
  std::map<std::string, std::size_t> open_;
};

}  // namespace weir::net
