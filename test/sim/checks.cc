// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "recount.h"
#include "sim_config.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

using engine_test::Process;

std::string name_of(const DeliveryRef& ref) {
  return fmt::format("flow {} s#{}", ref.flow.value, ref.position.seq);
}

template <class T>
std::optional<T> asked(Process& process, Journal& journal, async::Task<Result<T>> task) {
  auto result = process.wait(std::move(task));
  if (!result) return std::nullopt;
  if (result->ok()) return **std::move(result);
  if (result->error().code != Code::store_failed)
    journal.fail("a question to the store: " + to_text(result->error()));
  return std::nullopt;
}

void check_row(const Delivery& row, std::uint32_t most_interruptions, Journal& journal) {
  const std::string who = name_of(row.ref);
  const auto must = [&](bool holds, std::string_view what) {
    if (!holds) journal.fail(fmt::format("{} ({}): {}", who, to_text(row.state), what));
  };
  must(row.state != DeliveryState::held && row.state != DeliveryState::filtered,
       "is no row's state");
  must(row.attempts_this_round <= kMaxAttempts, "too many attempts in this round");
  must(row.interruptions <= most_interruptions, "too many interruptions");
  if (row.state == DeliveryState::quarantined) {
    must(bool{row.group}, "has no group");
    must(!row.reason.empty() && !row.history.empty(), "is not explained");
  }
  if (row.state == DeliveryState::waiting) must(row.due != WallTime{}, "waits for nothing");
  if (is_settled(row.state))
    must(!row.replay || row.state == DeliveryState::done, "is in a replay");
}

void check_course(const Delivery& before, const Delivery& row, Journal& journal) {
  const std::string who = name_of(row.ref);
  if (is_settled(before.state) && row.state != before.state)
    journal.fail(
        fmt::format("{} was {} and is {}", who, to_text(before.state), to_text(row.state)));
  if (row.attempts < before.attempts || row.replays < before.replays)
    journal.fail(who + " has forgotten attempts");
}

// Retention may take what was settled meanwhile; whoever settled it may hear of that later.
void check_gone(Process& process, const std::map<DeliveryRef, Delivery>& now, Seen& seen,
                Journal& journal) {
  for (const OneOf& one : std::exchange(seen.gone, {})) {
    if (!journal.closed.contains(one) && !journal.answered.contains(one))
      journal.fail(fmt::format("{} e{} was open and is gone", one.first, one.second));
  }
  const auto streams = asked(process, journal, process.store().flows().streams());
  if (!streams || streams->empty()) return;
  for (const auto& [ref, before] : seen.rows) {
    if (!is_open(before.state) || now.contains(ref)) continue;
    const delivery::Flow* flow = process.engine().find_flow(ref.flow);
    if (ref.position.seq >= streams->front().first_seq)
      journal.fail(fmt::format("{} was {} and is gone", name_of(ref), to_text(before.state)));
    else if (flow != nullptr)
      seen.gone.insert({flow->spec().name, number_of(before.event_id)});
  }
}

// What is new since the last look.
void note_row(const Delivery* before, const Delivery& row, std::uint64_t first_seq,
              Journal& journal) {
  const bool was_trimmed = before != nullptr && is_open(before->state) &&
                           before->ref.position.seq < first_seq;
  if (is_open(row.state) && row.ref.position.seq < first_seq && !was_trimmed)
    journal.sometimes.reached(Rare::trimmedBesideOpen);
  if (row.interruptions > (before == nullptr ? 0 : before->interruptions))
    journal.sometimes.reached(Rare::interrupted);
}

void note_replay(const Replay* before, const Replay& replay, Journal& journal) {
  if (before != nullptr && before->state == replay.state) return;
  if (replay.state == ReplayState::stopped) journal.sometimes.reached(Rare::replayStopped);
  if (replay.state == ReplayState::completed && replay.counts.sent > 0)
    journal.sometimes.reached(Rare::replayCompleted);
}

// A run that somebody halted goes on when somebody says so, and claims nothing until then.
// `word`: what had been said before anything was read.
void check_replay(const Seen& seen, const Replay& replay, const ReplayWord& word,
                  Journal& journal) {
  const std::string who = fmt::format("r{} ({})", replay.id.value, to_text(replay.state));
  const std::uint32_t resumes = journal.replays[replay.id.value].resumes;
  if (word.halted && is_running(replay.state) && resumes == word.resumes)
    journal.fail(fmt::format("{} was told: {}", who, to_text(*word.halted)));
  if (word.halted == ReplayState::aborted && replay.state != ReplayState::aborted)
    journal.fail(who + " was aborted");
  const auto before = seen.replays.find(replay.id);
  if (before == seen.replays.end()) return;
  const ReplayState was = before->second.state;
  if (is_over(was) && replay.state != was)
    journal.fail(fmt::format("{} was {}", who, to_text(was)));
  const auto then = seen.resumes.find(replay.id);
  const bool told_to_go = then == seen.resumes.end() || then->second != resumes;
  const bool claimed = replay.counts.sent > before->second.counts.sent;
  const bool halted = is_over(was) || (was == ReplayState::paused && !told_to_go);
  if (halted && (claimed || is_running(replay.state)))
    journal.fail(fmt::format("{} was {}, and went on by itself", who, to_text(was)));
}

// What an operator sees paused stays so.
void note_paused(Process& process, Journal& journal) {
  const MonoTime now = process.clock().mono();
  for (const delivery::FlowView& view : process.engine().flow_views()) {
    const bool stands = view.record->status == FlowStatus::paused && journal.resuming == 0;
    if (stands) journal.paused.try_emplace(view.spec->name, now);
    if (!stands) journal.paused.erase(view.spec->name);
  }
}

// What waits on the disk, and until when.
void note_due(Process& process, const std::vector<Delivery>& rows, Journal& journal) {
  journal.due.clear();
  for (const Delivery& row : rows) {
    const delivery::Flow* flow = process.engine().find_flow(row.ref.flow);
    if (row.state != DeliveryState::waiting || flow == nullptr) continue;
    journal.due[{flow->spec().name, number_of(row.event_id), row.replay.value}] = row.due;
  }
}

void note_guards(Process& process, Journal& journal) {
  if (process.pace().shared() > 0) journal.sometimes.reached(Rare::commitsShared);
  delivery::Dispatcher* service = process.engine().find_dispatcher("d");
  const MonoTime now = process.clock().mono();
  if (service != nullptr &&
      service->guardrails().worst_breaker(now).state(now) == policy::Breaker::State::open)
    journal.sometimes.reached(Rare::breakerOpen);
  if (service != nullptr && service->guardrails().denials(Guardrail::retryBudget) > 0)
    journal.sometimes.reached(Rare::budgetSpent);
  for (const delivery::FlowView& view : process.engine().flow_views()) {
    if (view.held >= 2) journal.sometimes.reached(Rare::keyHeld);
    if (view.record->cause == PauseCause::deadLetterBrake)
      journal.sometimes.reached(Rare::brakePulled);
  }
}

void check_counts(const Replay& replay, Journal& journal) {
  const ReplayCounts& counts = replay.counts;
  const bool adds_up = counts.sent + counts.skipped <= counts.planned &&
                       counts.succeeded + counts.failed_again + counts.in_doubt <= counts.sent;
  if (!adds_up) journal.fail(fmt::format("r{}: its counts do not add up", replay.id.value));
  if (counts.in_flight() > replay.plan.rate.concurrency)
    journal.fail(fmt::format("r{}: {} on their way of {}", replay.id.value, counts.in_flight(),
                             replay.plan.rate.concurrency));
}

}  // namespace

void look(Process& process, Journal& journal, Seen& seen) {
  std::map<std::uint32_t, ReplayWord> words = journal.replays;
  const auto rows = asked(process, journal, process.store().deliveries().list({.limit = 1000}));
  if (!rows) return;
  const auto replays = asked(process, journal, process.store().recovery().replays());
  if (!replays) return;
  std::map<DeliveryRef, Delivery> now;
  const std::uint64_t first_seq = process.engine().find_stream("s")->first_seq;
  for (const Delivery& row : *rows) {
    const delivery::Flow* flow = process.engine().find_flow(row.ref.flow);
    check_row(row, flow == nullptr ? ~0u : flow->spec().policy.retry.max_interruptions, journal);
    const auto before = seen.rows.find(row.ref);
    if (before != seen.rows.end()) check_course(before->second, row, journal);
    note_row(before == seen.rows.end() ? nullptr : &before->second, row, first_seq, journal);
    now.emplace(row.ref, row);
  }
  check_gone(process, now, seen, journal);
  for (const Replay& replay : *replays) {
    check_counts(replay, journal);
    const ReplayWord word = words[replay.id.value];
    check_replay(seen, replay, word, journal);
    const auto before = seen.replays.find(replay.id);
    note_replay(before == seen.replays.end() ? nullptr : &before->second, replay, journal);
    seen.replays.insert_or_assign(replay.id, replay);
    seen.resumes.erase(replay.id);
    if (word.resuming == 0) seen.resumes[replay.id] = word.resumes;
  }
  note_guards(process, journal);
  note_paused(process, journal);
  note_due(process, *rows, journal);
  seen.rows = std::move(now);
}

void check_start(Process& process, Journal& journal) {
  const StreamRecord* stream = process.engine().find_stream("s");
  if (journal.last_seq > 0 && (stream == nullptr || stream->next_seq <= journal.last_seq))
    journal.fail(fmt::format("s#{} was acknowledged and is lost", journal.last_seq));
}

void check_goes_on(Process& process, Journal& journal, WallTime since) {
  const MonoTime now = process.clock().mono();
  policy::Guardrails& guardrails = process.engine().find_dispatcher("d")->guardrails();
  if (guardrails.worst_breaker(now).state(now) != policy::Breaker::State::closed) return;
  const auto rows = asked(process, journal, process.store().deliveries().list({.limit = 1000}));
  if (!rows) return;
  for (const Delivery& row : *rows) {
    const delivery::Flow* flow = process.engine().find_flow(row.ref.flow);
    if (flow == nullptr || flow->record().status == FlowStatus::paused) continue;
    if (row.state == DeliveryState::waiting && row.due < since && row.changed_at < since)
      journal.fail(name_of(row.ref) + " is due, and nobody calls its handler");
  }
}

std::string what_is_left(Process& process, Journal& journal) {
  const auto counts = asked(process, journal, process.store().flows().counts());
  const auto flows = asked(process, journal, process.store().flows().flows());
  if (!counts || !flows) return "the store does not say";
  std::string left;
  for (const ports::FlowCounts& flow : *counts) {
    if (flow.waiting + flow.quarantined + flow.held > 0)
      left += fmt::format("; flow {}: {} waiting, {} quarantined, {} held", flow.flow.value,
                          flow.waiting, flow.quarantined, flow.held);
  }
  const std::uint64_t next = process.engine().find_stream("s")->next_seq;
  for (const FlowRecord& flow : *flows) {
    if (flow.cursor.floor != next)
      left += fmt::format("; flow {} ({}): floor {} of {}", flow.id.value, to_text(flow.status),
                          flow.cursor.floor, next);
  }
  return left;
}

}  // namespace weir::engine_sim
