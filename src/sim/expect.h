// SPDX-License-Identifier: Apache-2.0
// One line of `expect:` against what was measured.
#pragma once

#include <string>
#include <string_view>

#include "sim/run_result.h"
#include "sim/scenario.h"

namespace weir::sim {

Check check(const Expectation& expected, const RunResult& result);

std::string_view to_text(Ending ending);

// How the numbers of a measure are written.
enum class Unit : std::uint8_t { share, seconds, factor, count };
Unit unit_of(Measure measure);
std::string written(double value, Unit unit);

}  // namespace weir::sim
