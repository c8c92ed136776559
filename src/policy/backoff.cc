// SPDX-License-Identifier: Apache-2.0
#include "policy/backoff.h"

#include <algorithm>
#include <cmath>

#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

Duration positive(Duration value) { return std::max(value, Duration::zero()); }

// U[0, bound], in whole microseconds.
Duration uniform(Duration bound, Rng& rng) {
  if (bound <= Duration::zero()) return Duration::zero();
  return Duration{
      static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bound.count()) + 1))};
}

// Before the cap, which takes what is drawn above it.
DelayRange decorrelated_draw(const BackOffSpec& spec, Duration previous) {
  const Duration base = std::min(positive(spec.base_interval), positive(spec.max_interval));
  // Clamped before it is tripled, so that it cannot overflow.
  const Duration tripled = std::min(positive(previous), Duration::max() / 3) * 3;
  return {base, std::max(base, tripled)};
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
    case Jitter::full:
      return WEIR_SEEDED_BUG("backoff.jitter_lost") ? ceiling : uniform(ceiling, rng);
    case Jitter::equal: return ceiling / 2 + uniform(ceiling - ceiling / 2, rng);
    case Jitter::decorrelated: break;
  }
  const auto [least, most] = decorrelated_draw(spec, previous);
  return std::min(positive(spec.max_interval), least + uniform(most - least, rng));
}

Duration retry_delay(const BackOffSpec& spec, std::uint32_t attempt, Duration previous,
                     std::optional<Duration> server_min, Rng& rng) {
  if (!server_min) return backoff(spec, attempt, previous, rng);
  return positive(*server_min) + uniform(backoff_ceiling(spec, attempt), rng);
}

DelayRange delay_range(const BackOffSpec& spec, std::uint32_t attempt, Duration previous,
                       std::optional<Duration> server_min) {
  const Duration ceiling = backoff_ceiling(spec, attempt);
  if (server_min) return {positive(*server_min), positive(*server_min) + ceiling};
  switch (spec.jitter) {
    case Jitter::none: return {ceiling, ceiling};
    case Jitter::full: return {Duration::zero(), ceiling};
    case Jitter::equal: return {ceiling / 2, ceiling};
    case Jitter::decorrelated: break;
  }
  const auto [least, most] = decorrelated_draw(spec, previous);
  return {least, std::min(positive(spec.max_interval), most)};
}

}  // namespace weir::policy
