// SPDX-License-Identifier: Apache-2.0
// Until when an event may be tried, and how long one attempt may take. Deadlines are wall time
// (they are persisted and come from the event); what is left of them is handed on as a duration.
#pragma once

#include <optional>

#include "base/time.h"
#include "model/event.h"
#include "model/policy_spec.h"

namespace weir::policy {

// `start` + timeouts.event (start = ingest, or release by a replay), or the CloudEvents extension
// `expirytime` if that is earlier. An expirytime that is no RFC 3339 time is ignored. Epoch zero =
// no deadline (timeouts.event <= 0).
WallTime event_deadline(const TimeoutsSpec& timeouts, const Event& event, WallTime start);

// Whether the deadline (epoch zero = none) has been reached.
bool is_expired(WallTime deadline, WallTime now);

// min(timeouts.attempt, remaining - margin); nullopt = refuse to start: decide_expired() is next.
std::optional<Duration> attempt_timeout(const TimeoutsSpec& timeouts, WallTime deadline,
                                        WallTime now);

}  // namespace weir::policy
