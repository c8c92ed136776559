// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "run.h"
#include "shrink.h"

namespace weir::engine_sim {
namespace {

// Believes that no client is ever told that its event had been published before.
void broken_check(Journal& journal) {
  if (journal.sometimes.count(Rare::duplicateFound) > 0) journal.fail("a duplicate");
}

bool fails_broken(const Plan& plan) { return run(plan, false, broken_check).violation.has_value(); }

}  // namespace

TEST_CASE("engine simulation: the same seed takes the same course, whatever ran before") {
  std::vector<std::uint64_t> forward;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Report report = run(plan_of(seed));
    CAPTURE(seed);
    CHECK(report.violation.value_or("") == "");
    forward.push_back(report.hash);
  }
  CHECK(std::set(forward.begin(), forward.end()).size() == forward.size());
  for (std::uint64_t seed = 6; seed >= 1; --seed) {
    CAPTURE(seed);
    CHECK(run(plan_of(seed)).hash == forward[seed - 1]);
  }
}

TEST_CASE("a plan that a broken checker fails is cut down to the two moves that it needs") {
  Plan plan;
  for (std::uint64_t seed = 1; !fails_broken(plan); ++seed) plan = plan_of(seed);
  const Plan small = shrink(plan, fails_broken, 200);
  CHECK(fails_broken(small));
  CHECK(small.moves.size() <= 2);
  CHECK(small.faults.count() <= 1);
  CHECK(small.events < plan.events);
}

TEST_CASE("a cut plan is the one that its command names") {
  const Plan plan = plan_of(3);
  const auto indices = parse_ranges("0-2,5");
  REQUIRE(indices);
  const Plan less = with_moves(plan, *indices);
  CHECK(ranges_of(less.moves) == "0-2,5");
  CHECK_FALSE(parse_ranges("3-1"));
  CHECK_FALSE(parse_ranges("x"));
  CHECK(parse_faults(to_text(plan.faults)) == plan.faults);
  CHECK_FALSE(parse_faults("kill,nothing"));
  CHECK(command_of(less).find("--moves 0-2,5") != std::string::npos);
}

}  // namespace weir::engine_sim
