// SPDX-License-Identifier: Apache-2.0
#include "delivery/settle.h"

#include <memory>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "policy/fingerprint.h"

namespace weir::delivery {
namespace {

constexpr std::size_t kCompany = 4;  // calls of a flow under way

bool is_final(DecisionKind kind) {
  return kind == DecisionKind::done || kind == DecisionKind::discard;
}
bool is_quarantine(DecisionKind kind) {
  return kind == DecisionKind::quarantine || kind == DecisionKind::pauseFlow;
}

DeliveryState next_state(const Decision& decision, WallTime now) {
  switch (decision.kind) {
    case DecisionKind::done: return DeliveryState::done;
    case DecisionKind::retryAt: return DeliveryState::waiting;
    case DecisionKind::defer:
      return waits(decision, now) ? DeliveryState::waiting : DeliveryState::ready;
    case DecisionKind::discard: return DeliveryState::discarded;
    case DecisionKind::quarantine:
    case DecisionKind::pauseFlow: return DeliveryState::quarantined;
  }
  return DeliveryState::quarantined;
}

AttemptRecord history_line(const Delivery& row, const Decision& decision,
                           const Attempted* attempted, WallTime now) {
  AttemptRecord line{
      .at = now, .failure = decision.failure, .decision = decision.kind, .replay = row.replay};
  line.note = decision.rule.empty() ? decision.reason
                                    : fmt::format("{}: {}", decision.rule, decision.reason);
  if (attempted != nullptr && decision.kind != DecisionKind::defer) {
    line.number = row.attempts;
    line.at = attempted->started;
    line.took = attempted->outcome.latency;
    line.status = static_cast<std::uint16_t>(attempted->outcome.status);
    line.fault = attempted->outcome.fault;
  }
  return line;
}

void update_row(Delivery& row, const Decision& decision, const Attempted* attempted,
                std::uint32_t max_replays, WallTime now) {
  row.add_history(history_line(row, decision, attempted, now));
  row.state = next_state(decision, now);
  row.changed_at = now;
  row.reason = decision.reason;
  row.failure = decision.failure;
  row.failure_mode = decision.failure_mode;
  row.in_doubt = decision.in_doubt;
  row.due = waits(decision, now) ? decision.at : WallTime{};
  if (decision.kind == DecisionKind::discard) row.resolution = decision.reason;
  row.archived = false;
  row.exhausted = is_quarantine(decision.kind) && row.replays >= max_replays;
}

ItemState item_state(const Decision& decision) {
  if (decision.kind == DecisionKind::done) return ItemState::succeeded;
  if (decision.kind == DecisionKind::discard) return ItemState::discarded;
  return decision.in_doubt ? ItemState::inDoubt : ItemState::failedAgain;
}

// Ordering: a failed delivery holds its key (parkKey, pauseFlow), an ended one lets the next go.
void settle_key(DeliveryParts& parts, Flow& flow, const Delivery& row, const Decision& decision,
                Settler::Urgency urgency) {
  flow.cursor().settle(row.ref.position.seq);  // the row owns it from now on
  if (row.key.empty()) return;
  const bool ended = is_final(decision.kind);
  const bool parks = flow.spec().on_failure != OnFailure::proceed ||
                     decision.kind == DecisionKind::defer;
  if (!ended && parks && !WEIR_SEEDED_BUG("keys.released_on_failure")) {
    flow.park(row.key, row.ref.position);
    return;
  }
  if (flow.keys().is_held_by(row.key, row.ref.position)) {
    flow.drain_key(row.key);
    return;
  }
  // A key without a hold: the next in line may go once this is durable.
  parts.settler.write(
      flow, {},
      [&flow, key = row.key](bool durable) {
        if (durable) flow.key_settled(key);
      },
      urgency);
}

struct Pause {
  PauseCause cause;
  std::string reason;
};

// Whether this delivery is the one after which the flow must not go on.
std::optional<Pause> pause_after(Flow& flow, const Delivery& row, const Decision& decision,
                                 MonoTime now) {
  // Not with the words of the answer, which belong to the delivery: a flow's status and the audit
  // trail outlive its data, and are never encrypted.
  if (decision.kind == DecisionKind::pauseFlow) {
    return Pause{PauseCause::onFailure,
                 fmt::format("event {} failed: {} ({})", row.ref.position.seq,
                             to_text(decision.failure), decision.rule)};
  }
  if (row.replay || !flow.may_dispatch()) return {};
  // Neither our own crash nor a backlog that grew too old says anything about the handler.
  if (decision.failure == FailureClass::interrupted || decision.failure == FailureClass::expired)
    return {};
  if (is_final(decision.kind)) flow.brake().passed(now);
  if (!is_quarantine(decision.kind) || WEIR_SEEDED_BUG("brake.never_asked")) return {};
  auto tripped = flow.brake().quarantined(now);
  if (!tripped) return {};
  flow.stop_dispatching();
  return Pause{PauseCause::deadLetterBrake, std::move(*tripped)};
}

std::vector<ports::Mutation> mutations_of(const Flow& flow, const Delivery& row,
                                          const Settled& settled, const Fingerprint& print,
                                          const std::optional<Pause>& pause, WallTime now) {
  std::vector<ports::Mutation> mutations;
  const Decision& decision = settled.decision;
  mutations.emplace_back(ports::PutDelivery{row});
  if (is_quarantine(decision.kind)) {
    mutations.emplace_back(ports::KeepEvent{row.ref});
    mutations.emplace_back(ports::JoinGroup{row.ref, flow.id(), flow.spec().dependency,
                                            decision.failure, decision.failure_mode, print, now});
  }
  if (is_final(decision.kind)) mutations.emplace_back(ports::DropKeptEvent{row.ref});
  if (settled.row.replay && !WEIR_SEEDED_BUG("replay.item_not_settled") &&
      (is_final(decision.kind) || is_quarantine(decision.kind))) {
    mutations.emplace_back(ports::SetReplayItem{settled.row.replay, row.ref, item_state(decision)});
  }
  if (pause && !WEIR_SEEDED_BUG("brake.pause_not_stored")) {
    mutations.emplace_back(
        ports::SetFlowStatus{flow.id(), FlowStatus::paused, pause->reason, now, pause->cause});
    mutations.emplace_back(ports::AddAudit{AuditEntry{.at = now,
                                                      .actor = "weir",
                                                      .action = "flow.pause",
                                                      .target = flow.spec().name,
                                                      .reason = pause->reason}});
  }
  return mutations;
}

// What a sink is told, kept alive until the commit is durable.
struct Told {
  Decision decision;
  std::optional<Attempted> attempted;
  Delivery row;
  ReplayId replay;
  std::string group;
  std::optional<Pause> pause;
};

void tell(DeliveryParts& parts, const Flow& flow, const Told& told) {
  parts.tell(ports::DecisionRecord{
      .ref = told.row.ref,
      .flow = flow.spec().name,
      .dependency = flow.spec().dependency,
      .event_type = told.row.event_type,
      .event_id = told.row.event_id,
      .trace_id = told.attempted ? std::string_view(told.attempted->trace_id) : std::string_view{},
      .attempt = told.attempted ? told.row.attempts : 0,
      .replay = told.replay,
      .outcome = told.attempted ? &told.attempted->outcome : nullptr,
      .decision = &told.decision,
      .group = told.group,
  });
}

}  // namespace

bool waits(const Decision& decision, WallTime now) {
  return decision.kind == DecisionKind::retryAt ||
         (decision.kind == DecisionKind::defer && decision.at > now);
}

Delivery new_row(const Flow& flow, Position position, const Event& event, std::string key,
                 WallTime deadline) {
  Delivery row;
  row.ref = {flow.id(), position};
  row.key = std::move(key);
  row.deadline = deadline;
  row.event_id = event.id;
  row.event_type = event.type;
  return row;
}

namespace {

void queue_settlement(DeliveryParts& parts, Flow& flow, const Candidate& candidate,
                      const Settlement& settlement) {
  if (candidate.origin == Origin::hold) {
    // Same commit: this one is settled and the hold moves on, so that a restart finds either both
    // or neither.
    parts.settler.settle(flow, settlement, nullptr);
    parts.settler.write(flow, {ports::DropKeptEvent{{flow.id(), candidate.position}}}, nullptr);
    flow.drain_key(candidate.key);
    return;
  }
  if (candidate.key.empty()) {
    parts.settler.settle(flow, settlement, nullptr);
    return;
  }
  parts.settler.settle(flow, settlement, [&flow, key = candidate.key](bool durable) {
    if (durable) flow.key_settled(key);
  });
}

}  // namespace

void settle_filtered(DeliveryParts& parts, Flow& flow, const Candidate& candidate) {
  queue_settlement(parts, flow, candidate, {.seq = candidate.position.seq, .status = 0});
}

void settle_done(DeliveryParts& parts, Flow& flow, const Candidate& candidate, const Event& event,
                 const Attempted& attempted, MonoTime admitted) {
  flow.brake().passed(parts.clock.mono());
  const auto micros = std::min<std::int64_t>(attempted.outcome.latency.count(), UINT32_MAX);
  queue_settlement(parts, flow, candidate,
                   {.seq = candidate.position.seq,
                    .status = static_cast<std::uint16_t>(attempted.outcome.status),
                    .duration_us = static_cast<std::uint32_t>(micros)});
  const Decision done{};
  parts.tell(ports::DecisionRecord{
      .ref = {flow.id(), candidate.position},
      .flow = flow.spec().name,
      .dependency = flow.spec().dependency,
      .event_type = event.type,
      .event_id = event.id,
      .trace_id = attempted.trace_id,
      .attempt = 1,
      .outcome = &attempted.outcome,
      .decision = &done,
      .added = parts.clock.mono() - admitted - attempted.outcome.waited,
  });
}

Settler::Urgency urgency_of(const Flow& flow, const Delivery& row, Settler::Urgency replayed) {
  const bool has_company = flow.calls() >= kCompany;
  return row.replay && has_company ? replayed : Settler::Urgency::now;
}

void settle_row(DeliveryParts& parts, Flow& flow, Settled settled, std::function<void()> again) {
  const WallTime now = parts.clock.wall();
  const Settler::Urgency urgency = urgency_of(flow, settled.row, Settler::Urgency::soon);
  Delivery& row = settled.row;
  const Outcome* outcome = settled.attempted != nullptr ? &settled.attempted->outcome : nullptr;
  update_row(row, settled.decision, settled.attempted, flow.spec().policy.retry.max_replays, now);
  Fingerprint print;
  if (is_quarantine(settled.decision.kind)) {
    (void)WEIR_FAILPOINT("quarantine.decided");
    print = policy::fingerprint(flow.spec().name, flow.spec().dependency, settled.decision.failure,
                                outcome, settled.decision.rule);
  }
  const std::optional<Pause> pause = pause_after(flow, row, settled.decision, parts.clock.mono());
  auto mutations = mutations_of(flow, row, settled, print, pause, now);
  auto told = std::make_unique<Told>();
  told->pause = pause;
  told->replay = row.replay;
  if (is_final(settled.decision.kind) || is_quarantine(settled.decision.kind)) {
    row.replay = {};  // it left the run with this decision
    row.terms = {};
    Delivery& written = std::get<ports::PutDelivery>(mutations.front()).delivery;
    written.replay = {};
    written.terms = {};
  }
  told->decision = settled.decision;
  if (settled.attempted != nullptr) told->attempted = *settled.attempted;
  told->group = print.hash;
  told->row = row;
  settle_key(parts, flow, row, settled.decision, urgency);
  parts.settler.write(
      flow, std::move(mutations),
      [&parts, &flow, told = std::move(told), again = std::move(again)](bool durable) {
        if (!durable) return;
        if (told->pause) {
          flow.set_status(FlowStatus::paused, told->pause->cause, told->pause->reason,
                          told->row.changed_at);
        }
        tell(parts, flow, *told);
        if (is_open(told->row.state) && told->row.state != DeliveryState::quarantined && again)
          again();
      },
      urgency);
}

}  // namespace weir::delivery
