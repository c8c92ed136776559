// SPDX-License-Identifier: Apache-2.0
// What is wrong with a scenario, told where it stands: in a file, or on the command line. Pure.
#pragma once

#include <vector>

#include "app/simulate_flags.h"
#include "base/error.h"
#include "config/problem.h"

namespace weir::app {

// `problems` as of reading a scenario, or the one that made_scenario() wrote for these flags.
Error wrong_scenario(const SimulateFlags& flags, std::vector<config::Problem> problems);

}  // namespace weir::app
