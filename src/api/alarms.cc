// SPDX-License-Identifier: Apache-2.0
#include "api/alarms.h"

#include "api/views.h"

namespace weir::api {

std::vector<Alarm> alarms_of(delivery::Engine& engine, const recovery::QuarantineWatch& quarantine,
                             MonoTime now, WallTime wall) {
  std::vector<Alarm> alarms;
  for (const delivery::FlowView& view : engine.flow_views()) {
    const FlowRecord& flow = *view.record;
    if (view.full_since != WallTime{}) {
      alarms.push_back(
          {"retriesFull", flow.name, view.full_since,
           fmt::format("{} deliveries wait for a retry (retry.maxWaiting): nothing new "
                       "is begun",
                       view.retries)});
    }
    if (flow.status != FlowStatus::paused) continue;
    if (flow.cause == PauseCause::deadLetterBrake)
      alarms.push_back({"deadLetterBrake", flow.name, flow.since, flow.reason});
    if (flow.cause == PauseCause::onFailure)
      alarms.push_back({"flowStoppedOnFailure", flow.name, flow.since, flow.reason});
  }
  for (delivery::Dispatcher* dispatcher : engine.dispatchers()) {
    policy::Breaker& breaker = dispatcher->guardrails().worst_breaker(now);
    const bool enforced = dispatcher->spec().policy.circuit_breaker.mode == Mode::enforce ||
                          breaker.is_forced(now);
    // Half-open is not well yet: an alarm that comes and goes with every probe is noise.
    if (!enforced || breaker.state(now) == policy::Breaker::State::closed) continue;
    if (breaker.is_idle(now)) continue;
    const auto refusal = breaker.refusal(now);
    Alarm alarm{"breakerOpen", dispatcher->spec().name, wall - (now - breaker.tripped_at()),
                refusal ? refusal->reason : "probing"};
    if (const BreakerControl* control = dispatcher->control()) {
      alarm.since = control->since;
      alarm.reason = fmt::format("opened by {}: {}", control->actor, control->reason);
    }
    alarms.push_back(std::move(alarm));
  }
  for (const recovery::QuarantineAlarm& alarm : quarantine.alarms())
    alarms.push_back({alarm.type, alarm.name, alarm.since, alarm.reason});
  return alarms;
}

void write_alarm(wire::JsonWriter& json, const Alarm& alarm) {
  json.begin_object().field("type", alarm.type).field("name", alarm.name);
  time_field(json, "since", alarm.since);
  json.field("reason", alarm.reason).end_object();
}

void write_alarms(wire::JsonWriter& json, const std::vector<Alarm>& alarms) {
  json.begin_array();
  for (const Alarm& alarm : alarms) write_alarm(json, alarm);
  json.end_array();
}

}  // namespace weir::api
