// SPDX-License-Identifier: Apache-2.0
// Runs a scenario with one seed. Pure: no clock, no disk, and the same result every time.
#pragma once

#include "sim/run_result.h"
#include "sim/scenario.h"

namespace weir::sim {

RunResult run(const Scenario& scenario, std::uint64_t seed);

// Whether every line of `expect:` was met.
bool all_met(const RunResult& result);

}  // namespace weir::sim
