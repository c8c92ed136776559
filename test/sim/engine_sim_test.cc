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

Faults only(std::initializer_list<Fault> faults) {
  Faults set;
  for (const Fault fault : faults) set.set(static_cast<std::size_t>(fault));
  return set;
}

std::string violation_of(const Plan& plan) { return run(plan).violation.value_or(""); }

}  // namespace

// Seeds 76 and 109: what waited for seconds waited for days after the restart.
TEST_CASE("the wall clock is set back, and Weir is killed: retries do not wait for the old time") {
  using std::chrono::milliseconds;
  const Plan plan{
      .seed = 76,
      .faults = only({Fault::badAnswers, Fault::clockJump, Fault::kill}),
      .events = 12,
      .moves = {
          {.index = 0, .kind = MoveKind::mood, .a = 100},
          {.index = 1, .kind = MoveKind::publish, .a = 1, .b = 12},
          {.index = 2, .kind = MoveKind::clockJump, .at = milliseconds{200}, .a = 3000, .b = 1},
          {.index = 3, .kind = MoveKind::kill, .at = milliseconds{200}, .a = 1},
          {.index = 4, .kind = MoveKind::mood, .at = milliseconds{300}}}};
  CHECK(violation_of(plan) == "");
}

// Seeds 121, 134, 192 and 194: a restore from a backup was asked for, and nothing was damaged.
TEST_CASE("a page that cannot be read at the start is no damage to the store") {
  using std::chrono::milliseconds;
  for (std::uint64_t page = 0; page < 24; ++page) {
    CAPTURE(page);
    const Plan plan{
        .seed = 121,
        .faults = only({Fault::readError, Fault::restart}),
        .events = 12,
        .moves = {{.index = 0, .kind = MoveKind::publish, .a = 1, .b = 12},
                  {.index = 1, .kind = MoveKind::readError, .at = milliseconds{400}, .a = page},
                  {.index = 2, .kind = MoveKind::restart, .at = milliseconds{400}}}};
    CHECK(violation_of(plan) == "");
  }
}

// Seed 3000787: the events were gone, and the engine still said that it had them. In each of these
// seeds the trim's commit waits so long that the reload reads the stream before it.
TEST_CASE("a reload in the middle of a retention step does not bring back what went") {
  using std::chrono::milliseconds;
  for (const std::uint64_t seed : {117, 127, 169, 201, 224}) {
    CAPTURE(seed);
    const Plan plan{
        .seed = seed,
        .faults = only({Fault::clockJump, Fault::retention}),
        .events = 12,
        .moves = {{.index = 0, .kind = MoveKind::publish, .a = 1, .b = 12},
                  {.index = 1, .kind = MoveKind::clockJump, .at = milliseconds{2000}, .a = 174},
                  {.index = 2, .kind = MoveKind::trim, .at = milliseconds{2001}}}};
    CHECK(violation_of(plan) == "");
  }
}

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
