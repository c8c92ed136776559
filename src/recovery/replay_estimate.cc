// SPDX-License-Identifier: Apache-2.0
#include "recovery/replay_estimate.h"

#include <algorithm>

namespace weir::recovery {

ReplayEstimate estimate(const ReplayPlan& plan, std::uint64_t deliveries, Duration attempt) {
  ReplayEstimate result;
  std::uint64_t left = deliveries;
  if (plan.canary.count > 0 && left > 0) {
    left -= std::min<std::uint64_t>(left, plan.canary.count);
    result.canary = attempt + (left > 0 ? plan.canary.hold : Duration{});
  }
  result.total = result.canary;
  const double step = std::chrono::duration<double>(plan.rate.step).count();
  const double busy = std::chrono::duration<double>(attempt).count();
  const double by_concurrency = busy > 0 ? plan.rate.concurrency / busy : plan.rate.max_per_second;
  const double cap = std::min(plan.rate.max_per_second, by_concurrency);
  double rate = std::min(plan.rate.start_per_second, cap);
  double seconds = 0;
  auto rest = static_cast<double>(left);
  while (rest > 0) {  // ends: the rate grows to the cap, and the last step takes all that is left
    result.peak_per_second = std::max(result.peak_per_second, rate);
    const bool at_cap = rate >= cap || plan.rate.ramp_factor <= 1;
    if (at_cap || rest <= rate * step) {
      seconds += rest / rate;
      break;
    }
    rest -= rate * step;
    seconds += step;
    rate = std::min(rate * plan.rate.ramp_factor, cap);
  }
  result.total += Duration{static_cast<std::int64_t>(seconds * 1e6)};
  if (left > 0) result.total += attempt;
  return result;
}

}  // namespace weir::recovery
