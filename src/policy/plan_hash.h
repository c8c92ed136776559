// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/replay.h"

namespace weir::policy {

// SHA-256 of what the plan will do, 64 hex digits: whoever runs it can say which plan was read. Who
// made it, and why, is no part of it.
std::string plan_hash(const ReplayPlan& plan);

}  // namespace weir::policy
