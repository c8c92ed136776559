// SPDX-License-Identifier: Apache-2.0
// Asks what the checks of a replay plan ask: of the running delivery side, the clock and the
// network. What cannot be asked is inconclusive.
#pragma once

#include <vector>

#include "async/task.h"
#include "model/plan_check.h"
#include "recovery/live.h"

namespace weir::recovery {

// One after the other, each at most as long as its patience. any_in_doubt: whether one of the
// selected deliveries is in doubt, for noneInDoubt; nullopt = not known.
async::Task<std::vector<CheckResult>> ask_all(const Live& live, std::vector<PlanCheck> checks,
                                              WallTime now, std::optional<bool> any_in_doubt);

// "breaker of tracker closed (it is open until 14:02:11)", of those that are not successful.
std::string what_fails(const std::vector<CheckResult>& results);

}  // namespace weir::recovery
