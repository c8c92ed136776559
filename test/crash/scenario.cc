// SPDX-License-Identifier: Apache-2.0
#include "scenario.h"

#include <set>

#include <fmt/format.h>

#include "ask.h"
#include "promises.h"
#include "recovery/quarantine.h"

namespace weir::crash {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kResolved = 7;      // in flow orders
constexpr std::uint32_t kBrokenOrder = 14;  // no repair helps
constexpr std::uint32_t kBrokenFeed = 10;
const std::set<std::uint32_t> kBadOrders = {2, 7, 9};  // until the repair
const std::set<std::uint32_t> kBadFeed = {3, 5, 8};
const std::set<std::uint32_t> kFlaky = {4, 11, 13};  // answer at their third call

Step set_active(FlowName flow, bool active) {
  return [=](Life& life, Journal&) {
    const delivery::Flow* known = life.engine().find_flow(name_of(flow));
    if (known->active() == active) return true;  // the answer was lost, not the change
    const auto done = life.wait(active ? life.engine().resume(name_of(flow), "go on", kActor)
                                       : life.engine().pause(name_of(flow), "wait", kActor));
    return done && done->ok();
  };
}

bool resolve(Life& life, Journal&) {
  const DeliveryRef ref{life.engine().find_flow("orders")->id(),
                        Position{life.engine().find_stream("s")->id, 0, kResolved}};
  const auto row = life.wait(life.store().deliveries().get(ref));
  if (!row || !row->ok()) return false;
  REQUIRE((*row)->has_value());
  if ((**row)->state == DeliveryState::resolved) return true;
  REQUIRE((**row)->state == DeliveryState::quarantined);
  const auto done = life.wait(recovery::settle_quarantined(
      life.store(), life.clock(), life.live(), recovery::Settle::resolve,
      Selection{.flow = "orders", .ids = {fmt::format("s#{}", kResolved)}},
      {.actor = kActor, .reason = "done by hand"}, false));
  return done && done->ok();
}

Step plan_all(FlowName flow) {
  ReplayPlan all{.selection = {.flow = name_of(flow)}, .reason = name_of(flow)};
  all.canary = {.count = 1, .hold = milliseconds{100}};
  all.rate = {.start_per_second = 5, .max_per_second = 50, .concurrency = 2};
  all.stop = {.failure_share = {90}, .same_fingerprint = {0}};
  return plan(std::move(all));
}

Step start(FlowName flow) {
  return say(name_of(flow), ReplayState::running, {ReplayState::planned});
}

int answer_of(const Journal& journal, FlowName flow, std::uint32_t event) {
  const bool feed = flow == FlowName::feed;
  if (event == (feed ? kBrokenFeed : kBrokenOrder)) return 409;
  if (!journal.fixed && (feed ? kBadFeed : kBadOrders).contains(event)) return 422;
  if (!feed && kFlaky.contains(event)) {
    std::uint32_t calls = 0;
    for (std::uint32_t i = 0; i < journal.count; ++i)
      calls += journal.calls[i].flow == flow && journal.calls[i].event == event;
    if (calls < 3) return 503;
  }
  return 200;
}

std::vector<Step> delivery_steps() {
  return {publish(1, 6),
          settle(milliseconds{4}),
          publish(4, 12),
          settle(milliseconds{500}),
          set_active(FlowName::feed, false),
          publish(11, 18),
          settle(seconds{1}),
          set_active(FlowName::feed, true),
          settle(seconds{30}),
          resolve,
          settle(seconds{1}),
          repair,
          plan_all(FlowName::orders),
          start(FlowName::orders),
          settle(milliseconds{50}),
          publish(18, 24),
          settle(seconds{60}),
          plan_all(FlowName::feed),
          start(FlowName::feed),
          settle(seconds{60}),
          trim};
}

Config config_of_delivery() {
  Config config = config_of_flows();
  config.dependencies[0].policy.circuit_breaker.enabled = false;
  config.dependencies[0].policy.concurrency.max_parallel_requests = 4;
  return config;
}

}  // namespace

const Story& delivery_story() {
  static const Story story = {.config = config_of_delivery(),
                              .answer = answer_of,
                              .steps = delivery_steps(),
                              .check = check_promises};
  return story;
}

Ending ending_of(FlowName flow, std::uint32_t event) {
  if (flow == FlowName::feed) return event == kBrokenFeed ? Ending::quarantined : Ending::applied;
  if (event == kResolved) return Ending::resolved;
  if (event == kBrokenOrder) return Ending::quarantined;
  const bool behind = event > kBrokenOrder && key_of(event) == key_of(kBrokenOrder);
  return behind ? Ending::held : Ending::applied;
}

}  // namespace weir::crash
