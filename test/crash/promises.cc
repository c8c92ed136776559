// SPDX-License-Identifier: Apache-2.0
#include "promises.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "recovery/explain.h"
#include "scenario.h"

namespace weir::crash {
namespace {

constexpr FlowName kFlows[] = {FlowName::orders, FlowName::feed};

std::span<const Call> calls(const Journal& journal) {
  return {journal.calls.data(), journal.count};
}

bool applied(const Call& call) { return call.status < 300; }

// Done, or never to be done: nothing follows such a call without an operator or a crash.
bool is_last(const Call& call) { return call.status != 503; }

template <class T>
T answer(Life& life, async::Task<Result<T>> task) {
  auto result = life.wait(std::move(task));
  REQUIRE(result);
  if (!result->ok()) FAIL(to_text(result->error()));
  return **std::move(result);
}

DeliveryRef ref_of(Life& life, FlowName flow, std::uint32_t event) {
  const auto name = flow == FlowName::orders ? "orders" : "feed";
  return {life.engine().find_flow(name)->id(),
          Position{life.engine().find_stream("s")->id, 0, event}};
}

void check_nothing_is_lost(const Journal& journal) {
  for (const FlowName flow : kFlows) {
    for (std::uint32_t event = 1; event <= kEvents; ++event) {
      CAPTURE(event);
      CAPTURE(static_cast<int>(flow));
      CHECK(journal.acknowledged[event]);
      const auto of_it = [&](const Call& call) { return call.flow == flow && call.event == event; };
      const bool was_called = std::ranges::any_of(calls(journal), of_it);
      const bool was_applied = std::ranges::any_of(
          calls(journal), [&](const Call& call) { return of_it(call) && applied(call); });
      const Ending ending = ending_of(flow, event);
      CHECK(was_applied == (ending == Ending::applied));
      CHECK(was_called == (ending != Ending::held));
    }
  }
}

void check_order(const Journal& journal) {
  std::map<std::uint32_t, std::uint32_t> last;
  for (const Call& call : calls(journal)) {
    if (call.flow != FlowName::orders) continue;
    CAPTURE(call.event);
    CHECK(last[key_of(call.event)] <= call.event);
    last[key_of(call.event)] = call.event;
  }
}

// A call repeats only for what was on its way when a life ended, under the same key.
void check_repeats(const Journal& journal, std::uint32_t crashes) {
  std::map<std::tuple<FlowName, std::uint32_t, std::uint32_t>, std::uint32_t> ends;
  std::map<std::tuple<FlowName, std::uint32_t, std::uint32_t, std::uint32_t>, std::uint32_t> once;
  std::map<std::pair<FlowName, std::uint32_t>, std::set<std::array<char, 32>>> keys;
  for (const Call& call : calls(journal)) {
    keys[{call.flow, call.event}].insert(call.key);
    if (!is_last(call)) continue;
    CAPTURE(call.event);
    CAPTURE(call.replay);
    CHECK(++once[{call.flow, call.event, call.replay, call.life}] == 1);
    CHECK(++ends[{call.flow, call.event, call.replay}] <= 1 + crashes);
  }
  for (const auto& [delivery, used] : keys) CHECK(used.size() == 1);
}

void check_quarantine(Life& life) {
  const auto rows = answer(life,
                           life.store().deliveries().list({.state = DeliveryState::quarantined}));
  std::set<DeliveryRef> expected;
  for (const FlowName flow : kFlows) {
    for (std::uint32_t event = 1; event <= kEvents; ++event) {
      if (ending_of(flow, event) == Ending::quarantined) expected.insert(ref_of(life, flow, event));
    }
  }
  std::set<DeliveryRef> found;
  for (const Delivery& row : rows) found.insert(row.ref);
  CHECK(found == expected);
  for (const Delivery& row : rows) {
    const auto explained = answer(
        life,
        recovery::explain(
            life.store(), life.clock(), life.live(), fmt::format("s#{}", row.ref.position.seq),
            row.ref.flow == ref_of(life, FlowName::orders, 1).flow ? "orders" : "feed"));
    REQUIRE(explained.deliveries.size() == 1);
    const recovery::DeliveryExplanation& why = explained.deliveries.front();
    CHECK(explained.event.has_value());  // its own copy, although the log is trimmed
    CHECK(why.state == DeliveryState::quarantined);
    REQUIRE(why.row);
    CHECK(why.row->history.size() >= 1);
    CHECK(why.row->history.back().note.find("409") != std::string::npos);  // rule and evidence
    CHECK(why.group.has_value());
    CHECK_FALSE(why.why.empty());
    CHECK_FALSE(why.next.empty());
  }
}

void check_replays(Life& life) {
  auto replays = answer(life, life.replays().list());
  std::erase_if(replays, [](const Replay& r) { return r.state == ReplayState::aborted; });
  REQUIRE(replays.size() == kReplays);
  for (const Replay& replay : replays) {
    CAPTURE(replay.plan.selection.flow);
    CHECK(replay.state == ReplayState::completed);
    const auto items = answer(life,
                              life.store().recovery().items(replay.id, std::nullopt, {}, 100));
    const auto in = [&](ItemState state) {
      return static_cast<std::uint64_t>(std::ranges::count(items, state, &ReplayItem::state));
    };
    const bool feed = replay.plan.selection.flow == "feed";
    CHECK(items.size() == (feed ? 4 : 2));
    CHECK(in(ItemState::succeeded) == (feed ? 3 : 2));
    CHECK(in(ItemState::failedAgain) == (feed ? 1 : 0));
    CHECK(replay.counts.planned == items.size());
    CHECK(replay.counts.succeeded == in(ItemState::succeeded));
    CHECK(replay.counts.failed_again == in(ItemState::failedAgain));
    CHECK(replay.counts.in_flight() == 0);
  }
}

// Nothing disappears: what an operator did is told once, and so is the end of every event.
void check_audit(Life& life) {
  const auto audit = answer(life, life.store().recovery().audit(~0ull >> 1, 1000));
  const auto count = [&](std::string_view action) {
    return std::ranges::count(audit, action, &AuditEntry::action);
  };
  CHECK(count("quarantine.resolve") == 1);
  CHECK(count("replay.start") == kReplays);
  CHECK(count("flow.pause") == 1);
  CHECK(count("stream.trim") == 1);
}

// Only what is open keeps its event.
void check_retention(Life& life) {
  for (const FlowName flow : kFlows) {
    for (std::uint32_t event = 1; event <= kEvents; ++event) {
      CAPTURE(event);
      CAPTURE(static_cast<int>(flow));
      const auto kept = answer(life, life.store().events().fetch({ref_of(life, flow, event)}));
      const Ending ending = ending_of(flow, event);
      CHECK(kept.size() == (ending == Ending::quarantined || ending == Ending::held ? 1 : 0));
    }
  }
}

}  // namespace

void check_promises(Life& life, const Journal& journal, std::uint32_t crashes) {
  check_nothing_is_lost(journal);
  check_order(journal);
  check_repeats(journal, crashes);
  check_quarantine(life);
  check_replays(life);
  check_audit(life);
  check_retention(life);
}

}  // namespace weir::crash
