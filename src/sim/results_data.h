// SPDX-License-Identifier: Apache-2.0
// The runs of one scenario for programs.
#pragma once

#include <string>
#include <vector>

#include "sim/run_result.h"

namespace weir::sim {

// One object; units are in the names or as in run_result.h.
std::string results_json(const std::vector<RunResult>& runs);

// One test suite, a case for each line of `expect:` of each run, or one per run without any.
std::string results_junit(const std::vector<RunResult>& runs);

}  // namespace weir::sim
