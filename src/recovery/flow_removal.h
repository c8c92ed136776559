// SPDX-License-Identifier: Apache-2.0
// What goes with a flow that is removed for good: whoever removes it gives its quarantine up, and
// needs the same yes as for a discard. The flow does not run: nothing is added to it meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "ports/store.h"
#include "recovery/approvals.h"
#include "recovery/live.h"

namespace weir::recovery {

struct FlowLeftovers {
  FlowId flow;
  std::uint64_t quarantined = 0;
  std::uint64_t waiting = 0;        // rows in waiting, ready or inFlight
  bool in_doubt = false;            // one of them, or one of their effects
  std::string members;              // SHA-256 over all of them; "" = there are none
  std::vector<DeliveryRef> sample;  // the first of them
};

async::Task<Result<FlowLeftovers>> what_is_left(ports::Store& store, const Live& live, WallTime now,
                                                FlowId flow);
// "5 quarantined and 2 waiting deliveries, members 3f..."
std::string to_text(const FlowLeftovers& left);
// Bound to what is left and the reason.
Wish wish_to_remove(const Live& live, const std::string& name, const FlowLeftovers& left,
                    const Doer& doer);

}  // namespace weir::recovery
