// SPDX-License-Identifier: Apache-2.0
// The promise of policy/retry_budget.h, counted from the calls that arrived.
#pragma once

#include <deque>
#include <string>

#include "journal.h"
#include "model/policy_spec.h"

namespace weir::engine_sim {

// Empty, or by how much the last of `calls` exceeds the retries of its window. Counts the calls of
// its life, from `since` on: there the budget began.
std::string above_retry_bound(const std::deque<Call>& calls, const RetryConstraintSpec& spec,
                              MonoTime since);

}  // namespace weir::engine_sim
