// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/replay.h"
#include "policy/redaction.h"

namespace weir::policy {

// Names what the plan will do, 64 hex digits: whoever runs it can say which plan was read. Who made
// it, and why, is no part of it. With the store's secret: a plan may ask for what is hidden, and
// those who see the hash are not to find that by trying.
std::string plan_hash(const ReplayPlan& plan, const Redaction& redaction);

}  // namespace weir::policy
