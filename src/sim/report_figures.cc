// SPDX-License-Identifier: Apache-2.0
#include "sim/report_figures.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "base/grouped.h"
#include "base/time.h"

namespace weir::sim {
namespace {

constexpr std::array<double, 17> kClockSteps = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                                600, 900, 1800, 3600, 7200, 21600, 43200, 86400};

Step merged(const Step* first, const Step* last) {
  const auto count = static_cast<double>(last - first);
  Step sum{.at = (last - 1)->at, .budget = first->budget};
  for (const Step* step = first; step != last; ++step) {
    sum.offered += step->offered / count;
    sum.attempted += step->attempted / count;
    sum.succeeded += step->succeeded / count;
    sum.failed += step->failed / count;
    sum.in_flight += step->in_flight / count;
    sum.limit += step->limit / count;
    sum.queue = std::max(sum.queue, step->queue);
    sum.server_queue = std::max(sum.server_queue, step->server_queue);
    sum.budget = std::min(sum.budget, step->budget);
    sum.breaker = std::max(sum.breaker, step->breaker);
  }
  return sum;
}

}  // namespace

std::string figure(double value) {
  if (!std::isfinite(value)) return "-";
  if (value < 99.95) return fmt::format("{:.3g}", value);
  return grouped(static_cast<std::uint64_t>(std::llround(std::min(value, 1e15))));
}

std::string seconds_text(double seconds) {
  if (!(seconds > 0)) return "0 s";
  return weir::to_text(Duration{std::llround(std::min(seconds, 1e12) * 1e6)});
}

std::string tick_text(double seconds) {
  const bool whole_minutes = seconds >= 60 && std::fmod(seconds, 60) == 0;
  if (seconds < 180 && !whole_minutes) return fmt::format("{:.3g} s", seconds);
  if (seconds < 3 * 3600) return fmt::format("{:.3g} min", seconds / 60);
  return fmt::format("{:.3g} h", seconds / 3600);
}

std::string recovery_text(const Verdict& verdict) {
  if (verdict.recovered_after) return seconds_text(*verdict.recovered_after);
  switch (verdict.ending) {
    case Ending::metastable: return "never";
    case Ending::unfinished: return "not yet";
    default: return "-";
  }
}

std::string trace_text(std::uint64_t trace_hash) { return fmt::format("0x{:016x}", trace_hash); }

std::vector<double> axis(double most, std::size_t ticks) {
  if (!(most > 0) || !std::isfinite(most)) most = 1;
  const double rough = most / static_cast<double>(ticks);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {5.0, 2.0, 1.0}) {
    if (factor * power >= rough * (1 - 1e-9)) step = factor * power;
  }
  std::vector<double> values = {0};
  while (values.back() < most * (1 - 1e-9))
    values.push_back(step * static_cast<double>(values.size()));
  return values;
}

std::vector<double> time_axis(double seconds, std::size_t ticks) {
  double step = kClockSteps.back();
  for (const double one : kClockSteps) {
    if (one * static_cast<double>(ticks) < seconds) continue;
    step = one;
    break;
  }
  while (step * static_cast<double>(ticks) < seconds) step *= 2;
  std::vector<double> values;
  for (double at = 0; at <= seconds * (1 + 1e-9); at += step) values.push_back(at);
  return values;
}

std::vector<Step> resampled(const std::vector<Step>& steps, std::size_t at_most) {
  if (steps.size() <= at_most) return steps;
  std::vector<Step> fewer;
  for (std::size_t i = 0; i < at_most; ++i) {
    const std::size_t from = i * steps.size() / at_most;
    const std::size_t to = (i + 1) * steps.size() / at_most;
    fewer.push_back(merged(steps.data() + from, steps.data() + to));
  }
  return fewer;
}

}  // namespace weir::sim
