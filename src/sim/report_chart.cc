// SPDX-License-Identifier: Apache-2.0
#include "sim/report_chart.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/report_figures.h"
#include "wire/json.h"

namespace weir::sim {
namespace {

// In units of the picture: pixels of a wide screen.
constexpr double kWideWidth = 1060;
constexpr double kNarrowWidth = 516;
constexpr double kWideHeight = 240;
constexpr double kNarrowHeight = 190;
constexpr double kLeft = 52;
constexpr double kRight = 12;
constexpr double kTop = 18;
constexpr double kBottom = 26;

struct Scale {
  double width;  // of the plot alone, without the margins
  double height;
  double seconds;
  double top;
  double right() const { return kLeft + width; }
  double bottom() const { return kTop + height; }
  double x(double at) const { return kLeft + width * std::clamp(at / seconds, 0.0, 1.0); }
  double y(double value) const { return kTop + height * (1 - std::clamp(value / top, 0.0, 1.0)); }
};

Scale scale_of(const Chart& chart) {
  double most = chart.top;
  if (most <= 0) {
    for (const ChartLine& line : chart.lines)
      for (const double value : line.value) most = std::max(most, value);
    most = axis(most, 4).back();
  }
  return {.width = (chart.wide ? kWideWidth : kNarrowWidth) - kLeft - kRight,
          .height = (chart.wide ? kWideHeight : kNarrowHeight) - kTop - kBottom,
          .seconds = std::max(chart.seconds, 1e-3),
          .top = most};
}

void add_grid(std::string& svg, const Chart& chart, const Scale& scale) {
  for (const double value : axis(scale.top, 4)) {
    const double y = scale.y(value);
    svg += fmt::format(R"(<line class="grid" x1="{:.0f}" x2="{:.0f}" y1="{:.1f}" y2="{:.1f}"/>)",
                       kLeft, scale.right(), y, y);
    svg += fmt::format(R"(<text class="tick" x="{:.0f}" y="{:.1f}" text-anchor="end">{}{}</text>)",
                       kLeft - 7, y + 4, figure(value), escaped(chart.unit));
  }
  for (const double at : time_axis(scale.seconds, 8)) {
    const bool last = at > scale.seconds * 0.98;
    svg += fmt::format(R"(<text class="tick" x="{:.1f}" y="{:.0f}" text-anchor="{}">{}</text>)",
                       scale.x(at), scale.bottom() + 18, last ? "end" : "middle", tick_text(at));
  }
}

void add_faults(std::string& svg, const Chart& chart, const Scale& scale) {
  for (const Shade& fault : chart.faults) {
    const double from = scale.x(fault.from);
    const double width = std::max(scale.x(fault.to) - from, 1.0);
    svg += fmt::format(
        R"(<rect class="fault" x="{:.1f}" y="{:.0f}" width="{:.1f}" height="{:.0f}"/>)", from, kTop,
        width, scale.height);
    const bool near_end = from > scale.right() * 0.8;
    svg += fmt::format(
        R"(<text class="fault-name" x="{:.1f}" y="{:.0f}" text-anchor="{}">{}</text>)",
        near_end ? from + width : from, kTop - 6, near_end ? "end" : "start", escaped(fault.what));
  }
}

void add_line(std::string& svg, const ChartLine& line, const Scale& scale) {
  if (line.at.empty()) return;
  std::string path;
  for (std::size_t i = 0; i < line.at.size(); ++i) {
    path += fmt::format("{}{:.1f} {:.1f}", i == 0 ? "M" : "L", scale.x(line.at[i]),
                        scale.y(line.value[i]));
  }
  if (line.filled) {
    svg += fmt::format(R"(<path class="area {}" d="{}L{:.1f} {:.1f}L{:.1f} {:.1f}Z"/>)", line.kind,
                       path, scale.x(line.at.back()), scale.y(0), scale.x(line.at.front()),
                       scale.y(0));
  }
  svg += fmt::format(R"(<path class="line {}" d="{}"/>)", line.kind, path);
}

std::string in_words(const Chart& chart) {
  std::string text;
  for (const ChartLine& line : chart.lines) {
    if (line.value.empty()) continue;
    text += fmt::format("{}{}: {}{} at first, at most {}{}, {}{} at the end",
                        text.empty() ? "" : "; ", line.label, figure(line.value.front()),
                        chart.unit, figure(std::ranges::max(line.value)), chart.unit,
                        figure(line.value.back()), chart.unit);
  }
  return text;
}

std::string legend(const Chart& chart) {
  std::string html = R"(<ul class="legend">)";
  for (const ChartLine& line : chart.lines) {
    html += fmt::format(
        R"(<li><svg viewBox="0 0 26 10" aria-hidden="true"><path class="line {}" d="M1 5L25 5"/></svg>{}</li>)",
        line.kind, escaped(line.label));
  }
  return html + "</ul>";
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string chart_figure(const Chart& chart) {
  const Scale scale = scale_of(chart);
  std::string svg;
  add_faults(svg, chart, scale);
  add_grid(svg, chart, scale);
  for (const ChartLine& line : chart.lines) add_line(svg, line, scale);
  return fmt::format(
      R"(<figure class="chart{}"><figcaption>{}</figcaption>{}<svg viewBox="0 0 {:.0f} {:.0f}" role="img" )"
      R"(aria-label="{}" tabindex="0" data-left="{:.0f}" data-width="{:.0f}" data-top="{:.0f}" data-height="{:.0f}">)"
      R"({}<line class="cursor" y1="{:.0f}" y2="{:.0f}"/></svg><output aria-live="polite"></output></figure>)"
      "\n",
      chart.wide ? " wide" : "", escaped(chart.title), legend(chart), scale.right() + kRight,
      scale.bottom() + kBottom, escaped(chart.title + ". " + in_words(chart)), kLeft, scale.width,
      kTop, scale.height, svg, kTop, kTop + scale.height);
}

std::string chart_points(std::span<const Chart> charts) {
  wire::JsonWriter json;
  json.begin_array();
  for (const Chart& chart : charts) {
    json.begin_object().field("seconds", chart.seconds).field("unit", chart.unit);
    json.key("lines").begin_array();
    for (const ChartLine& line : chart.lines) {
      json.begin_object().field("label", printable(line.label)).field("kind", line.kind);
      json.key("at").begin_array();
      for (const double at : line.at) json.raw(fmt::format("{:.6g}", at));
      json.end_array().key("value").begin_array();
      for (const double value : line.value) json.raw(fmt::format("{:.5g}", value));
      json.end_array().end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
  // Nothing in it may end the element or begin a comment.
  std::string out;
  for (const char c : std::move(json).take()) {
    if (std::string_view("<>&'").contains(c)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace weir::sim
