// SPDX-License-Identifier: Apache-2.0
// The rules of bound_lints.h that look at one flow, and at several things that are the same one.
#pragma once

#include <vector>

#include "policy/bound_lints.h"

namespace weir::policy {

void lint_flow(const FlowSpec& flow, const FlowBound& bound, std::vector<Finding>& into);
// Two dependencies that are one server; a dependency that is Weir itself.
void lint_layers(const Config& config, std::vector<Finding>& into);

}  // namespace weir::policy
