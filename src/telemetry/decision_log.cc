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

void write_outcome(wire::JsonWriter& json, const Outcome& outcome) {
  json.field("durationMs", static_cast<std::int64_t>(outcome.latency.count() / 1000));
  if (outcome.status != 0) json.field("status", outcome.status);
}

}  // namespace

std::optional<std::uint64_t> LogGate::admit(const std::string& key, MonoTime now) {
  auto entry = seen_.find(key);
  if (entry == seen_.end()) {
    forget_old(now);
    const bool full = seen_.size() >= kKeysMax;
    const auto [place, fresh] = seen_.try_emplace(full ? "" : key, Seen{.since = now});
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

// Only when there is no room, and not for every new key of a storm.
void LogGate::forget_old(MonoTime now) {
  if (seen_.size() < kKeysMax || now < sweep_at_) return;
  sweep_at_ = now + interval_ / 8;
  std::erase_if(seen_, [&](const auto& one) { return now - one.second.since >= interval_; });
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
  const bool quarantined = decision.kind == DecisionKind::quarantine ||
                           decision.kind == DecisionKind::pauseFlow;
  if (quarantined && decision.failure_mode.empty()) {
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
  const std::string key = fmt::format("{} {} {} {}", record.flow, to_text(decision.kind),
                                      decision.rule, record.group);
  const auto left_out = gate_.admit(key, clock_.mono());
  if (!left_out) return;
  const bool quarantined = decision.kind == DecisionKind::quarantine ||
                           decision.kind == DecisionKind::pauseFlow;
  log_.write(clock_.wall(), quarantined ? Level::warning : Level::info,
             fmt::format("delivery.{}", to_text(decision.kind)), decision.reason,
             [&](wire::JsonWriter& json) {
               json.field("flow", record.flow)
                   .field("dependency", record.dependency)
                   .field("eventId", record.event_id);
               if (record.attempt > 0) json.field("attempt", record.attempt);
               json.field("class", to_text(decision.failure)).field("rule", decision.rule);
               if (!record.group.empty()) json.field("group", record.group);
               if (record.replay) json.field("replay", fmt::format("r{}", record.replay.value));
               if (!record.trace_id.empty()) json.field("traceId", record.trace_id);
               if (record.outcome != nullptr) write_outcome(json, *record.outcome);
               if (*left_out > 0) json.field("count", *left_out);
             });
}

}  // namespace weir::telemetry
