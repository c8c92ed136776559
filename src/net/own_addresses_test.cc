// SPDX-License-Identifier: Apache-2.0
#include "net/own_addresses.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace weir::net {
namespace {

TEST_CASE("loopback is among the addresses of this machine") {
  const std::vector<std::string> all = addresses_of_this_machine();
  CHECK(std::ranges::find(all, "127.0.0.1") != all.end());
  CHECK(std::ranges::find(all, "") == all.end());
}

}  // namespace
}  // namespace weir::net
