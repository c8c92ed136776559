// SPDX-License-Identifier: Apache-2.0
#include "sim/report_charts.h"

#include <algorithm>
#include <cmath>

#include "sim/report_figures.h"

namespace weir::sim {
namespace {

constexpr std::size_t kPoints = 400;  // of a line

struct Drawn {
  std::string label;  // "attempted"
  std::string kind;
  double Step::* part;
  double scale = 1;  // shares as percent
  bool filled = false;
};

struct Pane {
  std::string title;
  std::string unit;
  std::vector<Drawn> lines;
  double top = 0;
};

ChartLine line_of(const std::vector<Step>& steps, const Drawn& drawn) {
  ChartLine line{.label = drawn.label, .kind = drawn.kind, .filled = drawn.filled};
  for (const Step& step : resampled(steps, kPoints)) {
    const double value = step.*drawn.part * drawn.scale;
    line.at.push_back(step.at);
    line.value.push_back(std::isfinite(value) ? value : 0);
  }
  return line;
}

const Series* series_of(const RunResult& run, const std::string& dependency) {
  const auto found = std::ranges::find(run.series, dependency, &Series::dependency);
  return found == run.series.end() || found->steps.empty() ? nullptr : &*found;
}

const std::vector<Pane>& panes_of_one() {
  static const std::vector<Pane> all = {
      {"Calls per second",
       "/s",
       {{"succeeded", "succeeded", &Step::succeeded, 1, true},
        {"attempted", "attempted", &Step::attempted},
        {"offered", "offered", &Step::offered}}},
      {"Deliveries that wait for their turn or their retry",
       "",
       {{"waiting", "queue", &Step::queue, 1, true}}},
      {"Calls that wait at the dependency",
       "",
       {{"queue", "server-queue", &Step::server_queue, 1, true}}},
      {"Calls under way",
       "",
       {{"in flight", "in-flight", &Step::in_flight, 1, true}, {"limit", "limit", &Step::limit}}},
      {"Retry budget that is left", " %", {{"budget", "budget", &Step::budget, 100, true}}, 100},
      {"Refused by the circuit breaker",
       " %",
       {{"breaker", "breaker", &Step::breaker, 100, true}},
       100}};
  return all;
}

// Of two sides every measure has its own chart; what is offered is the same for both.
const std::vector<Pane>& panes_of_two() {
  static const std::vector<Pane> all = {
      {"Succeeded per second", "/s", {{"", "", &Step::succeeded}}},
      {"Attempted per second", "/s", {{"", "", &Step::attempted}}},
      {"Deliveries that wait for their turn or their retry", "", {{"", "", &Step::queue}}},
      {"Calls that wait at the dependency", "", {{"", "", &Step::server_queue}}},
      {"Calls under way", "", {{"", "", &Step::in_flight}}},
      {"Limit of calls under way", "", {{"", "", &Step::limit}}},
      {"Retry budget that is left", " %", {{"", "", &Step::budget, 100}}, 100},
      {"Refused by the circuit breaker", " %", {{"", "", &Step::breaker, 100}}, 100}};
  return all;
}

bool is_guardrail(double Step::* part) {
  return part == &Step::limit || part == &Step::budget || part == &Step::breaker;
}

bool moves(std::span<const RunResult> sides, const std::string& dependency, double Step::* part) {
  for (const RunResult& side : sides) {
    const Series* series = series_of(side, dependency);
    if (series == nullptr) continue;
    const double first = series->steps.front().*part;
    if (part == &Step::breaker && first > 0) return true;
    if (std::ranges::any_of(series->steps, [&](const Step& step) { return step.*part != first; }))
      return true;
  }
  return false;
}

// A limit stays beside what it limits, also when it never moves.
bool worth_drawing(std::span<const RunResult> sides, const std::string& dependency,
                   const Pane& pane) {
  double Step::* part = pane.lines.front().part;
  return !is_guardrail(part) || moves(sides, dependency, part);
}

Chart frame(std::span<const RunResult> sides, const std::string& dependency, const Pane& pane) {
  Chart chart{.title = pane.title,
              .unit = pane.unit,
              .faults = sides.front().faults,
              .seconds = 1e-3,
              .top = pane.top};
  for (const RunResult& side : sides) {
    if (const Series* series = series_of(side, dependency))
      chart.seconds = std::max(chart.seconds, series->steps.back().at);
  }
  return chart;
}

Chart of_one(const RunResult& run, const std::string& dependency, const Pane& pane) {
  Chart chart = frame({&run, 1}, dependency, pane);
  const Series* series = series_of(run, dependency);
  for (const Drawn& drawn : pane.lines)
    if (series != nullptr) chart.lines.push_back(line_of(series->steps, drawn));
  return chart;
}

Chart of_two(std::span<const RunResult> sides, const std::string& dependency, const Pane& pane) {
  Chart chart = frame(sides, dependency, pane);
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const Series* series = series_of(sides[i], dependency);
    if (series == nullptr) continue;
    Drawn drawn = pane.lines.front();
    drawn.label = sides[i].policy;
    drawn.kind = i == 0 ? "side-a" : "side-b";
    chart.lines.push_back(line_of(series->steps, drawn));
  }
  const Series* first = series_of(sides.front(), dependency);
  if (pane.unit == "/s" && first != nullptr)
    chart.lines.push_back(line_of(first->steps, {"offered", "offered", &Step::offered}));
  return chart;
}

}  // namespace

std::vector<std::string> dependencies_of(std::span<const RunResult> sides) {
  std::vector<std::string> names;
  for (const RunResult& side : sides) {
    for (const Series& series : side.series)
      if (std::ranges::find(names, series.dependency) == names.end())
        names.push_back(series.dependency);
  }
  return names;
}

std::vector<Chart> charts_of(std::span<const RunResult> sides, const std::string& dependency) {
  std::vector<Chart> charts;
  const bool one = sides.size() == 1;
  for (const Pane& pane : one ? panes_of_one() : panes_of_two()) {
    if (!worth_drawing(sides, dependency, pane)) continue;
    charts.push_back(one ? of_one(sides.front(), dependency, pane)
                         : of_two(sides, dependency, pane));
  }
  if (!charts.empty()) charts.front().wide = true;
  return charts;
}

}  // namespace weir::sim
