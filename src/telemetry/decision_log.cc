// SPDX-License-Identifier: Apache-2.0
#include "telemetry/decision_log.h"

#include <fmt/format.h>

namespace weir::telemetry {
namespace {

const std::vector<double> kSeconds = {0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                      0.5,   0.75, 1,     2.5,  5,     7.5, 10};
const std::vector<double> kAddedSeconds = {0.0001, 0.0002, 0.0003, 0.0005, 0.00075, 0.001, 0.0015,
                                           0.002,  0.003,  0.005,  0.01,   0.025,   0.1,   1};

constexpr std::string_view kDeliveries = "weir_deliveries_total";
constexpr std::string_view kDeliveriesHelp = "Decisions about deliveries, by what was decided.";

bool is_quarantine(DecisionKind kind) {
  return kind == DecisionKind::quarantine || kind == DecisionKind::pauseFlow;
}

Level level_of(DecisionKind kind) { return is_quarantine(kind) ? Level::warning : Level::info; }

std::string event_of(DecisionKind kind) { return fmt::format("delivery.{}", to_text(kind)); }

void write_outcome(wire::JsonWriter& json, const Outcome& outcome) {
  json.field("durationMs", static_cast<std::int64_t>(outcome.latency.count() / 1000));
  if (outcome.status != 0) json.field("status", outcome.status);
}

}  // namespace

std::optional<std::uint64_t> LogGate::admit(const LogKind& kind, MonoTime now) {
  auto entry = seen_.find(kind);
  if (entry == seen_.end()) {
    forget_old(now);
    const bool full = seen_.size() >= kKindsMax;
    const auto [place, fresh] = seen_.try_emplace(full ? LogKind{} : kind, Seen{.since = now});
    if (fresh) return 0;
    entry = place;
  }
  if (now - entry->second.since < interval_) {
    ++entry->second.left_out;
    return std::nullopt;
  }
  const std::uint64_t left_out = entry->second.left_out;
  entry->second = {.since = now};
  return left_out;
}

std::vector<LogGate::LeftOut> LogGate::take_left_out(MonoTime now, bool all) {
  std::vector<LeftOut> told;
  for (auto& [kind, seen] : seen_) {
    const bool over = all || now - seen.since >= interval_;
    if (!over || seen.left_out == 0) continue;
    told.push_back({kind, seen.left_out});
    seen = {.since = now};
  }
  return told;
}

// Only when there is no room, and not for every new kind of a storm. What was left out is still to
// be told.
void LogGate::forget_old(MonoTime now) {
  if (seen_.size() < kKindsMax || now < sweep_at_) return;
  sweep_at_ = now + interval_ / 8;
  std::erase_if(seen_, [&](const auto& one) {
    return one.second.left_out == 0 && now - one.second.since >= interval_;
  });
}

DecisionLog::FlowMetrics& DecisionLog::flow_metrics(std::string_view flow) {
  const auto found = flows_.find(flow);
  if (found != flows_.end()) return found->second;
  FlowMetrics fresh{.done = &metrics_.counter(kDeliveries, kDeliveriesHelp,
                                              {{"flow", flow}, {"decision", "done"}}),
                    .duration = &metrics_.histogram("weir_attempt_duration_seconds",
                                                    "Time of one attempt, the handler's included.",
                                                    kSeconds, {{"flow", flow}}),
                    .added = &metrics_.histogram(
                        "weir_added_latency_seconds",
                        "What Weir adds to a first attempt that succeeds, from admission until "
                        "settling is queued, without the handler and without commits.",
                        kAddedSeconds, {{"flow", flow}})};
  return flows_.emplace(flow, fresh).first->second;
}

void DecisionLog::on_decision(const ports::DecisionRecord& record) {
  FlowMetrics& flow = flow_metrics(record.flow);
  if (record.outcome != nullptr) {
    flow.duration->observe(std::chrono::duration<double>(record.outcome->latency).count());
  }
  if (record.added > Duration::zero()) {
    flow.added->observe(std::chrono::duration<double>(record.added).count());
  }
  if (record.decision->kind == DecisionKind::done && record.decision->failure == FailureClass::ok) {
    flow.done->add();
    return;
  }
  count(record);
  log(record);
}

void DecisionLog::count(const ports::DecisionRecord& record) {
  const Decision& decision = *record.decision;
  metrics_
      .counter(kDeliveries, kDeliveriesHelp,
               {{"flow", record.flow}, {"decision", to_text(decision.kind)}})
      .add();
  if (record.attempt > 0) {
    metrics_
        .counter("weir_failed_attempts_total", "Attempts that did not end well, by class.",
                 {{"flow", record.flow},
                  {"dependency", record.dependency},
                  {"class", to_text(decision.failure)}})
        .add();
  } else if (decision.kind == DecisionKind::defer) {
    metrics_
        .counter("weir_interruptions_total", "Deliveries cut short by a crash or restart of Weir.",
                 {{"flow", record.flow}})
        .add();
  }
  if (is_quarantine(decision.kind) && decision.failure_mode.empty()) {
    metrics_
        .counter("weir_unnamed_failures_total",
                 "Quarantined deliveries that match no named failure mode.",
                 {{"flow", record.flow}})
        .add();
  }
}

void DecisionLog::log(const ports::DecisionRecord& record) {
  const Decision& decision = *record.decision;
  if (decision.kind == DecisionKind::done) return;
  const auto left_out = gate_.admit({.flow = std::string(record.flow),
                                     .decision = decision.kind,
                                     .rule = decision.rule,
                                     .group = std::string(record.group)},
                                    clock_.mono());
  if (!left_out) return;
  log_.write(clock_.wall(), level_of(decision.kind), event_of(decision.kind), decision.reason,
             [&](wire::JsonWriter& json) {
               const Position at = record.ref.position;
               json.field("flow", record.flow)
                   .field("dependency", record.dependency)
                   .field("ref", fmt::format("{}#{}", stream_name_(at.stream), at.seq));
               json.field("eventId", record.event_id);
               if (record.attempt > 0) json.field("attempt", record.attempt);
               json.field("class", to_text(decision.failure))
                   .field("decision", to_text(decision.kind))
                   .field("rule", decision.rule);
               if (!record.group.empty()) json.field("group", record.group);
               if (record.replay) json.field("replay", fmt::format("r{}", record.replay.value));
               if (!record.trace_id.empty()) json.field("traceId", record.trace_id);
               if (record.outcome != nullptr) write_outcome(json, *record.outcome);
               if (*left_out > 0) json.field("count", *left_out);
             });
}

void DecisionLog::flush(bool all) {
  for (const auto& [kind, count] : gate_.take_left_out(clock_.mono(), all)) {
    if (kind.flow.empty()) {
      log_.write(clock_.wall(), Level::info, "delivery.others", "decisions of many kinds",
                 [&](wire::JsonWriter& json) { json.field("count", count); });
      continue;
    }
    log_.write(clock_.wall(), level_of(kind.decision), event_of(kind.decision),
               "repeated since the last line of this kind", [&](wire::JsonWriter& json) {
                 json.field("flow", kind.flow)
                     .field("decision", to_text(kind.decision))
                     .field("rule", kind.rule);
                 if (!kind.group.empty()) json.field("group", kind.group);
                 json.field("count", count);
               });
  }
}

}  // namespace weir::telemetry
