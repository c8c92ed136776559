// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "policy/plan_hash.h"
#include "recovery/forecast.h"
#include "recovery/replay_run.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

// A planned run of one delivery, and a world that answers its checks as the test says.
struct Planned {
  ExplainDesk desk{[](async::Executor executor) { return store::memory::open(executor); }};
  std::unique_ptr<ReplayRun> run;
  std::vector<std::string> asked;
  std::function<void()> while_asked = [] {};
  int status = 200;

  explicit Planned(std::vector<PlanCheck> preconditions) {
    desk.live.probe = [this](std::string url, Duration) { return answer(std::move(url)); };
    Replay replay = ports::testing::replay(Selection{.flow = "sync-issues"}, kNow);
    replay.plan.preconditions = std::move(preconditions);
    replay.plan.canary.count = 0;
    replay.id = desk.bench.commit({ports::CreateReplay{replay}}, ports::Lane::operate).replay;
    replay.state = ReplayState::planned;
    desk.bench.commit({ports::AddReplayItem{replay.id, ref(1)}, ports::PutReplay{replay}});
    run = std::make_unique<ReplayRun>(desk.bench.executor(), desk.bench.store(), desk.clock,
                                      desk.live, replay);
  }

  Result<> start(std::string hash = "") {
    return desk.bench.run(run->command(ReplayState::running, "go", "me", std::move(hash)));
  }
  Result<> edit(ReplayPlan plan) { return desk.bench.run(run->edit(std::move(plan))); }
  std::vector<AuditEntry> audit() {
    return *desk.bench.run(desk.bench.store().recovery().audit(~0ull, 10));
  }

 private:
  async::Task<Result<policy::ProbeAnswer>> answer(std::string url) {
    asked.push_back(std::move(url));
    while_asked();
    co_return policy::ProbeAnswer{.status = status};
  }
};

const PlanCheck kHealthy{.kind = CheckKind::http, .subject = "http://t/healthz"};

TEST_CASE("a run starts when all of its preconditions hold") {
  Planned planned({kHealthy, {.kind = CheckKind::breakerClosed, .subject = "tracker"}});
  CHECK(planned.start().ok());
  CHECK(planned.run->replay().state == ReplayState::running);
  CHECK(planned.asked == std::vector<std::string>{"http://t/healthz"});
}

TEST_CASE("a precondition that does not hold refuses the start, in the audit too") {
  Planned planned({kHealthy, {.kind = CheckKind::breakerClosed, .subject = "nobody"}});
  planned.status = 503;
  const auto refused = planned.start();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::precondition_failed);
  CHECK(refused.error().detail ==
        "http://t/healthz answers 200 (it answered 503); "
        "breaker of nobody closed (inconclusive: no dependency 'nobody')");
  CHECK(planned.run->replay().state == ReplayState::planned);
  CHECK(planned.run->replay().checked.size() == 2);
  REQUIRE(!planned.audit().empty());
  CHECK(planned.audit().front().action == "replay.refused");
}

TEST_CASE("a plan that is aborted while its preconditions are asked does not start") {
  Planned planned({kHealthy});
  std::optional<Result<>> aborted;
  planned.while_asked = [&] {
    planned.desk.bench.start(planned.run->command(ReplayState::aborted, "no", "you"), aborted);
  };
  (void)planned.start();
  planned.desk.bench.wait([&] { return aborted.has_value(); });
  CHECK(aborted->ok());
  CHECK(planned.run->replay().state == ReplayState::aborted);
}

TEST_CASE("the hash that was read must be that of the plan") {
  Planned planned({});
  const std::string read = policy::plan_hash(planned.run->replay().plan);
  ReplayPlan faster = planned.run->replay().plan;
  faster.rate.max_per_second = 500;
  REQUIRE(planned.edit(faster).ok());
  CHECK(planned.start(read).error().code == Code::plan_changed);
  CHECK(planned.run->replay().state == ReplayState::planned);
  CHECK(planned.start(policy::plan_hash(faster)).ok());
  CHECK(planned.edit(faster).error().code == Code::wrong_state);
}

TEST_CASE("an estimate of any plan comes to an end") {
  ReplayPlan plan;
  for (const double factor : {1.0, 1.0 + 1e-15, 1.000001, 2.0, 100.0}) {
    plan.rate = {.start_per_second = 0.001,
                 .max_per_second = 100'000,
                 .ramp_factor = factor,
                 .step = std::chrono::milliseconds{1}};
    const ReplayEstimate estimated = estimate(plan, 1'000'000'000, std::chrono::milliseconds{1});
    CHECK(estimated.total > Duration{});
    CHECK(estimated.peak_per_second <= 100'000);
  }
}

}  // namespace
}  // namespace weir::recovery::testing
