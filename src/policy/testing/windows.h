// SPDX-License-Identifier: Apache-2.0
// Whether something stayed within a rate and a burst in every window of time, not only in those
// that one would look at.
#pragma once

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include <rapidcheck.h>

#include "base/time.h"

namespace weir::policy::testing {

// In order of time; an amount each.
using Admitted = std::vector<std::pair<MonoTime, double>>;

// From the i-th to the j-th: sum <= per_second * (t_j - t_i) + burst. Written as a difference of
// what belongs to j and what belongs to i, one pass looks at all pairs.
inline void check_windows(const Admitted& admitted, double per_second, double burst) {
  double sum = 0;
  double least = std::numeric_limits<double>::infinity();
  double most = 0;
  for (const auto& [at, amount] : admitted) {
    const Duration since = at - admitted.front().first;
    const double allowed = per_second * std::chrono::duration<double>(since).count();
    least = std::min(least, sum - allowed);
    sum += amount;
    most = std::max(most, sum - allowed - least);
  }
  RC_ASSERT(most <= burst + 1e-6 + 1e-9 * per_second);
}

}  // namespace weir::policy::testing
