// SPDX-License-Identifier: Apache-2.0
// A replay plan as people write it, in YAML or JSON, and as the API shows it: one shape, so that
// what was shown can be edited and given back. docs/guide/replay.md describes it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"
#include "model/replay.h"
#include "wire/json.h"

namespace weir::config {

struct PlanOutcome {
  std::optional<ReplayPlan> plan;  // only if there is no problem
  std::vector<Problem> problems;
};

// `now` is what "since: 15m" counts back from. Places are those of `text`, under the name "plan".
PlanOutcome read_replay_plan(std::string_view text, WallTime now);

// What a plan or an approval selects.
void write_selection(wire::JsonWriter& json, const Selection& selection);

// Every member is written, defaults included, so that nothing about a plan has to be guessed.
void write_replay_plan(wire::JsonWriter& json, const ReplayPlan& plan);

}  // namespace weir::config
