// SPDX-License-Identifier: Apache-2.0
#include "async/turn.h"

#include <string>

#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

Task<> ask(std::string* order, char name) {
  *order += name;
  co_await turn();
  *order += static_cast<char>(name - 'a' + 'A');
}

TEST_CASE("what is ready runs before what asked for a turn") {
  testing::VirtualLoop loop;
  std::string order;
  for (const char name : {'a', 'b', 'c'}) loop.start(ask(&order, name));
  loop.poll();
  CHECK(order == "abcABC");
}

}  // namespace
}  // namespace weir::async
