// SPDX-License-Identifier: Apache-2.0
// The scenarios of published/, run with other values and several seeds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/run_result.h"

namespace weir::scenarios {

// `settings` as `weir simulate --set` takes them. Throws with what is wrong with them.
std::vector<sim::RunResult> runs_of(const std::string& name,
                                    const std::vector<std::string>& settings, std::uint64_t seeds);

// Seconds to recovery of all runs, in order; -1 = never.
std::vector<double> recoveries(const std::vector<sim::RunResult>& runs);
bool all_recover(const std::vector<sim::RunResult>& runs);
bool none_recovers(const std::vector<sim::RunResult>& runs);

// Shares and factors over all runs.
double mean_goodput(const std::vector<sim::RunResult>& runs);
double mean_amplification(const std::vector<sim::RunResult>& runs);

}  // namespace weir::scenarios
