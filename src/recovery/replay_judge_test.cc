// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "policy/plan_hash.h"
#include "recovery/forecast.h"
#include "recovery/replay_run.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

using namespace std::chrono_literals;

// A planned run of one delivery, and a world that answers its checks as the test says.
struct Planned {
  ExplainDesk desk{[](async::Executor executor) { return store::memory::open(executor); }};
  std::unique_ptr<ReplayRun> run;
  std::vector<std::string> asked;
  std::function<void()> while_asked = [] {};
  int status = 200;

  explicit Planned(std::vector<PlanCheck> preconditions,
                   Selection selection = {.flow = "sync-issues"}) {
    desk.live.probe = [this](std::string url, Duration) { return answer(std::move(url)); };
    Replay replay = ports::testing::replay(std::move(selection), kNow);
    replay.plan.preconditions = std::move(preconditions);
    replay.plan.canary.count = 0;
    replay.id = desk.bench.commit({ports::CreateReplay{replay}}, ports::Lane::operate).replay;
    replay.state = ReplayState::planned;
    desk.bench.commit({ports::AddReplayItems{replay.id, {ref(1)}}, ports::PutReplay{replay}});
    run = std::make_unique<ReplayRun>(desk.bench.executor(), desk.bench.store(), desk.clock,
                                      desk.live, replay);
  }

  Result<> start(std::string hash = "") {
    return desk.bench.run(
        run->command(ReplayState::running, {.actor = "me", .reason = "go"}, std::move(hash)));
  }
  Result<> command(ReplayState wanted, Duration wait = {}) {
    return desk.bench.run(run->command(wanted, {.actor = "me", .reason = "go"}, "", wait));
  }
  void go_until(const std::function<bool()>& reached) {
    std::optional<bool> over;
    desk.bench.start(finish(), over);
    desk.bench.wait([&] { return over || reached(); });
    run->stop();
    desk.bench.wait([&] { return over.has_value(); });
  }
  // Until the run is over, or has nothing to wait for any more.
  void go_on() {
    const auto settled = [this] {
      const Replay& replay = run->replay();
      return replay.state == ReplayState::planned && replay.waits_until == WallTime{};
    };
    go_until(settled);
  }
  std::vector<std::string> said() {
    std::vector<std::string> actions;
    for (const AuditEntry& entry : audit()) actions.insert(actions.begin(), entry.action);
    return actions;
  }
  Result<> edit(ReplayPlan plan) { return desk.bench.run(run->edit(std::move(plan))); }
  std::vector<AuditEntry> audit() {
    return *desk.bench.run(desk.bench.store().recovery().audit(~0ull, 10));
  }

 private:
  async::Task<bool> finish() {
    co_await run->run();
    co_return true;
  }
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
    planned.desk.bench.start(
        planned.run->command(ReplayState::aborted, {.actor = "you", .reason = "no"}), aborted);
  };
  (void)planned.start();
  planned.desk.bench.wait([&] { return aborted.has_value(); });
  CHECK(aborted->ok());
  CHECK(planned.run->replay().state == ReplayState::aborted);
}

TEST_CASE("the hash that was read must be that of the plan") {
  Planned planned({});
  const std::string read = policy::plan_hash(planned.run->replay().plan, {});
  ReplayPlan faster = planned.run->replay().plan;
  faster.rate.max_per_second = 500;
  REQUIRE(planned.edit(faster).ok());
  const auto started = planned.start(read);
  REQUIRE_FALSE(started.ok());
  CHECK(started.error().code == Code::plan_changed);
  CHECK(planned.run->replay().state == ReplayState::planned);
  CHECK(planned.start(policy::plan_hash(faster, {})).ok());
  CHECK(planned.edit(faster).error().code == Code::wrong_state);
}

TEST_CASE("a plan that may wait starts by itself when its preconditions hold") {
  using Words = std::vector<std::string>;
  Planned planned({kHealthy});
  planned.status = 503;
  REQUIRE(planned.command(ReplayState::running, std::chrono::minutes{10}).ok());
  const Replay& replay = planned.run->replay();
  CHECK(replay.state == ReplayState::planned);
  CHECK(replay.state_reason == "waits: http://t/healthz answers 200 (it answered 503)");
  SUBCASE("as soon as they do") {
    planned.while_asked = [&] { planned.status = planned.asked.size() < 4 ? 503 : 200; };
    planned.go_on();
    CHECK(replay.state == ReplayState::completed);
    CHECK(planned.asked.size() == 4);
    CHECK(planned.desk.clock.wall() - kNow >= std::chrono::seconds{15});
    CHECK(planned.said() == Words{"replay.wait", "replay.start", "replay.complete"});
  }
  SUBCASE("but not after the time it was given") {
    planned.go_on();
    CHECK(replay.state == ReplayState::planned);
    CHECK(planned.asked.size() == 120);  // every five seconds
    CHECK(planned.said() == Words{"replay.wait", "replay.wait_over"});
  }
  SUBCASE("nor what is paused or edited meanwhile") {
    SUBCASE("paused") { CHECK(planned.command(ReplayState::paused).ok()); }
    SUBCASE("edited") {
      ReplayPlan faster = replay.plan;
      faster.rate.max_per_second = 500;
      CHECK(planned.edit(faster).ok());
    }
    planned.status = 200;
    planned.go_on();
    CHECK(replay.state == ReplayState::planned);
    CHECK(planned.asked.size() == 1);
  }
  SUBCASE("what is aborted is over") {
    CHECK(planned.command(ReplayState::aborted).ok());
    CHECK(replay.state == ReplayState::aborted);
    CHECK(replay.waits_until == WallTime{});
  }
}

TEST_CASE("a run pauses when a flow of it leaves the configuration, and loses nothing") {
  Planned planned({});
  planned.desk.bench.commit(
      {ports::PutDelivery{ports::testing::delivery(1, DeliveryState::quarantined)}});
  REQUIRE(planned.start().ok());
  planned.desk.config.flows.clear();
  planned.go_until([&] { return planned.run->replay().state == ReplayState::paused; });
  CHECK(planned.run->replay().counts.skipped == 0);
  CHECK(planned.run->replay().state_reason.starts_with(
      "flow 'sync-issues' has left the configuration"));
}

TEST_CASE("what is run again for a flow that was removed for good is skipped") {
  Planned planned({}, {.flow = "sync-issues", .delivered = true});
  planned.desk.publish(1);
  REQUIRE(planned.start().ok());
  planned.desk.records.clear();
  planned.go_until([] { return false; });  // until it is over
  CHECK(planned.run->replay().state == ReplayState::completed);
  CHECK(planned.run->replay().counts.skipped == 1);
  CHECK(*planned.desk.bench.run(planned.desk.bench.store().deliveries().get(ref(1))) ==
        std::nullopt);
}

TEST_CASE("the load of a dependency is where its deliveries are in the run") {
  const ReplayPlan plan{.rate = {.start_per_second = 10, .max_per_second = 20, .step = 10s},
                        .canary = {.count = 0}};
  const ReplayEstimate run = estimate(plan, 500, {});  // 100 at 10/s, then 400 at 20/s
  using Steps = std::vector<RateStep>;
  CHECK(load_over_time(run, 0, 500, {{0, 500}}) == Steps{{0s, 10}, {10s, 20}, {30s, 0}});
  CHECK(load_over_time(run, 0, 500, {{0, 50}}) == Steps{{0s, 10}, {5s, 0}});
  CHECK(load_over_time(run, 0, 500, {{50, 200}, {400, 500}}) ==
        Steps{{5s, 10}, {10s, 20}, {15s, 0}, {25s, 20}, {30s, 0}});
  CHECK(load_over_time(run, 0, 500, {}).empty());
  const ReplayEstimate careful = estimate({.rate = plan.rate, .canary = {.count = 5, .hold = 1s}},
                                          105, std::chrono::milliseconds{100});
  CHECK(load_over_time(careful, 5, 105, {{0, 105}}).front().per_second == doctest::Approx(5 / 1.1));
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
