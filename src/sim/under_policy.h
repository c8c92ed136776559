// SPDX-License-Identifier: Apache-2.0
// One scenario under the policy of another one: the load, what the dependencies do and what goes
// wrong stay as they are. Pure.
#pragma once

#include "base/result.h"
#include "sim/scenario.h"

namespace weir::sim {

// Flows and dependencies are told by their names; what `other` says of further ones is left alone.
// From it come the policies of both, how refusals are taken, the declared capacities, how many
// instances share a dependency's guardrails, and the failure modes. Error: usage, if it lacks one.
Result<Scenario> under_policy(const Scenario& scenario, const Scenario& other);

}  // namespace weir::sim
