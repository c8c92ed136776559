// SPDX-License-Identifier: Apache-2.0
#include "policy/backoff.h"

#include <algorithm>
#include <cmath>

namespace weir::policy {
namespace {

Duration positive(Duration value) { return std::max(value, Duration::zero()); }

// U[0, bound], in whole microseconds.
Duration uniform(Duration bound, Rng& rng) {
  if (bound <= Duration::zero()) return Duration::zero();
  return Duration{
      static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bound.count()) + 1))};
}

}  // namespace

Duration backoff_ceiling(const BackOffSpec& spec, std::uint32_t attempt) {
  const Duration max = positive(spec.max_interval);
  const double exponent = attempt == 0 ? 0 : attempt - 1.0;
  const double grown = static_cast<double>(positive(spec.base_interval).count()) *
                       std::pow(std::max(spec.multiplier, 1.0), exponent);
  // Infinity and anything a Duration cannot hold lies above the cap; the comparison happens before
  // the conversion.
  if (!(grown < static_cast<double>(max.count()))) return max;
  return Duration{static_cast<std::int64_t>(grown)};
}

Duration backoff(const BackOffSpec& spec, std::uint32_t attempt, Duration previous, Rng& rng) {
  const Duration ceiling = backoff_ceiling(spec, attempt);
  switch (spec.jitter) {
    case Jitter::none: return ceiling;
    case Jitter::full: return uniform(ceiling, rng);
    case Jitter::equal: return ceiling / 2 + uniform(ceiling - ceiling / 2, rng);
    case Jitter::decorrelated: break;
  }
  const Duration max = positive(spec.max_interval);
  const Duration base = std::min(positive(spec.base_interval), max);
  // Clamped before it is tripled, so that it cannot overflow.
  const Duration tripled = std::min(positive(previous), Duration::max() / 3) * 3;
  return std::min(max, base + uniform(std::max(tripled - base, Duration::zero()), rng));
}

Duration retry_delay(const BackOffSpec& spec, std::uint32_t attempt, Duration previous,
                     std::optional<Duration> server_min, Rng& rng) {
  if (!server_min) return backoff(spec, attempt, previous, rng);
  return positive(*server_min) + uniform(backoff_ceiling(spec, attempt), rng);
}

}  // namespace weir::policy
