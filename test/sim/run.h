// SPDX-License-Identifier: Apache-2.0
// One run: the moves of a plan against processes that die and come back, then the end of all
// faults, after which everything must come to rest.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "journal.h"
#include "plan.h"

namespace weir::engine_sim {

struct Report {
  std::uint64_t hash = 0;  // of the trace
  std::optional<std::string> violation;
  Sometimes sometimes;
  std::map<std::string, std::uint64_t> counts;  // "crashes", "fault.kill", ...
};

// Looks at a run after a move, beside all that is looked at anyway; says so by Journal::fail().
using Check = std::function<void(Journal&)>;

Report run(const Plan& plan, bool prints = false, const Check& check = nullptr);

}  // namespace weir::engine_sim
