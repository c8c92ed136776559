// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace weir::policy {
namespace {

constexpr double kMicros = 1e6;
// Microseconds; far below the resolution of the clock, far above the rounding of a double.
constexpr double kTolerance = 1e-3;

}  // namespace

RateLimit::RateLimit(const RateLimitSpec& spec)
    : enabled_(spec.enabled && spec.per_second > 0),
      per_second_(spec.per_second),
      burst_(std::max(spec.burst, 1.0)) {}

std::optional<MonoTime> RateLimit::next(MonoTime now, double cost) const {
  if (!enabled_) return {};
  if (cost > burst_) return MonoTime::max();
  const double elapsed = started_ ? static_cast<double>((now - origin_).count()) : 0;
  const double arrival = std::max(elapsed, arrival_us_) + cost / per_second_ * kMicros;
  const double wait = arrival - elapsed - burst_ / per_second_ * kMicros;
  if (wait <= kTolerance) return {};
  return now + Duration{static_cast<std::int64_t>(std::ceil(wait))};
}

std::optional<MonoTime> RateLimit::admit(MonoTime now, double cost) {
  if (const auto later = next(now, cost)) return later;
  if (!enabled_) return {};
  if (!started_) origin_ = now;
  started_ = true;
  const double elapsed = static_cast<double>((now - origin_).count());
  arrival_us_ = std::max(elapsed, arrival_us_) + cost / per_second_ * kMicros;
  return {};
}

double RateLimit::tokens(MonoTime now) const {
  if (!enabled_) return std::numeric_limits<double>::infinity();
  const double elapsed = started_ ? static_cast<double>((now - origin_).count()) : 0;
  const double debt = std::max(arrival_us_ - elapsed, 0.0) * per_second_ / kMicros;
  return std::max(burst_ - debt, 0.0);
}

}  // namespace weir::policy
