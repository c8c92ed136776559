// SPDX-License-Identifier: Apache-2.0
// What cannot be audited does not happen: for plans and runs of replays.
#include <doctest/doctest.h>

#include "recovery/replay_plan.h"
#include "recovery/replay_run.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct ClosedDesk {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  ExplainDesk desk{[this](async::Executor executor) {
    return store::memory::open(std::move(executor), {.faults = faults});
  }};
  std::unique_ptr<ReplayRun> run;

  explicit ClosedDesk(ReplayState state) {
    Replay replay = ports::testing::replay({.flow = "sync-issues"}, kNow);
    replay.plan.canary.count = 0;
    replay.plan.rate = {.start_per_second = 100, .max_per_second = 100};
    replay.rate_now = 0;
    replay.state_reason.clear();
    replay.id = desk.bench.commit({ports::CreateReplay{replay}}, ports::Lane::operate).replay;
    replay.state = state;
    desk.bench.commit(
        {ports::AddReplayItems{replay.id, {ports::testing::ref(1)}}, ports::PutReplay{replay}});
    run = std::make_unique<ReplayRun>(desk.bench.executor(), desk.bench.store(), desk.clock,
                                      desk.live, replay);
  }
  Replay stored() {
    return **desk.bench.run(desk.bench.store().recovery().replay(run->replay().id));
  }
  std::size_t entries() {
    return desk.bench.run(desk.bench.store().recovery().audit(~0ull >> 1, 10))->size();
  }
};

TEST_CASE("a run whose start cannot be written does not start") {
  ClosedDesk closed(ReplayState::planned);
  closed.faults->fail_next_commit = true;
  CHECK_FALSE(closed.desk.bench
                  .run(closed.run->command(ReplayState::running, {.actor = "me", .reason = "go"}))
                  .ok());
  CHECK(closed.run->replay().state == ReplayState::planned);
  CHECK(closed.entries() == 0);
}

TEST_CASE("a run that cannot be told to be slower keeps its pace; one that is told says so") {
  ClosedDesk closed(ReplayState::running);
  const double before = closed.run->replay().rate_now;
  SUBCASE("it cannot be written") {
    closed.faults->fail_next_commit = true;
    CHECK_FALSE(closed.desk.bench.run(closed.run->slow("gently", "me")).ok());
    CHECK(closed.run->replay().rate_now == before);
    CHECK(closed.run->replay().state_reason.empty());
    CHECK(closed.entries() == 0);
  }
  SUBCASE("it is written, with its entry") {
    const auto done = closed.desk.bench.run(closed.run->slow("gently", "me"));
    if (!done.ok()) FAIL(to_text(done.error()));
    CHECK(closed.run->replay().rate_now == 50);
    CHECK(closed.stored().rate_now == 50);
    CHECK(closed.stored().state_reason == "slowed to 50/s by me: gently");
    CHECK(closed.entries() == 1);
  }
}

TEST_CASE("a plan that was half made when Weir ended is given up, with an entry") {
  ClosedDesk closed(ReplayState::planning);
  REQUIRE(closed.desk.bench.run(abort_half_made_plans(closed.desk.bench.store(), closed.desk.clock))
              .ok());
  CHECK(closed.stored().state == ReplayState::aborted);
  const auto audit = *closed.desk.bench.run(closed.desk.bench.store().recovery().audit(9, 10));
  REQUIRE(audit.size() == 1);
  CHECK(audit.front().action == "replay.abort");
  CHECK(audit.front().actor == "weir");
}

}  // namespace
}  // namespace weir::recovery::testing
