// SPDX-License-Identifier: Apache-2.0
// What became of every event, and of what was promised about it.
#include <fmt/format.h>

#include "checks.h"
#include "recount.h"
#include "sim_config.h"

namespace weir::engine_sim {
namespace {

using engine_test::Process;

template <class T>
T told(Process& process, async::Task<Result<T>> task) {
  auto result = process.wait(std::move(task));
  if (!result || !result->ok()) throw std::runtime_error("a store without faults failed");
  return **std::move(result);
}

// Done means that its handler said so in time; otherwise somebody closed it.
void check_event(Process& process, Journal& journal, const std::string& flow, std::uint32_t event,
                 std::uint64_t seq) {
  const delivery::Flow* known = process.engine().find_flow(flow);
  const DeliveryRef ref{known->id(), {process.engine().find_stream("s")->id, 0, seq}};
  const auto row = told(process, process.store().deliveries().get(ref));
  const auto settled = told(process,
                            process.store().deliveries().settlement(ref.flow, ref.position));
  const bool is_trimmed = seq < process.engine().find_stream("s")->first_seq;
  const bool answered = journal.answered.contains({flow, event});
  const bool closed = row ? row->state == DeliveryState::resolved ||
                                row->state == DeliveryState::discarded
                          : is_trimmed && journal.closed.contains({flow, event});
  const bool done = row ? row->state == DeliveryState::done : settled || is_trimmed;
  const std::string who = fmt::format("{} e{} (s#{})", flow, event, seq);
  if (!done && !closed)
    journal.fail(
        fmt::format("{} is lost: {}", who, row ? to_text(row->state) : "nothing is known"));
  if (done && !closed && !answered) journal.fail(who + " is done, and no handler said so");
}

void check_events(Process& process, Journal& journal) {
  std::map<std::uint64_t, std::uint32_t> by_seq;
  for (const auto& [event, seq] : journal.stored) {
    if (!by_seq.emplace(seq, event).second) journal.fail(fmt::format("two events are s#{}", seq));
    for (const char* flow : kFlows) check_event(process, journal, flow, event, seq);
  }
  if (process.engine().find_stream("s")->next_seq != journal.stored.size() + 1)
    journal.fail("the stream has events that nobody published, or gaps");
}

// Calls of one key come in the order in which its events were stored.
void check_order(Journal& journal) {
  std::map<std::uint32_t, std::uint64_t> last;
  for (const Call& call : journal.calls) {
    if (call.flow != "orders") continue;
    const std::uint64_t seq = journal.stored.at(call.event);
    std::uint64_t& before = last[key_of(call.event)];
    if (seq < before) journal.fail(fmt::format("orders e{} was called out of order", call.event));
    before = seq;
  }
}

void check_replays(Process& process, Journal& journal) {
  for (const Replay& replay : told(process, process.store().recovery().replays())) {
    const auto items = told(process,
                            process.store().recovery().items(replay.id, std::nullopt, {}, 1000));
    ReplayCounts counts = replay.counts;
    counts.same_fingerprint = 0;
    counts.discarded = 0;
    ReplayCounts counted = engine_test::recount(items);
    for (const ReplayItem& item : items) counted.failed_again += item.state == ItemState::discarded;
    if (counts != counted)
      journal.fail(fmt::format("r{}: what it says is not what its members say", replay.id.value));
    if (is_over(replay.state) && counts.in_flight() > 0)
      journal.fail(fmt::format("r{} is over, with members under way", replay.id.value));
  }
}

// What the ledger says is true, and it knows of everything that was sent.
void check_effects(Process& process, Journal& journal) {
  const auto effects = told(process, process.store().effects().list({.limit = 1000}));
  std::map<std::string, const Effect*> by_key;
  for (const Effect& effect : effects) by_key[effect.sent_key()] = &effect;
  for (const auto& [key, payment] : journal.payments) {
    const auto entry = by_key.find(key);
    if (entry == by_key.end()) {
      journal.fail(fmt::format("{} was sent and is not in the ledger", key));
      continue;
    }
    const EffectState state = entry->second->state;
    const bool true_yes = state != EffectState::confirmed || payment.executed == 1;
    const bool true_no = state != EffectState::failedNoEffect || payment.executed == 0;
    const bool heard = !payment.heard || state == EffectState::confirmed;
    if (!true_yes || !true_no || !heard)
      journal.fail(fmt::format("{} is {} in the ledger and was executed {} times{}", key,
                               to_text(state), payment.executed, payment.heard ? ", heard" : ""));
  }
}

}  // namespace

void check_end(Process& process, Journal& journal) {
  check_events(process, journal);
  check_order(journal);
  check_replays(process, journal);
  check_effects(process, journal);
}

}  // namespace weir::engine_sim
