// SPDX-License-Identifier: Apache-2.0
#include "policy/running_attempts.h"

#include <set>

#include <doctest/doctest.h>

namespace weir::policy {

TEST_CASE("a token finds its attempt until that is over, and nothing else does") {
  RunningAttempts running("secret");
  const std::string one = running.begin({.flow = "one"});
  const std::string two = running.begin({.flow = "two"});
  CHECK(one.size() == 32);
  CHECK(running.find(one)->flow == "one");
  CHECK(running.find(two)->flow == "two");
  for (const std::string& other : {std::string(), one.substr(1), one + "0", std::string(32, '0')})
    CHECK(running.find(other) == nullptr);
  const auto kept = running.find(one);
  kept->report.refused = 3;
  CHECK(running.end(one).refused == 3);
  CHECK(kept->ended);
  CHECK(running.find(one) == nullptr);
  CHECK(running.size() == 1);
}

TEST_CASE("tokens differ, and those of another process do not fit") {
  RunningAttempts running("secret");
  RunningAttempts other("another secret");
  std::set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    tokens.insert(running.begin({}));
    tokens.insert(other.begin({}));
  }
  CHECK(tokens.size() == 2000);
}

}  // namespace weir::policy
