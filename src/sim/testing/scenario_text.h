// SPDX-License-Identifier: Apache-2.0
// Scenarios as text in tests.
#pragma once

#include <string>
#include <string_view>

#include "sim/read_scenario.h"
#include "sim/run_result.h"

namespace weir::sim::testing {

// Throws with what is wrong.
Scenario scenario_of(const std::string& text, const Surroundings& around = {});
// "3:9 unknown setting 'rat' in load 'a' (did you mean 'rate'?)", one line per problem.
std::string problems_of(const std::string& text, const Surroundings& around = {});
RunResult run_of(const std::string& text, std::uint64_t seed = 1);

}  // namespace weir::sim::testing
