// SPDX-License-Identifier: Apache-2.0
#include "replay_promises.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <doctest/doctest.h>

#include "ask.h"
#include "checks.h"
#include "recovery/references.h"
#include "replay_story.h"

namespace weir::crash {
namespace {

struct Run {
  const char* name;
  ReplayState state;
  ReplayCounts counts;
  std::map<std::string, std::uint32_t> audit;  // how often each word was said
};

// Of flow feed: nothing is in doubt there.
const std::vector<Run>& runs_of_feed() {
  static const std::vector<Run> runs = {
      {"staged",
       ReplayState::completed,
       {.planned = 8, .sent = 7, .succeeded = 7, .skipped = 1},
       {{"replay.plan", 1},
        {"replay.edit", 1},
        {"replay.start", 1},
        {"replay.pause", 1},
        {"replay.resume", 1},
        {"replay.canary_passed", 1},
        {"replay.complete", 1}}},
      {"stopping",
       ReplayState::completed,
       {.planned = 16, .sent = 16, .succeeded = 11, .failed_again = 5},
       {{"replay.plan", 1},
        {"replay.start", 1},
        {"replay.canary_passed", 1},
        {"replay.stop", 1},
        {"replay.resume", 1},
        {"replay.complete", 1}}},
      {"patient",
       ReplayState::completed,
       {.planned = 1, .sent = 1, .succeeded = 1},
       {{"replay.plan", 1}, {"replay.wait", 1}, {"replay.start", 1}, {"replay.complete", 1}}},
  };
  return runs;
}

using Words = std::map<std::string, std::map<std::string, std::uint32_t>>;  // by target, by action

Words words_of(Life& life) {
  Words words;
  for (const AuditEntry& entry : answer(life, life.store().recovery().audit(~0ull >> 1, 1000)))
    ++words[entry.target][entry.action];
  return words;
}

Replay run_of(Life& life, const std::string& name) {
  const auto replay = find_replay(answer(life, life.replays().list()), name);
  REQUIRE(replay);
  return *replay;
}

void check_runs_of_feed(Life& life, const Words& words, std::uint32_t crashes) {
  for (const Run& expected : runs_of_feed()) {
    CAPTURE(expected.name);
    Replay run = run_of(life, expected.name);
    CHECK(run.state == expected.state);
    run.counts.same_fingerprint = 0;  // what was on its way at a crash is not known to be the same
    CHECK(run.counts == expected.counts);
    auto said = words.at(recovery::to_text(run.id));
    const std::uint32_t refused = said["replay.refused"];  // by every life that asked
    const bool asked_in_vain = !run.plan.preconditions.empty() && !said.contains("replay.wait");
    CHECK(refused >= (asked_in_vain ? 1 : 0));
    CHECK(refused <= (asked_in_vain ? 1 + crashes : 0));
    // A crash in between may hide that something came back, or let it be seen once more.
    const bool slows = run.plan.stop.same_fingerprint.then == StopAction::slow;
    CHECK((slows ? said["replay.slow"] == 1 || crashes > 0 : said["replay.slow"] == 0));
    said.erase("replay.refused");
    said.erase("replay.slow");
    CHECK(said == expected.audit);
  }
}

// What a crash leaves in doubt comes back into quarantine; how much that is depends on the crash.
void check_runs_of_orders(Life& life, const Words& words, std::uint32_t crashes) {
  const Replay aborted = run_of(life, "aborted");
  CHECK(aborted.state == ReplayState::aborted);
  CHECK(aborted.counts.planned == 4);
  CHECK(aborted.counts.sent == 3);
  CHECK(aborted.counts.failed_again == 0);
  CHECK(aborted.counts.in_doubt <= 2 * crashes);  // as many as are called at once
  CHECK(words.at(recovery::to_text(aborted.id)).at("replay.abort") == 1);
  const Replay rest = run_of(life, "rest");
  CHECK(rest.state == ReplayState::completed);
  CHECK(rest.counts.sent == rest.counts.planned);
  CHECK(rest.counts.failed_again == 0);
  CHECK(words.at(recovery::to_text(rest.id)).at("replay.pause") == 1);
  CHECK(words.at(recovery::to_text(rest.id)).at("replay.resume") == 1);
  if (crashes > 0) return;
  const auto audit = answer(life, life.store().recovery().audit(~0ull >> 1, 1000));
  const auto abort = std::ranges::find(audit, "replay.abort", &AuditEntry::action);
  CHECK(abort->detail.starts_with("sent 3 succeeded 0 failed again 0"));  // all three in flight
  CHECK(aborted.counts.succeeded == 3);
  CHECK(rest.counts.succeeded == 1);
}

// A handler that is not idempotent is called once in a release, whatever happens.
void check_orders_called_once(const Journal& journal) {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> calls;
  for (const Call& call : std::span(journal.calls).first(journal.count)) {
    if (call.flow != FlowName::orders) continue;
    CAPTURE(call.event);
    CAPTURE(call.replay);
    CHECK(++calls[{call.event, call.replay}] == 1);
  }
}

std::map<DeliveryRef, Delivery> quarantined(Life& life) {
  std::map<DeliveryRef, Delivery> rows;
  for (Delivery& row :
       answer(life, life.store().deliveries().list({.state = DeliveryState::quarantined})))
    rows.emplace(row.ref, std::move(row));
  return rows;
}

bool was_applied(const Journal& journal, FlowName flow, std::uint32_t event) {
  return std::ranges::any_of(std::span(journal.calls).first(journal.count), [&](const Call& call) {
    return call.flow == flow && call.event == event && call.status == 200;
  });
}

// Every event was applied or is in quarantine with its own copy; of orders, in doubt or behind one
// that is.
void check_every_event(Life& life, const Journal& journal) {
  const std::set<std::uint32_t> left = {11, 12, 15, 17, 19};
  const auto rows = quarantined(life);
  std::set<std::uint32_t> held;  // keys
  for (std::uint32_t event = 1; event <= kEvents; ++event) {
    CAPTURE(event);
    CHECK(journal.acknowledged[event]);
    CHECK(rows.contains(ref_of(life, FlowName::feed, event)) == left.contains(event));
    CHECK(was_applied(journal, FlowName::feed, event) != left.contains(event));
    const DeliveryRef order = ref_of(life, FlowName::orders, event);
    if (rows.contains(order)) {
      CHECK(rows.at(order).in_doubt);
      held.insert(key_of(event));
    } else {
      CHECK(was_applied(journal, FlowName::orders, event) != held.contains(key_of(event)));
    }
    for (const FlowName flow : {FlowName::feed, FlowName::orders}) {
      const DeliveryRef ref = ref_of(life, flow, event);
      const bool open = rows.contains(ref) ||
                        (flow == FlowName::orders && held.contains(key_of(event)));
      CHECK(answer(life, life.store().events().fetch({ref})).size() == (open ? 1 : 0));
    }
  }
}

// A delivery counts the replays that sent it.
void check_releases(Life& life) {
  std::map<DeliveryRef, std::uint32_t> sent;
  for (const Replay& replay : answer(life, life.replays().list())) {
    for (const ReplayItem& item :
         answer(life, life.store().recovery().items(replay.id, std::nullopt, {}, 100)))
      sent[item.ref] += item.state != ItemState::planned && item.state != ItemState::skipped;
  }
  for (const auto& [ref, row] : quarantined(life)) {
    CAPTURE(ref.position.seq);
    CHECK(row.replays == sent[ref]);
    CHECK_FALSE(row.archived);
  }
}

}  // namespace

void check_replay_promises(Life& life, const Journal& journal, std::uint32_t crashes) {
  check_order(journal);
  check_calls(journal, crashes);
  check_orders_called_once(journal);
  check_every_event(life, journal);
  check_sums(life);
  check_chain(life);
  check_releases(life);
  const Words words = words_of(life);
  check_runs_of_feed(life, words, crashes);
  check_runs_of_orders(life, words, crashes);
  for (const std::uint32_t event : {kSetAside, kRestored}) {
    CHECK(words.at(fmt::format("s#{}", event)).at("quarantine.archive") == 1);
    CHECK(words.at(fmt::format("s#{}", event)).at("quarantine.restore") == 1);
  }
  CHECK(words.at("s").at("stream.trim") == 1);
}

}  // namespace weir::crash
