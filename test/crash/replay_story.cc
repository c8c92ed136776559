// SPDX-License-Identifier: Apache-2.0
#include "replay_story.h"

#include <algorithm>
#include <set>
#include <span>

#include <fmt/format.h>

#include "ask.h"
#include "checks.h"
#include "recovery/quarantine.h"
#include "replay_promises.h"

namespace weir::crash {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// In flow feed, where everything fails until the repair; of orders, the first of each key does.
constexpr std::uint32_t kStagedUntil = 8;
constexpr std::uint32_t kFlakyMember = 5;                 // answers at its third call
const std::set<std::uint32_t> kAsBefore = {11, 12};       // no repair helps
const std::set<std::uint32_t> kOtherwise = {15, 17, 19};  // nor here: it fails in another way

Selection of_feed(std::uint32_t first, std::uint32_t last) {
  Selection selection{.flow = "feed"};
  for (std::uint32_t event = first; event <= last; ++event)
    selection.ids.push_back(fmt::format("s#{}", event));
  return selection;
}

PlanCheck health() {
  return {.kind = CheckKind::http, .subject = "http://d/healthz", .duration = seconds{1}};
}

ReplayPlan staged_plan() {
  ReplayPlan plan{.selection = of_feed(1, kStagedUntil), .reason = "staged"};
  plan.preconditions = {{.kind = CheckKind::breakerClosed, .subject = "d"},
                        {.kind = CheckKind::noneInDoubt},
                        health()};
  plan.rate = {.start_per_second = 50, .max_per_second = 50, .step = milliseconds{500}};
  plan.canary = {.count = 2, .hold = milliseconds{300}};
  plan.verify = {.nothing_returned = true, .checks = {health()}, .each_step = true};
  return plan;
}

ReplayPlan staged_slower_plan() {
  ReplayPlan plan = staged_plan();
  plan.rate.start_per_second = 4;
  plan.rate.concurrency = 2;
  return plan;
}

ReplayPlan stopping_plan() {
  ReplayPlan plan{.selection = of_feed(kStagedUntil + 1, kEvents), .reason = "stopping"};
  plan.rate = {.start_per_second = 5, .max_per_second = 50, .concurrency = 2};
  plan.canary = {.count = 2, .hold = milliseconds{300}};
  plan.stop.same_fingerprint = {2, StopAction::slow};
  plan.stop.failure_share = {25, StopAction::stop};
  return plan;
}

ReplayPlan aborted_plan() {
  ReplayPlan plan{.selection = {.flow = "orders"}, .reason = "aborted"};
  plan.canary = {.count = 3, .hold = seconds{10}};
  return plan;
}

ReplayPlan rest_plan() {
  ReplayPlan plan{.selection = {.flow = "orders"}, .reason = "rest"};
  plan.canary.count = 0;
  plan.verify = {.checks = {health()}};
  return plan;
}

// Of what was set aside while the first run took its neighbours.
ReplayPlan patient_plan() {
  ReplayPlan plan{.selection = of_feed(kSetAside, kSetAside), .reason = "patient"};
  plan.preconditions = {health()};
  return plan;
}

Step service_says(int status) {
  return [=](Life&, Journal& journal) {
    journal.health = status;
    return true;
  };
}

std::optional<Replay> look_at(Life& life, const std::string& name) {
  if (life.dead()) return std::nullopt;
  const auto known = ask(life, life.replays().list());
  return known ? find_replay(*known, name) : std::nullopt;
}

Step start(const std::string& name) {
  return say(name, ReplayState::running, {ReplayState::planned});
}

Step resume(const std::string& name) {
  return say(name, ReplayState::running, {ReplayState::paused, ReplayState::stopped});
}

Step refused(const std::string& name) {
  return [=](Life& life, Journal&) {
    const auto replay = look_at(life, name);
    if (!replay) return false;
    const auto done = life.wait(life.replays().command(replay->id, ReplayState::running,
                                                       {.actor = kActor, .reason = name}));
    if (!done || life.dead()) return false;
    REQUIRE_FALSE(done->ok());
    return done->error().code == Code::precondition_failed;
  };
}

Step let_wait(const std::string& name) {
  return [=](Life& life, Journal&) {
    const auto replay = look_at(life, name);
    if (!replay) return false;
    if (replay->waits_until != WallTime{}) return true;  // only the answer was lost
    return ask(life,
               life.replays().command(replay->id, ReplayState::running,
                                      {.actor = kActor, .reason = name}, "", std::chrono::hours{1}))
        .has_value();
  };
}

// By now it is so, and by itself.
Step comes_to(const std::string& name, ReplayState state) {
  return [=](Life& life, Journal& journal) {
    life.settle(seconds{60});
    const auto replay = look_at(life, name);
    if (!replay) return false;
    CAPTURE(name);
    CAPTURE(replay->state_reason);
    REQUIRE(to_text(replay->state) == to_text(state));
    journal.sent = replay->counts.sent;
    return true;
  };
}

// It stays so, in however many lives, and sends nothing more.
Step stays(const std::string& name, ReplayState state) {
  return [=](Life& life, Journal& journal) {
    life.pass(seconds{60});
    const auto replay = look_at(life, name);
    if (!replay) return false;
    CAPTURE(name);
    REQUIRE(to_text(replay->state) == to_text(state));
    REQUIRE(replay->counts.sent == journal.sent);
    return true;
  };
}

Step set_aside(std::uint32_t event, bool archived) {
  return [=](Life& life, Journal&) {
    const auto row = ask(life, life.store().deliveries().get(ref_of(life, FlowName::feed, event)));
    if (!row) return false;
    REQUIRE(row->has_value());
    if ((*row)->archived == archived) return true;
    const auto what = archived ? recovery::Settle::archive : recovery::Settle::restore;
    return ask(life, recovery::settle_quarantined(life.store(), life.clock(), life.live(), what,
                                                  of_feed(event, event),
                                                  {.actor = kActor, .reason = "look at it"}, false))
        .has_value();
  };
}

std::vector<Step> replay_steps() {
  using enum ReplayState;
  return {publish(1, 12),
          settle(milliseconds{4}),
          publish(11, 24),
          settle(seconds{30}),
          plan(staged_plan()),
          service_says(503),
          refused("staged"),
          service_says(200),
          edit(staged_slower_plan()),
          repair,
          start("staged"),
          settle(milliseconds{100}),
          say("staged", paused, {canary, running}),
          comes_to("staged", paused),
          set_aside(kSetAside, true),
          set_aside(kRestored, true),
          set_aside(kRestored, false),
          trim,
          stays("staged", paused),
          resume("staged"),
          settle(seconds{1}),
          comes_to("staged", completed),
          set_aside(kSetAside, false),
          plan(stopping_plan()),
          start("stopping"),
          comes_to("stopping", stopped),
          stays("stopping", stopped),
          resume("stopping"),
          comes_to("stopping", completed),
          plan(aborted_plan()),
          start("aborted"),
          settle(milliseconds{2}),
          say("aborted", aborted, {canary, running, stopped}),
          comes_to("aborted", aborted),
          stays("aborted", aborted),
          plan(rest_plan()),
          service_says(0),
          start("rest"),
          comes_to("rest", paused),
          stays("rest", paused),
          service_says(200),
          resume("rest"),
          comes_to("rest", completed),
          plan(patient_plan()),
          service_says(503),
          let_wait("patient"),
          comes_to("patient", planned),
          stays("patient", planned),
          service_says(200),
          settle(seconds{10}),
          comes_to("patient", completed)};
}

int answer_in_replays(const Journal& journal, FlowName flow, std::uint32_t event) {
  if (!journal.fixed) return 422;
  if (flow == FlowName::orders) return 200;
  if (kAsBefore.contains(event)) return 422;
  if (kOtherwise.contains(event)) return 409;
  const auto calls = std::span(journal.calls).first(journal.count);
  const auto replayed = std::ranges::count_if(calls, [&](const Call& call) {
    return call.flow == flow && call.event == event && call.replay > 0;
  });
  return event == kFlakyMember && replayed < 3 ? 503 : 200;
}

Config config_of_replays() {
  Config config = config_of_flows();
  config.dependencies[0].policy.concurrency.max_parallel_requests = 2;
  config.flows[0].idempotent = false;  // orders: what was on its way at a crash is in doubt
  return config;
}

}  // namespace

const Story& replay_story() {
  static const Story story = {.config = config_of_replays(),
                              .answer = answer_in_replays,
                              .steps = replay_steps(),
                              .check = check_replay_promises};
  return story;
}

}  // namespace weir::crash
