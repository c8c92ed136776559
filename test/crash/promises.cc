// SPDX-License-Identifier: Apache-2.0
#include "promises.h"

#include <algorithm>
#include <set>
#include <span>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ask.h"
#include "checks.h"
#include "recovery/explain.h"
#include "scenario.h"

namespace weir::crash {
namespace {

constexpr FlowName kFlows[] = {FlowName::orders, FlowName::feed};
constexpr std::uint32_t kReplays = 2;

std::span<const Call> calls(const Journal& journal) {
  return {journal.calls.data(), journal.count};
}

bool applied(const Call& call) { return call.status < 300; }

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
    const bool feed = replay.plan.selection.flow == "feed";
    CHECK(replay.counts.planned == (feed ? 4 : 2));
    CHECK(replay.counts.succeeded == (feed ? 3 : 2));
    CHECK(replay.counts.failed_again == (feed ? 1 : 0));
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
  check_calls(journal, crashes);
  check_quarantine(life);
  check_replays(life);
  check_sums(life);
  check_chain(life);
  check_audit(life);
  check_retention(life);
}

}  // namespace weir::crash
