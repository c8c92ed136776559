// SPDX-License-Identifier: Apache-2.0
// What must hold of a running process after every move, and of everything once the faults are over.
#pragma once

#include <map>
#include <set>
#include <string>

#include "journal.h"
#include "process.h"

namespace weir::engine_sim {

// What the last look saw; a state may only become one that follows from it.
struct Seen {
  std::map<DeliveryRef, Delivery> rows;
  std::map<ReplayId, Replay> replays;
  // Of replays that nobody was telling to go on: how often that had begun.
  std::map<ReplayId, std::uint32_t> resumes;
  std::set<OneOf> gone;  // was open, and has no row any more
};

// Rows, flows and replays as the store tells them. Nothing if the process ends meanwhile.
void look(engine_test::Process& process, Journal& journal, Seen& seen);
// Right after a start: nothing acknowledged is missing.
void check_start(engine_test::Process& process, Journal& journal);
// Nobody has done anything since `since`, when all faults were over: what was due then has been
// called, unless its flow is paused or its breaker is not closed.
void check_goes_on(engine_test::Process& process, Journal& journal, WallTime since);
// Empty when every delivery of every flow is settled, and no key is held.
std::string what_is_left(engine_test::Process& process, Journal& journal);
// Once all is settled: what became of every event, order, replays, effects.
void check_end(engine_test::Process& process, Journal& journal);

}  // namespace weir::engine_sim
