// SPDX-License-Identifier: Apache-2.0
#include "policy/address_block.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

TEST_CASE("a block holds what its prefix says") {
  struct Row {
    const char* block;
    const char* address;
    bool inside;
  };
  const Row rows[] = {
      {"10.0.0.0/8", "10.255.255.255", true},  {"10.0.0.0/8", "11.0.0.0", false},
      {"192.0.2.7", "192.0.2.7", true},        {"192.0.2.7", "192.0.2.6", false},
      {"172.16.0.0/12", "172.31.9.9", true},   {"172.16.0.0/12", "172.32.0.0", false},
      {"0.0.0.0/0", "8.8.8.8", true},          {"0.0.0.0/0", "::1", false},
      {"fd00::/8", "fdff::1", true},           {"fd00::/8", "fe00::1", false},
      {"::/0", "2001:db8::1", true},           {"::/0", "1.2.3.4", false},
      {"2001:db8::1", "2001:db8::1", true},    {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "192.0.2.128", true}, {"fe80::/10", "febf::1", true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.block);
    CAPTURE(row.address);
    const auto block = parse_block(row.block);
    REQUIRE(block.has_value());
    CHECK(contains(*block, parse_ip(row.address).value()) == row.inside);
  }
}

TEST_CASE("what is no block is refused") {
  for (const char* bad : {"", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08",
                          "10.0.0.0/8x", "10.0.0.1/8", "::1/129", "fd00::1/8", "10/8",
                          "example.com", "10.0.0.0/8/8", " 10.0.0.0/8", "[::1]"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_block(bad).has_value());
  }
}

}  // namespace
}  // namespace weir::policy
