// SPDX-License-Identifier: Apache-2.0
#include "checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "recount.h"
#include "sim_config.h"

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

void check_row(const Delivery& row, Journal& journal) {
  const std::string who = name_of(row.ref);
  const auto must = [&](bool holds, std::string_view what) {
    if (!holds) journal.fail(fmt::format("{} ({}): {}", who, to_text(row.state), what));
  };
  must(row.state != DeliveryState::held && row.state != DeliveryState::filtered,
       "is no row's state");
  must(row.attempts_this_round <= kMaxAttempts, "too many attempts in this round");
  must(row.interruptions <= 3, "too many interruptions");
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

void note_states(const std::vector<Delivery>& rows, const std::vector<Replay>& replays,
                 std::uint64_t first_seq, Journal& journal) {
  for (const Delivery& row : rows) {
    if (is_open(row.state) && row.ref.position.seq < first_seq)
      journal.sometimes.reached(Rare::trimmedBesideOpen);
    if (row.interruptions > 0) journal.sometimes.reached(Rare::interrupted);
  }
  for (const Replay& replay : replays) {
    if (replay.state == ReplayState::stopped) journal.sometimes.reached(Rare::replayStopped);
    if (replay.state == ReplayState::completed && replay.counts.sent > 0)
      journal.sometimes.reached(Rare::replayCompleted);
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
}

}  // namespace

void look(Process& process, Journal& journal, Seen& seen) {
  const auto rows = asked(process, journal, process.store().deliveries().list({.limit = 1000}));
  if (!rows) return;
  const auto replays = asked(process, journal, process.store().recovery().replays());
  if (!replays) return;
  std::map<DeliveryRef, Delivery> now;
  for (const Delivery& row : *rows) {
    check_row(row, journal);
    const auto before = seen.rows.find(row.ref);
    if (before != seen.rows.end()) check_course(before->second, row, journal);
    now.emplace(row.ref, row);
  }
  for (const auto& [ref, before] : seen.rows) {
    if (is_open(before.state) && !now.contains(ref))
      journal.fail(fmt::format("{} was {} and is gone", name_of(ref), to_text(before.state)));
  }
  seen.running.clear();
  for (const Replay& replay : *replays) {
    check_counts(replay, journal);
    if (is_running(replay.state)) seen.running.insert(replay.id);
  }
  note_states(*rows, *replays, process.engine().find_stream("s")->first_seq, journal);
  note_guards(process, journal);
  seen.rows = std::move(now);
}

void check_start(Process& process, Journal& journal) {
  const StreamRecord* stream = process.engine().find_stream("s");
  if (journal.last_seq > 0 && (stream == nullptr || stream->next_seq <= journal.last_seq))
    journal.fail(fmt::format("s#{} was acknowledged and is lost", journal.last_seq));
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
