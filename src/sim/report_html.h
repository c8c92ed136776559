// SPDX-License-Identifier: Apache-2.0
// A run as one HTML page that needs nothing from elsewhere: verdict first, then totals, what was
// expected, and charts over time. Two policies are drawn over each other. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/run_result.h"

namespace weir::sim {

// The runs of one policy, one per seed. The first is the one that is drawn.
using Runs = std::vector<RunResult>;

// One or two sides, each with at least one run. Names come from files and are escaped.
std::string html_report(std::span<const Runs> sides);

}  // namespace weir::sim
