// SPDX-License-Identifier: Apache-2.0
// The worst case of a configuration, for people and for programs. Pure.
#pragma once

#include <string>
#include <string_view>

#include "policy/bound.h"

namespace weir::app {

// Of one flow and its dependency, or of everything if `flow` is empty.
policy::Bound narrowed(policy::Bound bound, std::string_view flow);
// The worst of the dependencies: overloaded, vulnerable, unknown, stable.
policy::Verdict worst(const policy::Bound& bound);

std::string bound_text(const policy::Bound& bound);
std::string bound_json(const policy::Bound& bound);

}  // namespace weir::app
