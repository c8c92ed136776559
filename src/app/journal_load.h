// SPDX-License-Identifier: Apache-2.0
// The arrivals that a running Weir recorded, as the load of a simulation.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/session.h"
#include "base/time.h"

namespace weir::app {

inline constexpr std::size_t kJournalEventsMax = 1'000'000;

// By stream: when its events of the last `window` were recorded, since the begin of it. The exit
// code after the problem has been printed; kExitOk = `into` is filled in.
int read_journal(Session& session, Duration window,
                 std::map<std::string, std::vector<Duration>>& into);

}  // namespace weir::app
