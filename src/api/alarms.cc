// SPDX-License-Identifier: Apache-2.0
#include "api/alarms.h"

#include "api/views.h"

namespace weir::api {

std::vector<Alarm> alarms_of(delivery::Engine& engine, MonoTime now) {
  std::vector<Alarm> alarms;
  for (const delivery::FlowView& view : engine.flow_views()) {
    const FlowRecord& flow = *view.record;
    if (flow.status != FlowStatus::paused) continue;
    if (flow.cause == PauseCause::deadLetterBrake)
      alarms.push_back({"deadLetterBrake", flow.name, flow.since, flow.reason});
    if (flow.cause == PauseCause::onFailure)
      alarms.push_back({"flowStoppedOnFailure", flow.name, flow.since, flow.reason});
  }
  for (delivery::Dispatcher* dispatcher : engine.dispatchers()) {
    if (dispatcher->spec().policy.circuit_breaker.mode == Mode::shadow) continue;
    policy::Breaker& breaker = dispatcher->guardrails().worst_breaker(now);
    if (breaker.state(now) != policy::Breaker::State::open) continue;
    const auto refusal = breaker.refusal(now);
    alarms.push_back(
        {"breakerOpen", dispatcher->spec().name, {}, refusal ? refusal->reason : std::string{}});
  }
  return alarms;
}

void write_alarms(wire::JsonWriter& json, const std::vector<Alarm>& alarms) {
  json.begin_array();
  for (const Alarm& alarm : alarms) {
    json.begin_object().field("type", alarm.type).field("name", alarm.name);
    time_field(json, "since", alarm.since);
    json.field("reason", alarm.reason).end_object();
  }
  json.end_array();
}

}  // namespace weir::api
