// SPDX-License-Identifier: Apache-2.0
// Cuts a plan that fails down to one that still fails: fewer kinds of faults first, then fewer
// moves (ddmin: Zeller and Hildebrandt, TSE 2002), then fewer events.
#pragma once

#include <functional>

#include "plan.h"

namespace weir::engine_sim {

using Fails = std::function<bool(const Plan&)>;

// `plan` fails. Tries at most `runs_max` others.
Plan shrink(Plan plan, const Fails& fails, int runs_max);

}  // namespace weir::engine_sim
