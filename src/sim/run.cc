// SPDX-License-Identifier: Apache-2.0
#include "sim/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "sim/expect.h"
#include "sim/verdict.h"
#include "sim/world.h"

namespace weir::sim {
namespace {

Totals totals_of(const World& world) {
  Totals totals;
  Delays delays;
  Step late;
  for (const Tally& tally : world.tallies()) {
    totals.events += tally.totals.events;
    totals.attempts += tally.totals.attempts;
    totals.succeeded += tally.totals.succeeded;
    totals.quarantined += tally.totals.quarantined;
    totals.expired += tally.totals.expired;
    totals.finished_after = std::max(totals.finished_after, tally.last_done);
    delays.add(tally.delays);
    const std::size_t count = tally.seconds.size();
    for (std::size_t i = count - std::min(count, kLateSeconds); i < count; ++i) {
      late.offered += tally.seconds[i].offered;
      late.attempted += tally.seconds[i].attempted;
      late.succeeded += tally.seconds[i].succeeded;
    }
  }
  const auto events = static_cast<double>(std::max<std::uint64_t>(totals.events, 1));
  totals.effects_twice = world.stage().effects_twice;
  totals.goodput = static_cast<double>(totals.succeeded) / events;
  totals.amplification = static_cast<double>(totals.attempts) / events;
  totals.late_goodput = late.succeeded / std::max(late.offered, 1.0);
  totals.late_amplification = late.attempted / std::max(late.offered, 1.0);
  totals.delay_p50 = delays.quantile(0.5);
  totals.delay_p99 = delays.quantile(0.99);
  return totals;
}

// So many seconds become one step: rates are averaged, the others are as they were at its end.
std::vector<Step> steps_of(const std::vector<Step>& seconds, std::size_t each) {
  std::vector<Step> steps;
  for (std::size_t from = 0; from < seconds.size(); from += each) {
    const std::size_t to = std::min(from + each, seconds.size());
    Step step = seconds[to - 1];
    step.offered = step.attempted = step.succeeded = step.failed = 0;
    const double length = static_cast<double>(to - from);
    for (std::size_t i = from; i < to; ++i) {
      step.offered += seconds[i].offered / length;
      step.attempted += seconds[i].attempted / length;
      step.succeeded += seconds[i].succeeded / length;
      step.failed += seconds[i].failed / length;
    }
    steps.push_back(step);
  }
  return steps;
}

}  // namespace

RunResult run(const Scenario& scenario, std::uint64_t seed) {
  World world(scenario, seed);
  world.run();
  RunResult result{.scenario = scenario.name,
                   .policy = scenario.policy,
                   .seed = seed,
                   .trace_hash = world.stage().trace.value(),
                   .totals = totals_of(world)};
  result.verdict = judge(scenario, world.tallies());
  const auto each = static_cast<std::size_t>(std::max(to_seconds(scenario.step), 1.0));
  for (std::size_t i = 0; i < world.tallies().size(); ++i) {
    result.series.push_back({.dependency = scenario.dependencies[i].spec.name,
                             .steps = steps_of(world.tallies()[i].seconds, each)});
  }
  for (const FaultSpec& fault : scenario.faults) {
    result.faults.push_back(
        {.what = fmt::format("{} of {}", to_text(fault.kind), fault.target_name),
         .from = to_seconds(fault.at),
         .to = to_seconds(fault.at + fault.lasts)});
  }
  for (const Expectation& expected : scenario.expect)
    result.checks.push_back(check(expected, result));
  return result;
}

bool all_met(const RunResult& result) { return std::ranges::all_of(result.checks, &Check::met); }

}  // namespace weir::sim
