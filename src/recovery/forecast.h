// SPDX-License-Identifier: Apache-2.0
// What a plan will do before it does it: its dry run. No handler is called and nothing is stored.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"
#include "recovery/effect_outlook.h"
#include "recovery/live.h"
#include "recovery/plan_edits.h"

namespace weir::recovery {

inline constexpr std::size_t kStepsShown = 100;

// From then on, until the next one.
struct RateStep {
  Duration from{};  // since the start
  double per_second = 0;
  bool operator==(const RateStep&) const = default;
};

// Pure, from the plan alone.
struct ReplayEstimate {
  Duration canary{};            // until the canary is over, its hold included
  Duration total{};             // if nothing fails
  double peak_per_second = 0;   // highest release rate that will be reached
  std::vector<RateStep> steps;  // the rate over time, after the canary; the first kStepsShown
};

// attempt: the typical duration of one delivery. room: what the dependency has left for it, per
// second.
ReplayEstimate estimate(const ReplayPlan& plan, std::uint64_t deliveries, Duration attempt,
                        double room = std::numeric_limits<double>::infinity());

// Deliveries first to last - 1 of a run.
struct Stretch {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
// What these stretches of a run of so many deliveries come to over time: flows go one after the
// other, so a dependency may have its load at the end of a run. Pure.
std::vector<RateStep> load_over_time(const ReplayEstimate& estimate, std::uint64_t canary,
                                     std::uint64_t deliveries,
                                     const std::vector<Stretch>& stretches);

struct GroupShare {
  std::string group;  // hash
  std::string title;
  std::uint64_t deliveries = 0;
};

// What a dependency will have to take, per second.
struct ForecastLoad {
  std::string dependency;
  std::uint64_t deliveries = 0;
  double live = 0;              // first attempts of live events in the last minute
  double peak = 0;              // of the replay
  double price = 0;             // of one call; 0 = none is known
  double limit = 0;             // its rate limit, or else its capacity; 0 = none is known
  std::vector<RateStep> steps;  // of the replay over time, its canary included
};

struct Forecast {
  std::uint64_t deliveries = 0;
  std::uint64_t in_doubt = 0;      // of these
  std::uint64_t without_flow = 0;  // of these: their flow has left the configuration
  bool repeats = false;            // a rewind: all of them were delivered before
  std::uint64_t looked_at = 0;     // of these: whose events were looked at for the next two
  std::uint64_t rejected = 0;  // of those: what the filter of their flow would not let through now
  std::uint64_t too_old = 0;   // of those: stale by the plan's staleness
  PlanEdits edits;
  EffectOutlook effects;           // of those looked at: what another call of each would do
  std::vector<GroupShare> groups;  // the largest first
  std::vector<ForecastLoad> loads;
  Duration attempt{};  // what the estimate took for one delivery: the median of what passed lately
  ReplayEstimate estimate;
  std::vector<CheckResult> preconditions;  // now
};

// Errors: those of make_plan() but for the reason.
async::Task<Result<Forecast>> forecast(ports::Store& store, async::Clock& clock, const Live& live,
                                       ReplayPlan plan);

}  // namespace weir::recovery
