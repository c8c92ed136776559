// SPDX-License-Identifier: Apache-2.0
#include "story.h"

#include <algorithm>

#include <fmt/format.h>

#include "ask.h"
#include "model/event.h"
#include "ports/dedupe_hash.h"

namespace weir::crash {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

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

// The newest of its name, but for plans whose making a crash cut short.
bool is_known_as(const Replay& replay, const std::string& name) {
  const bool half_made = replay.state == ReplayState::planning || replay.counts.planned == 0 ||
                         (replay.state == ReplayState::aborted && replay.state_reason != name);
  return replay.plan.reason == name && !half_made;
}

}  // namespace

std::string name_of(FlowName flow) { return flow == FlowName::orders ? "orders" : "feed"; }

std::uint32_t key_of(std::uint32_t event) { return event % 4; }

Config config_of_flows() {
  Config config;
  config.streams = {{.name = "s", .retention = hours{1}}};
  config.dependencies = {{.name = "d", .url = "http://127.0.0.1:1"}};
  for (const FlowName name : {FlowName::orders, FlowName::feed}) {
    FlowSpec flow{.name = name_of(name), .stream = "s", .dependency = "d"};
    if (name == FlowName::orders) flow.ordering_key = "subject";
    flow.policy.retry.max_attempts = 3;
    flow.policy.retry.back_off.max_interval = seconds{2};
    config.flows.push_back(std::move(flow));
  }
  return config;
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

bool publish_all(Life& life, Journal& journal) { return publish(1, kEvents)(life, journal); }

Step settle(Duration limit) {
  return [=](Life& life, Journal&) {
    life.settle(limit);
    return !life.dead();
  };
}

bool repair(Life&, Journal& journal) {
  journal.fixed = true;
  return true;
}

bool trim(Life& life, Journal&) {
  life.pass(hours{2});
  for (;;) {
    const auto more = life.wait(life.engine().trim_step());
    if (!more || life.dead()) return false;
    if (!*more) return true;
  }
}

std::optional<Replay> find_replay(const std::vector<Replay>& replays, const std::string& name) {
  for (const Replay& replay : replays) {
    if (is_known_as(replay, name)) return replay;
  }
  return std::nullopt;
}

Step plan(ReplayPlan plan) {
  plan.actor = kActor;
  return [=](Life& life, Journal&) {
    const auto known = ask(life, life.replays().list());
    if (!known) return false;
    return find_replay(*known, plan.reason) || ask(life, life.replays().plan(plan));
  };
}

Step edit(ReplayPlan plan) {
  plan.actor = kActor;
  return [=](Life& life, Journal&) {
    const auto known = ask(life, life.replays().list());
    if (!known) return false;
    const auto replay = find_replay(*known, plan.reason);
    REQUIRE(replay);
    return replay->plan == plan || ask(life, life.replays().edit(replay->id, plan));
  };
}

Step say(std::string name, ReplayState wanted, std::vector<ReplayState> to) {
  return [=](Life& life, Journal&) {
    const auto known = ask(life, life.replays().list());
    if (!known) return false;
    const auto replay = find_replay(*known, name);
    REQUIRE(replay);
    if (std::ranges::find(to, replay->state) == to.end()) return true;
    // An aborted plan is known by its reason, too.
    return ask(life, life.replays().command(replay->id, wanted, {.actor = kActor, .reason = name}))
        .has_value();
  };
}

bool run_script(Life& life, Journal& journal) {
  return run_script_until(life, journal, static_cast<std::uint32_t>(life.story().steps.size()));
}

bool run_script_until(Life& life, Journal& journal, std::uint32_t end) {
  while (journal.step < end) {
    if (life.dead() || !life.story().steps[journal.step](life, journal)) return false;
    ++journal.step;
  }
  return !life.dead();
}

}  // namespace weir::crash
