// SPDX-License-Identifier: Apache-2.0
// The power goes at every operation of the disk while handlers pay: before and after each intent
// and each result is durable, alone and twice.
#include <doctest/doctest.h>

#include "base/rng.h"
#include "course.h"
#include "effect_story.h"

namespace weir::crash {
namespace {

// False if the story was over before the power could go.
bool cut_while_paying(std::uint64_t operation, std::uint64_t seed) {
  CAPTURE(operation);
  CAPTURE(seed);
  Course course(effect_story());
  course.disk().cut_at(operation);
  (void)course.live();
  if (!course.disk().is_off()) return false;
  course.power_cut(seed);
  course.run_to_the_end();
  return true;
}

// False if the power did not go twice.
bool cut_twice_while_paying(std::uint64_t first, std::uint64_t second) {
  CAPTURE(first);
  CAPTURE(second);
  Course course(effect_story());
  course.disk().cut_at(first);
  (void)course.live();
  if (!course.disk().is_off()) return false;
  course.power_cut(first);
  course.disk().cut_at(second);
  (void)course.live();
  const bool twice = course.disk().is_off();
  course.power_cut(second);
  course.run_to_the_end();
  return twice;
}

// How many operations the story has.
std::uint64_t operations_of_payments() {
  Course course(effect_story());
  REQUIRE(!course.live());
  return course.operations;
}

void pay_through_cuts(std::uint64_t stride, std::uint64_t pairs) {
  std::uint64_t runs = 0;
  for (std::uint64_t operation = 1; cut_while_paying(operation, operation * 7); operation += stride)
    ++runs;
  const std::uint64_t operations = operations_of_payments();
  Rng rng(stride + pairs);
  // The second life is shorter: what is left of the story.
  for (std::uint64_t pair = 0; pair < pairs;) {
    const std::uint64_t first = 1 + rng.below(operations);
    pair += cut_twice_while_paying(first, 1 + rng.below(operations - first / 2));
  }
  MESSAGE("power cuts while paying: ", runs, " single ones and ", pairs, " pairs in a story of ",
          operations, " operations");
  CHECK(runs >= operations / stride);
}

}  // namespace

TEST_CASE("handlers that pay: the story itself") {
  Course course(effect_story());
  course.run_to_the_end();
}

TEST_CASE(
    "power cut while handlers pay: no payment twice, none reported failed that happened, every "
    "doubt listed") {
  pay_through_cuts(11, 60);
}

TEST_CASE("everywhere: power cut at every third operation, and 500 pairs, while handlers pay" *
          doctest::skip()) {
  pay_through_cuts(3, 500);
}

// With the single cuts that is more than 10,000 runs: a quarter of an hour.
TEST_CASE("long: power cut at every operation, and 9,000 pairs, while handlers pay" *
          doctest::skip()) {
  pay_through_cuts(1, 9'000);
}

}  // namespace weir::crash
