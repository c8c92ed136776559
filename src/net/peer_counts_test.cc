// SPDX-License-Identifier: Apache-2.0
#include "net/peer_counts.h"

#include <doctest/doctest.h>

namespace weir::net {
namespace {

TEST_CASE("an IPv6 host counts as its /64, a mapped address as what it maps") {
  CHECK(peer_of("192.0.2.1") == "192.0.2.1");
  CHECK(peer_of("::ffff:192.0.2.1") == "192.0.2.1");
  CHECK(peer_of("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::/64");
  CHECK(peer_of("2001:db8:1:2::9") == peer_of("2001:db8:1:2:ffff::"));
  CHECK(peer_of("2001:db8:1:3::9") != peer_of("2001:db8:1:2::9"));
  CHECK(peer_of("::1") == "::1");
  CHECK(peer_of("::ffff:127.0.0.1") == "127.0.0.1");
  CHECK(peer_of("nobody").empty());
}

TEST_CASE("one peer gets a quarter of the connections, or what is configured") {
  PeerCounts counts;
  for (int i = 0; i < 2; ++i) CHECK(counts.admit("192.0.2.1", 0, 8));
  CHECK_FALSE(counts.admit("192.0.2.1", 0, 8));
  CHECK(counts.admit("192.0.2.2", 0, 8));
  CHECK(counts.admit("192.0.2.1", 3, 8));
  CHECK_FALSE(counts.admit("192.0.2.1", 3, 8));
  counts.leave("192.0.2.1");
  CHECK(counts.admit("192.0.2.1", 3, 8));
  CHECK(counts.admit("192.0.2.3", 0, 1));  // never less than one
  CHECK_FALSE(counts.admit("192.0.2.3", 0, 1));
}

TEST_CASE("loopback is capped only if that is configured") {
  for (const char* loopback : {"127.0.0.1", "::1"}) {
    PeerCounts counts;
    for (int i = 0; i < 100; ++i) CHECK(counts.admit(loopback, 0, 8));
    CHECK_FALSE(counts.admit(loopback, 3, 8));
  }
}

TEST_CASE("a peer without connections is forgotten") {
  PeerCounts counts;
  for (int round = 0; round < 3; ++round) {
    CHECK(counts.admit("192.0.2.1", 0, 8));
    CHECK(counts.peers() == 1);
    counts.leave("192.0.2.1");
    CHECK(counts.peers() == 0);
  }
}

}  // namespace
}  // namespace weir::net
