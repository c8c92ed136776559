// SPDX-License-Identifier: Apache-2.0
#include "policy/deadline.h"

#include <algorithm>

#include "base/seeded_bug.h"

namespace weir::policy {

namespace {
constexpr WallTime kNone{};
}  // namespace

WallTime event_deadline(const TimeoutsSpec& timeouts, const Event& event, WallTime start) {
  WallTime deadline = kNone;
  if (timeouts.event > Duration::zero()) {
    const bool fits = timeouts.event <= WallTime::max() - start;
    deadline = fits ? start + timeouts.event : WallTime::max();
  }
  const Extension* extension = event.find_extension("expirytime");
  if (extension == nullptr || WEIR_SEEDED_BUG("deadline.expirytime_ignored")) return deadline;
  const auto expiry = parse_rfc3339(extension->value);
  if (!expiry) return deadline;
  // Epoch zero means "none", so an expiry that long ago is moved by the smallest step.
  const WallTime given = std::max(*expiry, kNone + Duration{1});
  return deadline == kNone ? given : std::min(deadline, given);
}

bool is_expired(WallTime deadline, WallTime now) { return deadline != kNone && now >= deadline; }

std::optional<Duration> attempt_timeout(const TimeoutsSpec& timeouts, WallTime deadline,
                                        WallTime now) {
  if (deadline == kNone) return timeouts.attempt;
  if (now >= deadline) return {};
  const Duration left = deadline - now - timeouts.margin;
  if (left < std::min(timeouts.min_useful, timeouts.attempt)) return {};
  return WEIR_SEEDED_BUG("deadline.attempt_outlives_event") ? timeouts.attempt
                                                            : std::min(timeouts.attempt, left);
}

}  // namespace weir::policy
