// SPDX-License-Identifier: Apache-2.0
// Follows a replay until nothing more happens without an operator.
#pragma once

#include <string>

#include "app/session.h"

namespace weir::app {

// Polls twice a second; a bar on a terminal, else a line every ten seconds; ends with the report on
// stdout. Ctrl-C ends the watching, not the replay. The result is the exit code.
int watch_replay(Session& session, const std::string& id);
// The report or the data of a replay, and what to do next.
void show_report(Session& session, wire::Json replay);

}  // namespace weir::app
