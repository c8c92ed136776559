// SPDX-License-Identifier: Apache-2.0
// What a plan will do before it does it: duration and load, from the plan alone. Pure.
#pragma once

#include <cstdint>

#include "model/replay.h"

namespace weir::recovery {

struct ReplayEstimate {
  Duration canary{};           // until the canary is over, its hold included
  Duration total{};            // if nothing fails and the handler keeps up
  double peak_per_second = 0;  // highest release rate that will be reached
};

// `attempt` is the typical duration of one delivery.
ReplayEstimate estimate(const ReplayPlan& plan, std::uint64_t deliveries, Duration attempt);

}  // namespace weir::recovery
