// SPDX-License-Identifier: Apache-2.0
// Lines over time as an SVG picture for an HTML page. Pure: looks come from the page's style sheet,
// by the class names that are given here. Every text is escaped.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/run_result.h"

namespace weir::sim {

struct ChartLine {
  std::string label;
  std::string kind;           // class of the style sheet: "attempted", "side-a"; [a-z-] only
  std::vector<double> at;     // seconds, growing
  std::vector<double> value;  // as many, finite
  bool filled = false;        // down to zero
};

struct Chart {
  std::string title;  // "calls per second"
  std::string unit;   // behind the values: "/s", " %", ""
  std::vector<ChartLine> lines;
  std::vector<Shade> faults;
  double seconds = 1;  // the whole width
  bool wide = false;   // twice as wide as the others
  double top = 0;      // the whole height; 0 = as far as the lines go
};

// & < > " ' of HTML and XML; whatever a terminal or an editor would hide is made visible.
std::string escaped(std::string_view text);

// A <figure> with caption, legend and an <svg role="img"> whose description says in words where
// each line begins, how high it goes and where it ends.
std::string chart_figure(const Chart& chart);

// The points of the charts for the page's script: a JSON array that may stand in a <script>
// element.
std::string chart_points(std::span<const Chart> charts);

}  // namespace weir::sim
