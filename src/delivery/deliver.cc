// SPDX-License-Identifier: Apache-2.0
// The event's way from admission to its decision. Reads like its own summary: load, check the
// deadline, call, decide.
#include "async/completion.h"
#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "delivery/dispatch.h"
#include "delivery/settle.h"
#include "policy/deadline.h"
#include "policy/decide.h"
#include "policy/effect_weight.h"
#include "policy/rate_headers.h"

namespace weir::delivery {

using policy::Work;

namespace {

Error gone(const Flow& flow, Position position) {
  return Error{Code::event_unknown,
               fmt::format("the event of delivery {}#{} is gone", flow.spec().name, position.seq),
               "`weir store check` on the data folder"};
}

}  // namespace

void Dispatcher::finish(const Admission& admission, const Attempted& attempted) {
  // What our own guardrails asked of an effect says nothing about the handler's pace.
  const bool ours = attempted.classification.rule == policy::kRuleEffectRefused;
  const auto pace = ours ? policy::ServerPace{}
                         : policy::read_server_pace(attempted.outcome, attempted.classification,
                                                    parts_.clock.wall());
  guardrails().record(admission.permit, attempted.classification, attempted.outcome.latency,
                      parts_.clock.mono(), parts_.rng, pace);
}

void Dispatcher::release(const Admission& admission) {
  guardrails().cancel(admission.permit, parts_.clock.mono());
  pump();
}

// Reads the event of a candidate that was held. False: it could not be read now, is gone, or is
// filtered by what changed while it was held; that is dealt with.
async::Task<bool> Dispatcher::load_held(Flow& flow, Candidate& candidate) {
  auto stored = co_await parts_.store.events().fetch({DeliveryRef{flow.id(), candidate.position}});
  if (!stored.ok()) {
    parts_.on_error(stored.error());
    flow.put_off(std::move(candidate));
    co_return false;
  }
  if (stored->empty()) {
    parts_.on_error(gone(flow, candidate.position));
    settle_filtered(parts_, flow, candidate);
    co_return false;
  }
  candidate.record = std::move(stored->front().record);
  candidate.recorded = stored->front().recorded;
  const auto event = decode_event(candidate.record);
  WEIR_ASSERT(event.ok());
  if (flow.filter().matches(*event)) co_return true;
  settle_filtered(parts_, flow, candidate);
  co_return false;
}

async::Task<> Dispatcher::deliver_event(Flow& flow, Candidate candidate, Admission admission) {
  const Flow::Call call(flow);
  if (candidate.origin == Origin::hold) {
    const bool loaded = co_await load_held(flow, candidate);
    if (!loaded) {
      release(admission);
      co_return;
    }
  }
  const auto event = decode_event(candidate.record);
  WEIR_ASSERT(event.ok());
  const FlowPolicy& rules = flow.spec().policy;
  const WallTime deadline = policy::event_deadline(rules.timeouts, *event, candidate.recorded);
  const auto timeout = policy::attempt_timeout(rules.timeouts, deadline, parts_.clock.wall());
  if (!timeout) {
    release(admission);
    expire(flow, new_row(flow, candidate.position, *event, candidate.key, deadline), *event);
    co_return;
  }
  const Attempted attempted = co_await run_attempt(
      parts_, flow,
      {.event = *event, .position = candidate.position, .timeout = *timeout, .burst = &burst_});
  finish(admission, attempted);
  const bool ordinary = attempted.classification.failure == FailureClass::ok &&
                        attempted.classification.forced == Classification::Override::none;
  if (ordinary) {
    settle_done(parts_, flow, candidate, *event, attempted, admission.at);
  } else {
    Delivery row = new_row(flow, candidate.position, *event, candidate.key, deadline);
    conclude(flow, std::move(row), *event, attempted);
  }
  pump();
}

// nullopt: it could not be read now, is settled already, or its key is busy and it stands in line.
async::Task<std::optional<Dispatcher::LoadedRow>> Dispatcher::load_row(Flow& flow, Due due,
                                                                       Work work) {
  Candidate candidate{.position = due.ref.position,
                      .origin = Origin::row,
                      .deadline = due.deadline,
                      .replay = due.replay,
                      .first_call = work != Work::retry,
                      .interruptions = due.interruptions,
                      .cost = due.cost};
  auto loaded = co_await rows_.load(due.ref);
  if (!loaded.ok()) {
    parts_.on_error(loaded.error());
    flow.put_off(std::move(candidate));
    co_return std::nullopt;
  }
  const bool open = loaded->row && is_open(loaded->row->state);
  if (open && !loaded->record) parts_.on_error(gone(flow, due.ref.position));
  const bool still_due = loaded->row && loaded->record &&
                         (loaded->row->state == DeliveryState::waiting ||
                          loaded->row->state == DeliveryState::ready);
  if (!still_due) {  // an operator settled it meanwhile
    flow.row_is_gone(due.ref.position);
    co_return std::nullopt;
  }
  candidate.key = loaded->row->key;
  if (!flow.keys().admit_row(candidate)) co_return std::nullopt;
  co_return LoadedRow{std::move(*loaded->row), std::move(*loaded->record)};
}

async::Task<> Dispatcher::deliver_row(Flow& flow, Due due, Work work, Admission admission) {
  const Flow::Call call(flow);
  auto loaded = co_await load_row(flow, due, work);
  if (loaded) {
    co_await attempt_row(flow, std::move(loaded->row), std::move(loaded->record),
                         std::move(admission));
  } else {
    release(admission);
  }
  flow.resumed_ended(due);
  pump();
}

async::Task<> Dispatcher::attempt_row(Flow& flow, Delivery row, std::string record,
                                      Admission admission) {
  const auto event = decode_event(record);
  WEIR_ASSERT(event.ok());
  auto timeout = policy::attempt_timeout(flow.spec().policy.timeouts, row.deadline,
                                         parts_.clock.wall());
  if (!timeout) {
    release(admission);
    expire(flow, std::move(row), *event);
    co_return;
  }
  // A crash from here on must be seen as an interruption of this delivery.
  if (!co_await make_in_flight(flow, row)) {
    release(admission);
    co_return;
  }
  (void)WEIR_FAILPOINT("attempt.in_flight");
  timeout = policy::attempt_timeout(flow.spec().policy.timeouts, row.deadline, parts_.clock.wall());
  if (!timeout) {  // the commit took what was left
    release(admission);
    expire(flow, std::move(row), *event);
    co_return;
  }
  const Attempted attempted = co_await run_attempt(parts_, flow,
                                                   {.event = *event,
                                                    .position = row.ref.position,
                                                    .number = row.attempts + 1,
                                                    .replay = row.replay,
                                                    .terms = row.replay ? &row.terms : nullptr,
                                                    .revision = row.revision,
                                                    .timeout = *timeout,
                                                    .burst = &burst_});
  finish(admission, attempted);
  conclude(flow, std::move(row), *event, attempted);
}

async::Task<bool> Dispatcher::make_in_flight(Flow& flow, Delivery row) {
  if (WEIR_SEEDED_BUG("deliver.in_flight_not_durable")) co_return true;
  row.state = DeliveryState::inFlight;
  // It has a permit already, so it does not linger.
  const auto urgency = urgency_of(flow, row, Settler::Urgency::next);
  co_return co_await async::complete_with<bool>([&](async::Completion<bool> done) {
    parts_.settler.write(
        flow, {ports::PutDelivery{std::move(row)}},
        [done = std::move(done)](bool durable) mutable { done(durable); }, urgency);
  });
}

void Dispatcher::conclude(Flow& flow, Delivery row, const Event& event,
                          const Attempted& attempted) {
  const std::string_view rule = attempted.classification.rule;
  const bool ours = rule == policy::kRuleCancelledHere || rule == policy::kRuleEffectRefused;
  if (!ours) {
    ++row.attempts;
    ++row.attempts_this_round;
  }
  if (row.first_at == WallTime{}) row.first_at = attempted.started;
  const bool waited = row.due > row.changed_at;
  const Duration previous_delay = waited ? row.due - row.changed_at : Duration{};
  Decision decision = policy::decide({.policy = flow.spec().policy,
                                      .delivery = row,
                                      .idempotent = flow.spec().idempotent,
                                      .on_failure = flow.spec().on_failure,
                                      .failure = attempted.classification,
                                      .now = parts_.clock.wall(),
                                      .previous_delay = previous_delay},
                                     parts_.rng);
  const Due due{.due = decision.at,
                .ref = row.ref,
                .replay = row.replay,
                .interruptions = row.interruptions,
                .cost = policy::retry_cost(decision.failure),
                .deadline = row.deadline};
  const bool retry = waits(decision, parts_.clock.wall());
  settle_row(parts_, flow,
             {.row = std::move(row),
              .decision = std::move(decision),
              .event = event,
              .attempted = &attempted},
             [&flow, due, retry] {
               if (retry) {
                 flow.add_retry(due);
               } else {
                 flow.add_resumed(due);
               }
               flow.wake();  // its dispatcher may be another one by now
             });
}

void Dispatcher::expire(Flow& flow, Delivery row, const Event& event) {
  Decision decision = policy::decide_expired(row, parts_.clock.wall());
  settle_row(parts_, flow, {.row = std::move(row), .decision = std::move(decision), .event = event},
             nullptr);
}

async::Task<> Dispatcher::expire_event(Flow& flow, Candidate candidate) {
  const Flow::Call call(flow);
  if (candidate.origin == Origin::hold) {
    const bool loaded = co_await load_held(flow, candidate);
    if (!loaded) co_return;
  }
  const auto event = decode_event(candidate.record);
  WEIR_ASSERT(event.ok());
  // What was held tells its deadline only now, and a reload may have given others more time.
  candidate.deadline = policy::event_deadline(flow.spec().policy.timeouts, *event,
                                              candidate.recorded);
  if (policy::is_expired(candidate.deadline, parts_.clock.wall())) {
    expire(flow, new_row(flow, candidate.position, *event, candidate.key, candidate.deadline),
           *event);
  } else {
    flow.take_back(std::move(candidate));
  }
}

async::Task<> Dispatcher::expire_row(Flow& flow, Due due) {
  const Flow::Call call(flow);
  auto loaded = co_await load_row(flow, due, Work::retry);
  if (!loaded) co_return;
  const auto event = decode_event(loaded->record);
  WEIR_ASSERT(event.ok());
  expire(flow, std::move(loaded->row), *event);
}

}  // namespace weir::delivery
