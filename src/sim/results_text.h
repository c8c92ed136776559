// SPDX-License-Identifier: Apache-2.0
// The runs of one scenario for a terminal: the verdict first, then numbers, then what was expected.
// Pure; names in it are made printable.
#pragma once

#include <string>
#include <vector>

#include "sim/run_result.h"

namespace weir::sim {

// At least one run, all of the same scenario.
std::string results_text(const std::vector<RunResult>& runs);

// Two policies side by side: what became of each, and the numbers of their middle runs.
std::string compared_text(const std::vector<RunResult>& one, const std::vector<RunResult>& other);

// "recovers in all 20 runs, after 0.4 s to 2 s", or the one run's own sentence.
std::string verdict_line(const std::vector<RunResult>& runs);

// The run that a person should look at: one that missed what was expected, or ended worst.
const RunResult& worst_of(const std::vector<RunResult>& runs);

}  // namespace weir::sim
