// SPDX-License-Identifier: Apache-2.0
// A run as a picture of characters: what was attempted and what succeeded over time, and below it
// a line each for queue, limit, budget, breaker and faults. Pure; everything in it is printable.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "sim/run_result.h"

namespace weir::sim {

struct PlotStyle {
  std::size_t width = 0;  // of the terminal, in characters; 0 = no terminal: 100. 48 are needed
  bool color = false;
};

// One plot per dependency, and per side below each other on one scale. Ends in a newline unless
// there is nothing to plot.
std::string plot(std::span<const RunResult> sides, const PlotStyle& style);

}  // namespace weir::sim
