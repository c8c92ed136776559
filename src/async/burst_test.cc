// SPDX-License-Identifier: Apache-2.0
#include "async/burst.h"

#include <string>

#include <doctest/doctest.h>

#include "async/testing/virtual_loop.h"

namespace weir::async {
namespace {

Task<> prepare_and_go(Burst* burst, char name, std::string* log) {
  *log += name;
  co_await burst->over();
  *log += static_cast<char>(name - 'a' + 'A');
}

TEST_CASE("what begins in a burst goes on when it is closed, in order, inside the call") {
  testing::VirtualLoop loop;
  Burst burst;
  std::string log;
  burst.open();
  for (const char name : {'a', 'b', 'c'}) loop.start(prepare_and_go(&burst, name, &log));
  loop.poll();
  CHECK(log == "abc");
  burst.close();
  CHECK(log == "abcABC");
}

TEST_CASE("without an open burst nobody waits, and a second burst takes only its own") {
  testing::VirtualLoop loop;
  Burst burst;
  std::string log;
  loop.start(prepare_and_go(&burst, 'a', &log));
  loop.poll();
  CHECK(log == "aA");
  burst.open();
  burst.close();
  burst.open();
  loop.start(prepare_and_go(&burst, 'b', &log));
  loop.poll();
  CHECK(log == "aAb");
  burst.close();
  CHECK(log == "aAbB");
}

}  // namespace
}  // namespace weir::async
