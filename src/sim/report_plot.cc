// SPDX-License-Identifier: Apache-2.0
#include "sim/report_plot.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ranges>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/report_figures.h"

namespace weir::sim {
namespace {

constexpr std::size_t kRows = 8;
constexpr std::size_t kLeft = 11;   // labels and the axis
constexpr std::size_t kRight = 15;  // what a line's peak was
constexpr std::size_t kLeast = 48;
constexpr std::size_t kWithoutTerminal = 100;
constexpr std::array<std::string_view, 9> kEighths = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};

std::string dim(std::string_view text, const PlotStyle& style) {
  return style.color ? fmt::format("\x1b[2m{}\x1b[0m", text) : std::string(text);
}

std::string bold(std::string_view text, const PlotStyle& style) {
  return style.color ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
}

std::size_t columns_of(const PlotStyle& style) {
  const std::size_t width = style.width == 0 ? kWithoutTerminal : std::max(style.width, kLeast);
  return width - kLeft - kRight;
}

// Fewer steps than columns are stretched.
std::vector<Step> across(const std::vector<Step>& steps, std::size_t columns) {
  const std::vector<Step> fewer = resampled(steps, columns);
  std::vector<Step> all;
  for (std::size_t i = 0; i < columns; ++i) all.push_back(fewer[i * fewer.size() / columns]);
  return all;
}

// One character of the rates' plot; `low` to `high` is what its row stands for.
std::string_view rate_cell(const Step& step, double low, double high) {
  const double filled = (step.succeeded - low) / (high - low);
  const auto eighths = static_cast<std::size_t>(std::clamp(std::round(filled * 8), 0.0, 8.0));
  if (eighths > 0) return kEighths[eighths];
  if (step.offered > low && step.offered <= high) return "─";
  return step.attempted >= (low + high) / 2 ? "░" : " ";
}

void add_rates(std::string& text, const std::vector<Step>& steps, double top,
               const PlotStyle& style) {
  const double height = top / kRows;
  for (std::size_t row = kRows; row-- > 0;) {
    const bool labelled = row % 2 == 1;
    const std::string label = labelled ? figure(height * static_cast<double>(row + 1)) : "";
    std::string line = dim(fmt::format("{:>{}} {}", label, kLeft - 2, labelled ? "┤" : "│"), style);
    const double low = height * static_cast<double>(row);
    for (const Step& step : steps) line += rate_cell(step, low, low + height);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
}

void add_times(std::string& text, double seconds, std::size_t columns, const PlotStyle& style) {
  std::string rule;
  std::string labels(kLeft + columns + kRight, ' ');
  std::vector<std::size_t> ticks;
  std::size_t free = 0;
  for (const double at : time_axis(seconds, std::max<std::size_t>(columns / 12, 1))) {
    const auto column = static_cast<std::size_t>(at / seconds * static_cast<double>(columns - 1));
    ticks.push_back(column);
    const std::string label = tick_text(at);
    const std::size_t from = kLeft + column;
    if (from < free || from + label.size() > labels.size()) continue;
    labels.replace(from, label.size(), label);
    free = from + label.size() + 1;
  }
  for (std::size_t i = 0; i < columns; ++i)
    rule += std::ranges::find(ticks, i) == ticks.end() ? "─" : "┬";
  labels.erase(labels.find_last_not_of(' ') + 1);
  text += dim(fmt::format("{:>{}} └{}", "0", kLeft - 2, rule), style) + "\n";
  text += dim(labels, style) + "\n";
}

struct Strip {
  std::string_view label;
  double Step::* part;
  bool share;  // of 1, not of its own peak
};

constexpr std::array<Strip, 6> kStrips = {{{"waiting", &Step::queue, false},
                                           {"at server", &Step::server_queue, false},
                                           {"in flight", &Step::in_flight, false},
                                           {"limit", &Step::limit, false},
                                           {"budget", &Step::budget, true},
                                           {"breaker", &Step::breaker, true}}};

std::string strip_note(const Strip& strip, double least, double most) {
  if (!strip.share) return "up to " + figure(most);
  if (strip.part == &Step::breaker) return most >= 1 ? "opened" : "half open";
  return fmt::format("{:.0f} % at least", least * 100);
}

void add_strip(std::string& text, const Strip& strip, const std::vector<Step>& steps,
               const PlotStyle& style) {
  const auto [least, most] = std::ranges::minmax(
      steps | std::views::transform([&](const Step& step) { return step.*strip.part; }));
  // A guardrail that never moved has nothing to show.
  const bool guardrail = strip.part == &Step::limit || strip.part == &Step::budget;
  if (most <= 0 || (guardrail && least == most)) return;
  std::string cells;
  for (const Step& step : steps) {
    const double share = step.*strip.part / (strip.share ? 1 : most);
    cells += kEighths[static_cast<std::size_t>(std::clamp(std::ceil(share * 8), 0.0, 8.0))];
  }
  text += dim(fmt::format("{:<{}}", strip.label, kLeft), style) + cells + " " +
          dim(strip_note(strip, least, most), style) + "\n";
}

void add_faults(std::string& text, const RunResult& run, double seconds, std::size_t columns,
                const PlotStyle& style) {
  for (const Shade& fault : run.faults) {
    const double scale = static_cast<double>(columns) / seconds;
    const auto column = [&](double at) {
      return static_cast<std::size_t>(std::clamp(at * scale, 0.0, static_cast<double>(columns)));
    };
    const std::size_t from = std::min(column(fault.from), columns - 1);
    const std::size_t to = std::max(column(fault.to), from + 1);
    std::string marks;
    for (std::size_t i = from; i < to; ++i) marks += "▒";
    text += dim(fmt::format("{:<{}}", "fault", kLeft), style) + std::string(from, ' ') + marks +
            " " + printable(fault.what) + "\n";
  }
}

double top_of(std::span<const RunResult> sides, const std::string& dependency) {
  double most = 0;
  for (const RunResult& side : sides) {
    for (const Series& series : side.series) {
      if (series.dependency != dependency) continue;
      for (const Step& step : series.steps)
        most = std::max({most, step.attempted, step.succeeded, step.offered});
    }
  }
  return axis(most, kRows / 2).back();
}

void add_series(std::string& text, const RunResult& run, const Series& series, double top,
                const PlotStyle& style) {
  const std::size_t columns = columns_of(style);
  const std::vector<Step> steps = across(series.steps, columns);
  const double seconds = std::max(series.steps.back().at, 1e-3);
  add_rates(text, steps, top, style);
  add_times(text, seconds, columns, style);
  for (const Strip& strip : kStrips) add_strip(text, strip, steps, style);
  add_faults(text, run, seconds, columns, style);
}

}  // namespace

std::string plot(std::span<const RunResult> sides, const PlotStyle& style) {
  std::string text;
  for (const RunResult& side : sides) {
    for (const Series& series : side.series) {
      if (series.steps.empty()) continue;
      std::string name = printable(series.dependency);
      if (sides.size() > 1) name += " under " + printable(side.policy);
      text += (text.empty() ? "" : "\n") + bold(name, style) +
              ", calls per second: " + "█ succeeded  ░ attempted  ─ offered\n";
      add_series(text, side, series, top_of(sides, series.dependency), style);
    }
  }
  return text;
}

}  // namespace weir::sim
