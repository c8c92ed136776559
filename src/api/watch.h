// SPDX-License-Identifier: Apache-2.0
// What changed, told as it happens: server-sent events (WHATWG HTML, "Server-sent events"). A
// watcher is told all alarms there are when it comes, and from then on what is raised and cleared;
// one that lost its connection misses nothing by coming back. It ends with the token it was opened
// with.
#pragma once

#include <string>
#include <vector>

#include "api/alarms.h"

namespace weir::api {

inline constexpr std::size_t kWatchersMax = 32;
inline constexpr Duration kLookForChanges = std::chrono::seconds{1};
// Whether the token is still good: one that is revoked has no second left to be told anything.
inline constexpr Duration kLookForToken = std::chrono::milliseconds{250};
// A comment after so long without an event, so that both sides notice when the other is gone.
inline constexpr Duration kWatchHeartbeat = std::chrono::seconds{2};

// "alarms", with all of them as a JSON array.
std::string all_alarms_event(const std::vector<Alarm>& now);
// "alarmRaised" for what is new, "alarmCleared" for what is gone; each with the alarm as JSON. One
// of each per alarm, however its reason reads meanwhile; one that went and came back between two
// looks has another `since`. Empty if nothing changed.
std::string alarm_events(const std::vector<Alarm>& before, const std::vector<Alarm>& now);

}  // namespace weir::api
