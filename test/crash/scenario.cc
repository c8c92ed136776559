// SPDX-License-Identifier: Apache-2.0
#include "scenario.h"

#include <functional>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "model/event.h"
#include "ports/dedupe_hash.h"
#include "recovery/quarantine.h"

namespace weir::crash {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::uint32_t kResolved = 7;      // in flow orders
constexpr std::uint32_t kBrokenOrder = 14;  // no repair helps
constexpr std::uint32_t kBrokenFeed = 10;
const std::set<std::uint32_t> kBadOrders = {2, 7, 9};  // until the repair
const std::set<std::uint32_t> kBadFeed = {3, 5, 8};
const std::set<std::uint32_t> kFlaky = {4, 11, 13};  // answer at their third call
constexpr const char* kActor = "local:test";

// True when the step is done; false when the life ended.
using Step = std::function<bool(Life&, Journal&)>;

std::string name_of(FlowName flow) { return flow == FlowName::orders ? "orders" : "feed"; }

ports::NewEvent new_event(std::uint32_t number, const std::string& data) {
  const std::string id = fmt::format("e{}", number);
  const std::string subject = fmt::format("k{}", key_of(number));
  const Event event{.id = id,
                    .source = "/test",
                    .type = "test.happened",
                    .subject = subject,
                    .data = data,
                    .has_data = true};
  return {ports::dedupe_hash(event.source, event.id), encode_event(event)};
}

// As a client does it: again, until there is an answer. What was stored before is a duplicate then.
Step publish(std::uint32_t first, std::uint32_t last) {
  return [=](Life& life, Journal& journal) {
    const StreamId stream = life.engine().find_stream("s")->id;
    ports::AppendEvents append{stream, {}, life.clock().wall()};
    for (std::uint32_t number = first; number <= last; ++number)
      append.events.push_back(new_event(number, "{}"));
    append.events.push_back(new_event(first, R"({"other":"content"})"));
    ports::WriteBatch batch{.lane = ports::Lane::ingest};
    batch.mutations.emplace_back(std::move(append));
    const auto receipt = life.wait(life.store().writer().commit(std::move(batch)));
    if (!receipt) return false;
    if (!receipt->ok()) {
      journal.refused += receipt->error().code == Code::store_full;
      return false;
    }
    const auto& results = (*receipt)->appended;
    REQUIRE(results.size() == last - first + 2);
    for (std::uint32_t number = first; number <= last; ++number) {
      REQUIRE(results[number - first].status != ports::AppendStatus::conflict);
      REQUIRE(results[number - first].seq == number);
      journal.acknowledged[number] = true;
    }
    REQUIRE(results.back().status == ports::AppendStatus::conflict);
    life.engine().appended((*receipt)->stored);
    return true;
  };
}

Step settle(Duration limit) {
  return [=](Life& life, Journal&) {
    life.settle(limit);
    return !life.dead();
  };
}

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
      Selection{.flow = "orders", .ids = {fmt::format("s#{}", kResolved)}}, "done by hand", kActor,
      false));
  return done && done->ok();
}

bool repair(Life&, Journal& journal) {
  journal.fixed = true;
  return true;
}

const Replay* replay_of(const std::vector<Replay>& replays, FlowName flow) {
  for (const Replay& replay : replays) {
    const bool counts = replay.state != ReplayState::planning &&
                        replay.state != ReplayState::aborted;
    if (counts && replay.plan.selection.flow == name_of(flow)) return &replay;
  }
  return nullptr;
}

Step plan(FlowName flow) {
  return [=](Life& life, Journal&) {
    const auto known = life.wait(life.replays().list());
    if (!known || !known->ok()) return false;
    if (replay_of(**known, flow) != nullptr) return true;
    ReplayPlan plan{.selection = {.flow = name_of(flow)}, .reason = "repaired", .actor = kActor};
    plan.canary = {.count = 1, .hold = milliseconds{100}};
    plan.rate = {.start_per_second = 5, .max_per_second = 50, .concurrency = 2};
    plan.stop = {.failure_share = {90}, .same_fingerprint = {0}};
    const auto made = life.wait(life.replays().plan(plan));
    return made && made->ok();
  };
}

Step start(FlowName flow) {
  return [=](Life& life, Journal&) {
    const auto known = life.wait(life.replays().list());
    if (!known || !known->ok()) return false;
    const Replay* replay = replay_of(**known, flow);
    REQUIRE(replay != nullptr);
    if (replay->state != ReplayState::planned) return true;
    const auto done = life.wait(
        life.replays().command(replay->id, ReplayState::running, "go", kActor));
    return done && done->ok();
  };
}

// Past the retention of the stream: what is settled goes, what is open stays.
bool trim(Life& life, Journal&) {
  life.pass(hours{2});
  for (;;) {
    const auto more = life.wait(life.engine().trim_step());
    if (!more || life.dead()) return false;
    if (!*more) return true;
  }
}

const std::vector<Step>& script() {
  static const std::vector<Step> steps = {
      publish(1, 6),
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
      plan(FlowName::orders),
      start(FlowName::orders),
      settle(milliseconds{50}),
      publish(18, 24),
      settle(seconds{60}),
      plan(FlowName::feed),
      start(FlowName::feed),
      settle(seconds{60}),
      trim,
  };
  return steps;
}

}  // namespace

std::uint32_t key_of(std::uint32_t event) { return event % 4; }

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

std::string problem_of(FlowName flow, std::uint32_t event) {
  return fmt::format(R"({{"type":"urn:test:{}","title":"cannot do it","event":{}}})", name_of(flow),
                     event);
}

Ending ending_of(FlowName flow, std::uint32_t event) {
  if (flow == FlowName::feed) return event == kBrokenFeed ? Ending::quarantined : Ending::applied;
  if (event == kResolved) return Ending::resolved;
  if (event == kBrokenOrder) return Ending::quarantined;
  const bool behind = event > kBrokenOrder && key_of(event) == key_of(kBrokenOrder);
  return behind ? Ending::held : Ending::applied;
}

Config scenario_config() {
  Config config;
  config.streams = {{.name = "s", .retention = hours{1}}};
  config.dependencies = {{.name = "d", .url = "http://127.0.0.1:1"}};
  config.dependencies[0].policy.circuit_breaker.enabled = false;
  config.dependencies[0].policy.concurrency.max_parallel_requests = 4;
  for (const FlowName name : {FlowName::orders, FlowName::feed}) {
    FlowSpec flow{.name = name_of(name), .stream = "s", .dependency = "d"};
    if (name == FlowName::orders) flow.ordering_key = "subject";
    flow.policy.retry.max_attempts = 3;
    flow.policy.retry.back_off.max_interval = seconds{2};
    config.flows.push_back(std::move(flow));
  }
  return config;
}

bool publish_all(Life& life, Journal& journal) { return publish(1, kEvents)(life, journal); }

std::uint32_t script_length() { return static_cast<std::uint32_t>(script().size()); }

bool run_script(Life& life, Journal& journal) {
  return run_script_until(life, journal, script_length());
}

bool run_script_until(Life& life, Journal& journal, std::uint32_t end) {
  while (journal.step < end) {
    if (life.dead() || !script()[journal.step](life, journal)) return false;
    ++journal.step;
  }
  return !life.dead();
}

}  // namespace weir::crash
