// SPDX-License-Identifier: Apache-2.0
// How deliveries, groups, replays, flows and dependencies look in JSON. Field names are part of the
// API.
#pragma once

#include "delivery/engine.h"
#include "model/delivery.h"
#include "model/effect.h"
#include "model/group.h"
#include "model/replay.h"
#include "policy/stop_conditions.h"
#include "ports/store.h"
#include "recovery/forecast.h"
#include "recovery/live.h"
#include "wire/json.h"

namespace weir::api {

void write_delivery(wire::JsonWriter& json, const recovery::Live& live, const Delivery& row,
                    bool with_history);
// `all`: what else was merged into it is among them.
void write_group(wire::JsonWriter& json, const recovery::Live& live, Group group,
                 const std::vector<Group>& all);
struct ReplayNow {
  std::vector<policy::StopReading> stops;
  std::optional<Duration> time_left;
  std::optional<double> rate;           // what a run under way may release per second
  std::optional<std::uint64_t> joined;  // came into quarantine since, and would have fitted
  std::string needs_approval;           // why, of one that does not run
  std::optional<Approval> approval;     // the newest request for it
  ApprovalState approval_state{};
};
void write_replay(wire::JsonWriter& json, const recovery::Live& live, const Replay& replay,
                  const ReplayNow& now = {});
void write_forecast(wire::JsonWriter& json, const recovery::Forecast& forecast);
void write_flow(wire::JsonWriter& json, const delivery::FlowView& view,
                const ports::FlowCounts& counts);
// All zero for a flow without any.
ports::FlowCounts counts_of(const std::vector<ports::FlowCounts>& all, FlowId id);
void write_dependency(wire::JsonWriter& json, delivery::Dispatcher& dispatcher, MonoTime now);
// Attributes and the shape of the data, without the data.
void write_event(wire::JsonWriter& json, const recovery::Live& live, const StoredEvent& stored);
// `may_reveal`: to somebody who may see payloads. Others get a name for the key if anything of the
// stream is hidden, because keys can be computed from what they are made of.
void write_effect(wire::JsonWriter& json, const recovery::Live& live, const Effect& effect,
                  bool may_reveal);

std::string flow_name(const recovery::Live& live, FlowId id);

void write_approval(wire::JsonWriter& json, const Approval& approval, WallTime now);

}  // namespace weir::api
