// SPDX-License-Identifier: Apache-2.0
// What the last process left of one flow: interruptions are found, counted and put back or
// quarantined, due rows and holds are loaded. Everything is decided here before the flow reads its
// stream.
#pragma once

#include "async/task.h"
#include "delivery/delivery_parts.h"
#include "delivery/flow.h"

namespace weir::delivery {

async::Task<Result<>> recover_flow(DeliveryParts& parts, Flow& flow);

}  // namespace weir::delivery
