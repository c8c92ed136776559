// SPDX-License-Identifier: Apache-2.0
// The last seconds of one dependency, and what they say about why no more was done in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/decision.h"
#include "sim/scenario.h"
#include "sim/tally.h"

namespace weir::sim {

struct Late {
  double offered = 0;  // per second, as the next two
  double attempted = 0;
  double done = 0;
  double failed = 0;       // share of the calls
  double ever_failed = 0;  // likewise, of the whole run
  double turned_away = 0;  // share of the calls: the server's queue was full
  bool busy = false;       // the server, or one that its handlers call, worked all the time
  // What refused calls again and again while the server could have done more.
  std::optional<Guardrail> held_by;
};

// `tallies` as in the scenario.
Late late_of(std::size_t dependency, const Scenario& scenario, const std::vector<Tally>& tallies);

// Calls per second that it and those that its handlers call can do.
double capacity_of(std::size_t dependency, const Scenario& scenario);

// As the configuration calls it.
std::string_view setting_of(Guardrail guardrail);

// "60 % of calls fail", or are turned away; empty if hardly one does.
std::string failures_text(const Late& late);

}  // namespace weir::sim
