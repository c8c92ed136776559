// SPDX-License-Identifier: Apache-2.0
// What somebody should look at now, typed: the same list for /v1/status and for the metric. An
// alarm lasts as long as its cause.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "delivery/engine.h"
#include "recovery/quarantine_watch.h"
#include "wire/json.h"

namespace weir::api {

struct Alarm {
  // "deadLetterBrake", "flowStoppedOnFailure", "retriesFull", "breakerOpen", or one of
  // recovery/quarantine_watch.h
  std::string type;
  std::string name;  // of the flow or the dependency
  WallTime since{};
  std::string reason;
};

std::vector<Alarm> alarms_of(delivery::Engine& engine, const recovery::QuarantineWatch& quarantine,
                             MonoTime now, WallTime wall);
void write_alarm(wire::JsonWriter& json, const Alarm& alarm);
void write_alarms(wire::JsonWriter& json, const std::vector<Alarm>& alarms);

}  // namespace weir::api
