// SPDX-License-Identifier: Apache-2.0
// That the checkers of the simulation bite: each of these seeds passes, and fails with the bug of
// the bank (test/bugs) that names the test. What changes the course of all seeds may need others:
// WEIR_SEEDED_BUG=<name> engine_sim --seeds 1..500 finds them.
#include <initializer_list>

#include <doctest/doctest.h>

#include "run.h"

namespace weir::engine_sim {
namespace {

void check_seeds(std::initializer_list<std::uint64_t> seeds) {
  for (const std::uint64_t seed : seeds) {
    CAPTURE(seed);
    CHECK(run(plan_of(seed)).violation.value_or("") == "");
  }
}

}  // namespace

TEST_CASE("engine simulation: a replay that was told to stop claims nothing more") {
  check_seeds({336});
}

TEST_CASE("engine simulation: a retry waits until it is due, also over a crash") {
  check_seeds({1, 15});
}

TEST_CASE("engine simulation: attempts add up over crashes") { check_seeds({165, 409}); }

TEST_CASE("engine simulation: what may not be repeated is not, after a crash either") {
  check_seeds({1, 39});
}

TEST_CASE("engine simulation: a flow that paused itself stays paused in the next process") {
  check_seeds({1, 39});
}

TEST_CASE("engine simulation: retries stay within their budget") { check_seeds({115}); }

}  // namespace weir::engine_sim
