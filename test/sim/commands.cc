// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "model/event.h"
#include "ports/dedupe_hash.h"
#include "recovery/explain.h"
#include "recovery/quarantine.h"
#include "sim_config.h"
#include "world.h"

namespace weir::engine_sim {
namespace {

using engine_test::Process;
using std::chrono::milliseconds;

// What may be said to somebody who comes at the wrong moment.
bool is_fair(Code code) {
  static constexpr std::array kFair = {
      Code::store_failed,      Code::store_full,      Code::wrong_state,
      Code::conflict,          Code::unknown_replay,  Code::empty_selection,
      Code::already_in_replay, Code::event_unknown,   Code::unknown_effect,
      Code::unknown_flow,      Code::shutting_down,   Code::precondition_failed,
      Code::effect_refused,    Code::unknown_delivery};
  return std::ranges::find(kFair, code) != kFair.end();
}

void note(Journal& journal, std::string_view what, const std::optional<Error>& error) {
  journal.note(fmt::format("{}: {}", what, error ? describe(error->code).name : "done"));
  if (error && !is_fair(error->code))
    journal.fail(fmt::format("{} was answered with {}", what, to_text(*error)));
}

template <class T>
std::optional<Error> error_of(const Result<T>& result) {
  return result.ok() ? std::nullopt : std::optional(result.error());
}

ports::NewEvent new_event(std::uint32_t number, const std::string& data) {
  const std::string id = fmt::format("e{}", number);
  const std::string subject = fmt::format("k{}", key_of(number));
  const Event event{.id = id,
                    .source = "/sim",
                    .type = "sim.happened",
                    .subject = subject,
                    .data = data,
                    .has_data = true};
  return {ports::dedupe_hash(event.source, event.id), encode_event(event)};
}

void note_stored(Journal& journal, std::uint32_t event, const ports::AppendResult& result) {
  if (result.status == ports::AppendStatus::conflict)
    journal.fail(fmt::format("e{} conflicts with itself", event));
  if (result.status == ports::AppendStatus::duplicate)
    journal.sometimes.reached(Rare::duplicateFound);
  const auto [known, is_new] = journal.stored.emplace(event, result.seq);
  if (!is_new && known->second != result.seq)
    journal.fail(
        fmt::format("e{} was stored twice, at {} and {}", event, known->second, result.seq));
  journal.pending.erase(event);
  journal.last_seq = std::max(journal.last_seq, result.seq);
}

}  // namespace

async::Task<> publish(Process& process, Journal& journal, std::vector<std::uint32_t> events,
                      bool other) {
  // An event that retention has taken is not known any more: that would be another one.
  const std::uint64_t first_seq = journal.trimming > 0
                                      ? ~0ull
                                      : process.engine().find_stream("s")->first_seq;
  std::erase_if(events, [&](std::uint32_t event) {
    const auto known = journal.stored.find(event);
    return known != journal.stored.end() && known->second < first_seq;
  });
  if (events.empty()) co_return;
  ports::AppendEvents append{process.engine().find_stream("s")->id, {}, process.clock().wall()};
  for (const std::uint32_t event : events) {
    append.events.push_back(new_event(event, data_of(event)));
    if (!journal.stored.contains(event)) journal.pending.insert(event);
  }
  if (other) append.events.push_back(new_event(events.front(), "{}"));
  ports::WriteBatch batch{.lane = ports::Lane::ingest};
  batch.mutations.emplace_back(std::move(append));
  ++journal.publishing;
  const std::uint32_t life = journal.life;
  auto receipt = co_await process.store().writer().commit(std::move(batch));
  if (journal.life == life) --journal.publishing;
  note(journal, fmt::format("publish e{}-{}", events.front(), events.back()), error_of(receipt));
  if (!receipt.ok()) {
    if (receipt.error().code != Code::store_full) co_return;
    journal.sometimes.reached(Rare::diskFullRefused);
    journal.full = true;
    co_return;
  }
  for (std::size_t i = 0; i < events.size(); ++i)
    note_stored(journal, events[i], receipt->appended[i]);
  if (other && receipt->appended.back().status != ports::AppendStatus::conflict)
    journal.fail(fmt::format("e{} was taken with two contents", events.front()));
  if (other) journal.sometimes.reached(Rare::conflictFound);
  if (!process.is_ending()) process.engine().appended(receipt->stored);
}

async::Task<> plan_replay(Process& process, Journal& journal, Move move) {
  const std::string flow = kFlows[move.a % 3];
  ReplayPlan plan{.selection = {.flow = flow}, .reason = "again", .actor = kActor};
  plan.canary = {.count = static_cast<std::uint32_t>(move.b % 3), .hold = milliseconds{200}};
  plan.rate = {.start_per_second = 5,
               .max_per_second = 50,
               .step = milliseconds{500},
               .concurrency = 1 + static_cast<std::uint32_t>(move.c % 4)};
  plan.stop.failure_share = {move.b % 2 == 0 ? 50.0 : 0.0};
  plan.stop.same_fingerprint = {move.c % 3 == 0 ? 2.0 : 0.0};
  auto made = co_await process.replays().plan(plan);
  note(journal, "plan of a replay of " + flow, error_of(made));
  if (!made.ok()) co_return;
  ReplayWord& word = journal.replays[made->id.value];
  word.concurrency = plan.rate.concurrency;
  ++word.resumes;
  ++word.resuming;
  const std::uint32_t life = journal.life;
  auto begun = co_await process.replays().command(made->id, ReplayState::running,
                                                  {.actor = kActor, .reason = "go"});
  if (journal.life == life) --word.resuming;
  note(journal, fmt::format("start of r{}", made->id.value), error_of(begun));
}

async::Task<> tell_replay(Process& process, Journal& journal, Move move) {
  auto known = co_await process.replays().list();
  if (!known.ok()) co_return note(journal, "list of replays", known.error());
  std::erase_if(*known, [](const Replay& replay) { return is_over(replay.state); });
  if (known->empty()) co_return;
  const Replay& replay = (*known)[move.a % known->size()];
  static constexpr std::array kWords = {ReplayState::running, ReplayState::paused,
                                        ReplayState::paused, ReplayState::aborted};
  const ReplayState wanted = kWords[move.b % kWords.size()];
  ReplayWord& word = journal.replays[replay.id.value];
  if (wanted == ReplayState::running) {
    word.halted.reset();
    ++word.resumes;
    ++word.resuming;
  }
  const std::uint32_t resumes = word.resumes;
  const std::uint32_t life = journal.life;
  auto said = co_await process.replays().command(replay.id, wanted,
                                                 {.actor = kActor, .reason = "as I say"});
  note(journal, fmt::format("r{} is told: {}", replay.id.value, to_text(wanted)), error_of(said));
  if (wanted == ReplayState::running && journal.life == life) --word.resuming;
  if (!said.ok()) co_return;
  const bool halts = wanted != ReplayState::running && said->state == wanted;
  if (halts && word.resumes == resumes && word.halted != ReplayState::aborted) word.halted = wanted;
  if (said->state == ReplayState::paused) journal.sometimes.reached(Rare::replayPaused);
  if (said->state == ReplayState::aborted && said->counts.sent < said->counts.planned)
    journal.sometimes.reached(Rare::replayAborted);
}

async::Task<> settle_one(Process& process, Journal& journal, Move move) {
  auto rows = co_await process.store().deliveries().list({.state = DeliveryState::quarantined});
  if (!rows.ok()) co_return note(journal, "list of the quarantine", rows.error());
  if (rows->empty()) co_return;
  const Delivery& row = (*rows)[move.a % rows->size()];
  const delivery::Flow* flow = process.engine().find_flow(row.ref.flow);
  if (flow == nullptr) co_return;
  const std::string name = flow->spec().name;
  const std::uint32_t event = number_of(row.event_id);
  const auto what = static_cast<recovery::Settle>(move.b % 4);
  Selection selection{.flow = name, .ids = {fmt::format("s#{}", row.ref.position.seq)}};
  auto settled = co_await recovery::settle_quarantined(
      process.store(), process.clock(), process.live(), what, selection,
      {.actor = kActor, .reason = "by hand"}, false);
  note(journal, fmt::format("settling {} e{} as {}", name, event, move.b % 4), error_of(settled));
  const bool is_for_good = what == recovery::Settle::resolve || what == recovery::Settle::discard;
  if (settled.ok() && settled->settled == 1 && is_for_good) journal.closed.insert({name, event});
}

async::Task<> settle_doubt(Process& process, Journal& journal, std::uint64_t which) {
  auto doubts = co_await process.store().effects().list({.state = EffectState::inDoubt});
  if (!doubts.ok()) co_return note(journal, "list of doubts", doubts.error());
  if (doubts->empty()) co_return;
  journal.sometimes.reached(Rare::effectInDoubt);
  const Effect& effect = (*doubts)[which % doubts->size()];
  const auto payment = journal.payments.find(effect.sent_key());
  const bool happened = payment != journal.payments.end() && payment->second.executed > 0;
  auto settled = co_await process.gateway().resolve(
      effect, happened ? EffectState::confirmed : EffectState::failedNoEffect, kActor, "asked");
  note(journal, fmt::format("doubt about {}", effect.sent_key()), error_of(settled));
}

async::Task<> pause_flow(Process& process, Journal& journal, Move move) {
  const bool pauses = move.b % 2 == 0;
  // The brake may have paused any of them.
  const std::string flow = kFlows[move.a % (pauses ? 2 : 3)];
  Result<> done;
  if (pauses) {
    done = co_await process.engine().pause(flow, "wait", kActor);
  } else {
    const std::uint32_t life = journal.life;
    journal.paused.erase(flow);
    ++journal.resuming;
    done = co_await process.engine().resume(flow, "go on", kActor);
    if (journal.life == life) --journal.resuming;
  }
  note(journal, (pauses ? "pause " : "resume ") + flow, error_of(done));
}

async::Task<> control_breaker(Process& process, Journal& journal, Move move) {
  static constexpr std::array kOrders = {BreakerOrder::open, BreakerOrder::closed,
                                         BreakerOrder::automatic};
  const BreakerControl control{.order = kOrders[move.a % 3],
                               .since = process.clock().wall(),
                               .actor = kActor,
                               .reason = "by hand"};
  const std::uint32_t word = ++journal.breaker_words;
  const std::uint32_t life = journal.life;
  journal.breaker_opened.reset();
  auto done = co_await process.engine().control_breaker("d", control);
  const bool stands = journal.breaker_words == word && journal.life == life;
  if (done.ok() && stands && control.order == BreakerOrder::open)
    journal.breaker_opened = process.clock().mono();
  note(journal, fmt::format("breaker {}", to_text(control.order)), error_of(done));
}

async::Task<> trim(Process& process, Journal& journal) {
  for (int step = 0; step < 100; ++step) {
    if (journal.publishing > 0 || !journal.pending.empty()) break;  // see publish()
    const std::uint32_t life = journal.life;
    ++journal.trimming;
    const bool more = co_await process.engine().trim_step();
    if (journal.life == life) --journal.trimming;
    if (!more) break;
  }
  journal.note("trimmed");
}

async::Task<> explain(Process& process, Journal& journal, Move move) {
  const std::string reference = fmt::format("e{}", move.a);
  auto told = co_await recovery::explain(process.store(), process.clock(), process.live(),
                                         reference, kFlows[move.b % 2]);
  note(journal, "explain " + reference, error_of(told));
}

}  // namespace weir::engine_sim
