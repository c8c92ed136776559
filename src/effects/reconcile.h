// SPDX-License-Identifier: Apache-2.0
// How a dependency is asked whether an effect happened, and what its answer means. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/outcome.h"
#include "model/policy_spec.h"

namespace weir::effects {

enum class Reconciled : std::uint8_t { unknown, applied, notApplied };

// The path with the key in it, percent-encoded.
std::string reconcile_target(const ReconcileSpec& spec, std::string_view key);

// An answer that fits both, or neither, says nothing. `detail` is filled in for people.
Reconciled judge_reconcile(const ReconcileSpec& spec, const Outcome& outcome, std::string& detail);

}  // namespace weir::effects
