// SPDX-License-Identifier: Apache-2.0
// The promise of policy/retry_budget.h, counted from the calls that arrived.
#pragma once

#include <deque>
#include <string>

#include "journal.h"
#include "model/policy_spec.h"

namespace weir::engine_sim {

// A budget began at some time between the two: first attempts count from the earlier one, retries
// from the later.
struct RetryBound {
  RetryConstraintSpec spec;
  MonoTime earliest{};
  MonoTime latest{};
};

// Empty, or by how much the last of `calls` exceeds the retries of its window. Counts the calls of
// its life.
std::string above_bound(const RetryBound& bound, const std::deque<Call>& calls);

}  // namespace weir::engine_sim
