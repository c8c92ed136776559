// SPDX-License-Identifier: Apache-2.0
// How long to wait before the next attempt. The cap is applied before the jitter, and no attempt
// number overflows. full: U(0, c), equal: c/2 + U(0, c/2), decorrelated: min(max, U(base, 3 *
// previous)), none: c, with c = min(max, base * multiplier^(attempt - 1)). (AWS Architecture Blog,
// "Exponential Backoff and Jitter".)
#pragma once

#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"
#include "model/policy_spec.h"

namespace weir::policy {

// The ceiling c. attempt is 1 after the first failure; 0 counts as 1.
Duration backoff_ceiling(const BackOffSpec& spec, std::uint32_t attempt);

// `previous` is the last delay of this delivery (decorrelated only); zero if there was none. Result
// in [0, max_interval].
Duration backoff(const BackOffSpec& spec, std::uint32_t attempt, Duration previous, Rng& rng);

// With a minimum from the server: minimum + U(0, c), whatever the jitter, because one Retry-After
// sent to many deliveries would bring them all back in one instant. Never below the minimum, never
// above minimum + max_interval.
Duration retry_delay(const BackOffSpec& spec, std::uint32_t attempt, Duration previous,
                     std::optional<Duration> server_min, Rng& rng);

// What retry_delay() can give: both ends included.
struct DelayRange {
  Duration least{};
  Duration most{};
};
DelayRange delay_range(const BackOffSpec& spec, std::uint32_t attempt, Duration previous,
                       std::optional<Duration> server_min);

}  // namespace weir::policy
