// SPDX-License-Identifier: Apache-2.0
// The user's rules about failures, which come before the table of policy/classify.h.
#pragma once

#include <span>
#include <string_view>

#include "model/decision.h"
#include "model/outcome.h"
#include "model/policy_spec.h"

namespace weir::policy {

// The first whose conditions all hold, or nullptr. `row_ok`: the table calls the outcome a success.
const FailureModeSpec* find_mode(std::span<const FailureModeSpec> modes, const Outcome& outcome,
                                 bool row_ok, std::string_view flow, std::string_view dependency);

// What a class alone says, for failure modes that name one.
void apply_class(Classification& into, FailureClass failure, const Outcome& outcome);

}  // namespace weir::policy
