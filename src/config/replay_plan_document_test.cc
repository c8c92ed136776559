// SPDX-License-Identifier: Apache-2.0
#include "config/replay_plan_document.h"

#include <doctest/doctest.h>

#include "policy/plan_hash.h"

namespace weir::config {
namespace {

using policy::plan_hash;

using namespace std::chrono_literals;

const WallTime kPlannedAt = from_micros(1'795'000'000'000'000);

constexpr std::string_view kWhole = R"(
selection: { group: 2a9f, flow: sync-issues, class: permanent, since: 15m,
             where: { type: [{ prefix: com.github }] }, ids: [github#7, "42"] }
reason: fixed in 2.1
preconditions:
  - breakerClosed: { dependency: tracker, for: 5m }
  - flow: { name: sync-issues, is: paused }
  - timeWindow: { from: "22:00", until: "06:30" }
  - noneInDoubt: true
  - http: { url: http://t/healthz, status: 204, header: { name: X-Version, value: "2" }, timeout: 1s }
  - prometheus: { url: http://p/api/v1/query, query: up, below: 0.5 }
rate: { start: 30/min, max: 40/s, factor: 1.5, step: 10s, concurrency: 8 }
canary: { count: 3, hold: 30s }
verify:
  nothingReturned: true
  checks: [{ http: { url: http://t/count } }]
  eachStep: true
stop:
  failureShare: { limit: 5, then: slow }
  sameFingerprint: 1
  breakerOpen: { then: pause }
  latency: 1500ms
  liveLag: { limit: 1m, then: pause }
  duration: 2h
)";

ReplayPlan whole() {
  auto outcome = read_replay_plan(kWhole, kPlannedAt);
  REQUIRE_MESSAGE(outcome.plan, render(outcome.problems));
  return *outcome.plan;
}

TEST_CASE("a plan with everything") {
  const ReplayPlan plan = whole();
  CHECK(plan.selection.since == kPlannedAt - 15min);
  CHECK(plan.selection.where == R"({"type":[{"prefix":"com.github"}]})");
  CHECK(plan.selection.ids == std::vector<std::string>{"github#7", "42"});
  REQUIRE(plan.preconditions.size() == 6);
  CHECK(plan.preconditions[0] ==
        PlanCheck{.kind = CheckKind::breakerClosed, .subject = "tracker", .duration = 5min});
  CHECK(plan.preconditions[1].paused);
  CHECK(plan.preconditions[2].from == 22h);
  CHECK(plan.preconditions[2].until == 6h + 30min);
  CHECK(plan.preconditions[3].kind == CheckKind::noneInDoubt);
  CHECK(plan.preconditions[4].status == 204);
  CHECK(plan.preconditions[4].duration == 1s);
  CHECK(plan.preconditions[5].below == 0.5);
  CHECK(plan.rate.start_per_second == 0.5);
  CHECK(plan.rate.max_per_second == 40);
  CHECK(plan.canary == Canary{3, 30s});
  CHECK(plan.verify.each_step);
  CHECK(plan.verify.checks.at(0).subject == "http://t/count");
  CHECK(plan.stop.failure_share == StopRule{5, StopAction::slow});
  CHECK(plan.stop.same_fingerprint == StopRule{1});
  CHECK(plan.stop.breaker_open == StopRule{1, StopAction::pause});
  CHECK(plan.stop.latency == StopRule{1.5});
  CHECK(plan.stop.live_lag == StopRule{60, StopAction::pause});
  CHECK(plan.stop.duration == StopRule{7200});
}

TEST_CASE("what is shown is read back as the same plan") {
  ReplayPlan other;
  other.selection.flow = "f";
  other.stop = {.failure_share = {0}, .same_fingerprint = {0}, .breaker_open = {0}};
  other.rate.start_per_second = 1.0 / 3;
  ReplayPlan by_steps;
  by_steps.rate.steps = {0.5, 20, 100};
  by_steps.rate.start_per_second = 0.5;
  by_steps.rate.max_per_second = 100;
  for (const ReplayPlan& plan : {whole(), ReplayPlan{}, other, by_steps}) {
    wire::JsonWriter json;
    write_replay_plan(json, plan);
    const std::string shown = std::move(json).take();
    CAPTURE(shown);
    const auto outcome = read_replay_plan(shown, kPlannedAt + 1h);
    REQUIRE_MESSAGE(outcome.plan, render(outcome.problems));
    CHECK(*outcome.plan == plan);
    CHECK(plan_hash(*outcome.plan, {}) == plan_hash(plan, {}));
  }
}

TEST_CASE("the hash is that of what the plan does, whoever made it") {
  ReplayPlan plan = whole();
  const std::string hash = plan_hash(plan, {});
  CHECK(hash.size() == 64);
  plan.actor = "local:somebody";
  plan.makers = {"somebody"};
  CHECK(plan_hash(plan, {}) == hash);
  plan.revisions = "another edit";
  CHECK(plan_hash(plan, {}) != hash);
  plan.revisions.clear();
  plan.rate.max_per_second = 41;
  CHECK(plan_hash(plan, {}) != hash);
}

TEST_CASE("what is wrong with a plan is told with its place") {
  struct Row {
    std::string text;
    std::string expected;  // of the first problem
  };
  const Row rows[] = {
      {"[]", "the plan must be a map of settings"},
      {"selektion: {}", "unknown setting 'selektion' in the plan"},
      {"rate: { start: 5 }", "'5' is no rate"},
      {"rate: { steps: [] }", "'steps' must be a list of 1 to 20 rates"},
      {"rate: { steps: [5/s, 5/s] }", "each of 'steps' must be above the one before"},
      {"rate: { steps: [5/s, fast] }", "'fast' is no rate"},
      {"rate: { steps: [5/s], max: 9/s }", "'steps' are the rates: leave 'max' out"},
      {"rate: { concurrency: 0 }", "'concurrency' must be from 1 to 10000"},
      {"selection: { class: permanant }", "unknown class 'permanant'"},
      {"selection: { since: yesterday }", "'yesterday' is neither a time nor a duration"},
      {"preconditions: {}", "'preconditions' must be a list"},
      {"preconditions: [{}]", "a check is a map of one kind"},
      {"preconditions: [{ breakerClosed: }]", "a check is a map of one kind"},
      {"preconditions: [{ noneInDoubt: false }]", "'noneInDoubt' is true, or is left out"},
      {"preconditions: [{ brakerClosed: {} }]",
       "unknown setting 'brakerClosed' in a check of 'preconditions'"},
      {"preconditions: [{ breakerClosed: {} }]",
       "'breakerClosed' of a check of 'preconditions' needs 'dependency'"},
      {"preconditions: [{ timeWindow: { from: 9, until: \"10:00\" } }]",
       "'9' is no time of the day"},
      {"preconditions: [{ http: { url: http://t, timeout: 1m } }]",
       "'timeout' must be at most 10.0 s"},
      {"verify: { checks: [{ flow: { name: f, is: paused } }] }",
       "unknown setting 'flow' in a check of 'checks'"},
      {"stop: { failureShare: { limit: 5, then: stopp } }", "'stopp' is not possible for 'then'"},
      {"stop: { latency: 5 }", "'latency' needs a unit"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto outcome = read_replay_plan(row.text, kPlannedAt);
    CHECK_FALSE(outcome.plan);
    REQUIRE(!outcome.problems.empty());
    CHECK(outcome.problems.front().message == row.expected);
    CHECK(outcome.problems.front().place.line == 1);
  }
}

}  // namespace
}  // namespace weir::config
