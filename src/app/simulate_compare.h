// SPDX-License-Identifier: Apache-2.0
// The other side of `weir simulate --compare`.
#pragma once

#include "app/simulate_flags.h"
#include "base/result.h"
#include "config/load.h"
#include "sim/read_scenario.h"

namespace weir::app {

// The scenario in `file` under the policy that `flags.compare` has: another scenario with loads and
// dependencies of the same names, or a configuration in the place of the one that the scenario
// takes. Errors: as of reading files, and config_invalid with all that is wrong with it.
Result<sim::Scenario> other_side(const config::SourceFile& file, const sim::Scenario& scenario,
                                 const SimulateFlags& flags, const sim::Surroundings& around);

}  // namespace weir::app
