// SPDX-License-Identifier: Apache-2.0
#include "sim/arrivals.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace weir::sim {

double OpenLoad::shape(MonoTime now) const {
  if (load_.swing <= 0) return 1;
  const double turn = to_seconds(now) / to_seconds(load_.period);
  return 1 + load_.swing * std::sin(2 * std::numbers::pi * turn);
}

double OpenLoad::rate(MonoTime now) const {
  if (load_.arrivals == Arrivals::recorded && !load_.recorded.empty()) {
    return static_cast<double>(load_.recorded.size()) /
           std::max(to_seconds(load_.recorded.back()), 1.0);
  }
  const double bursts = load_.burst_size > 0 ? load_.burst_size / to_seconds(load_.burst_every) : 0;
  return (load_.rate * shape(now) + bursts) * factor_;
}

// A varying rate is thinned out of the highest one (Lewis and Shedler, 1979).
std::optional<MonoTime> OpenLoad::next(MonoTime now, Rng& rng) {
  if (load_.arrivals == Arrivals::recorded) {
    if (recorded_ == load_.recorded.size()) return std::nullopt;
    return MonoTime{load_.recorded[recorded_++]};
  }
  const double highest = load_.rate * factor_ * (1 + load_.swing);
  if (!(highest > 0)) return std::nullopt;
  if (load_.arrivals == Arrivals::regular)
    return now + from_seconds(1 / (load_.rate * factor_ * shape(now)));
  while (true) {
    now += from_seconds(-std::log(1 - rng.unit()) / highest);
    if (load_.swing <= 0 || rng.unit() * (1 + load_.swing) < shape(now)) return now;
  }
}

}  // namespace weir::sim
