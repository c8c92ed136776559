// SPDX-License-Identifier: Apache-2.0
// Four replays, with everything that a plan and an operator can do to one:
//
//   staged    preconditions that refuse it at first, an edit, a canary with a hold, verification
//             after the canary, at each step and at the end, a pause of hours in which retention
//             takes the log, and members that are archived and restored
//   stopping  a stop condition that slows it, another one that stops it, and an operator who goes
//   on aborted   with deliveries in flight, of a handler that must not be called twice rest ends
//   with a verification that comes to no end, which pauses it
#pragma once

#include "story.h"

namespace weir::crash {

const Story& replay_story();

// Members of the replay staged that are archived while it is paused, this one until it is over.
inline constexpr std::uint32_t kSetAside = 7;
inline constexpr std::uint32_t kRestored = 6;

}  // namespace weir::crash
