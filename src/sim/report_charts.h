// SPDX-License-Identifier: Apache-2.0
// Which charts a run has. One run: a colour per measure. Two: a colour per policy. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/report_chart.h"
#include "sim/run_result.h"

namespace weir::sim {

// In the order of their first appearance.
std::vector<std::string> dependencies_of(std::span<const RunResult> sides);

// One or two sides. Guardrails that never moved have no chart.
std::vector<Chart> charts_of(std::span<const RunResult> sides, const std::string& dependency);

}  // namespace weir::sim
