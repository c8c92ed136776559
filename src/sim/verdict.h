// SPDX-License-Identifier: Apache-2.0
// What became of a run. Recovered is as in Bronson et al., "Metastable Failures in Distributed
// Systems" (HotOS'21): five seconds in which goodput is at least 0.9 of what is offered (longer for
// loads so small that chance alone would decide).
#pragma once

#include <vector>

#include "sim/run_result.h"
#include "sim/scenario.h"
#include "sim/tally.h"

namespace weir::sim {

// The worst of all dependencies; `tallies` as in the scenario.
Verdict judge(const Scenario& scenario, const std::vector<Tally>& tallies);

}  // namespace weir::sim
