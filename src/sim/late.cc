// SPDX-License-Identifier: Apache-2.0
#include "sim/late.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace weir::sim {
namespace {

constexpr double kBusyShare = 0.95;  // and more is all the time
constexpr double kHeldShare = 0.1;   // of what was asked for, to be more than a burst
constexpr double kFailingShare = 0.01;

// It and the ones that its handlers call, one after the other; reading refuses circles.
std::vector<std::size_t> chain_of(std::size_t dependency, const Scenario& scenario) {
  std::vector<std::size_t> chain;
  for (std::optional<std::size_t> at = dependency; at; at = scenario.dependencies[*at].server.calls)
    chain.push_back(*at);
  return chain;
}

double mean_busy(const Tally& tally) {
  const std::size_t count = std::min(tally.strains.size(), kLateSeconds);
  double sum = 0;
  for (std::size_t i = tally.strains.size() - count; i < tally.strains.size(); ++i)
    sum += tally.strains[i].busy;
  return count == 0 ? 0 : sum / static_cast<double>(count);
}

}  // namespace

Late late_of(std::size_t dependency, const Scenario& scenario, const std::vector<Tally>& tallies) {
  const Tally& tally = tallies[dependency];
  const std::size_t count = std::min(tally.seconds.size(), kLateSeconds);
  Late late;
  Strain sum;
  for (std::size_t i = tally.seconds.size() - count; i < tally.seconds.size(); ++i) {
    late.offered += tally.seconds[i].offered;
    late.attempted += tally.seconds[i].attempted;
    late.done += tally.seconds[i].succeeded;
    late.failed += tally.seconds[i].failed;
    sum.turned_away += tally.strains[i].turned_away;
    for (std::size_t k = 0; k < sum.refused.size(); ++k)
      sum.refused[k] += tally.strains[i].refused[k];
  }
  for (const std::size_t one : chain_of(dependency, scenario))
    late.busy = late.busy || mean_busy(tallies[one]) >= kBusyShare;
  const auto most = std::ranges::max_element(sum.refused);
  if (!late.busy && *most > 0 && *most >= kHeldShare * (*most + late.attempted))
    late.held_by = static_cast<Guardrail>(most - sum.refused.begin());
  late.failed = std::min(late.failed / std::max(late.attempted, 1.0), 1.0);
  for (const Step& second : tally.seconds) late.ever_failed += second.failed;
  late.ever_failed /= static_cast<double>(std::max<std::uint64_t>(tally.totals.attempts, 1));
  late.turned_away = sum.turned_away / std::max(late.attempted, 1.0);
  for (double* rate : {&late.offered, &late.attempted, &late.done})
    *rate /= static_cast<double>(std::max<std::size_t>(count, 1));
  return late;
}

double capacity_of(std::size_t dependency, const Scenario& scenario) {
  double least = std::numeric_limits<double>::infinity();
  for (const std::size_t one : chain_of(dependency, scenario))
    least = std::min(least, scenario.dependencies[one].server.capacity());
  return least;
}

std::string_view setting_of(Guardrail guardrail) {
  switch (guardrail) {
    case Guardrail::breaker: return "circuitBreaker";
    case Guardrail::retryBudget: return "retryConstraint";
    case Guardrail::rateLimit:
    case Guardrail::concurrency:
    case Guardrail::memory:
    case Guardrail::paused: break;
  }
  return to_text(guardrail);
}

std::string failures_text(const Late& late) {
  if (late.failed < kFailingShare) return {};
  if (late.turned_away > late.failed / 2)
    return fmt::format("{:.3g} % of calls are refused by the full queue", late.turned_away * 100);
  return fmt::format("{:.3g} % of calls fail", late.failed * 100);
}

}  // namespace weir::sim
