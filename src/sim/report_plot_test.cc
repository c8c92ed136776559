// SPDX-License-Identifier: Apache-2.0
#include "sim/report_plot.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "sim/testing/sample_run.h"

namespace weir::sim {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

auto characters(const std::string& text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

TEST_CASE("a plot shows what succeeded, what was attempted, and what was lost") {
  const std::vector<RunResult> runs = {testing::metastable_run()};
  const std::string expected =
      R"(tracker, calls per second: █ succeeded  ░ attempted  ─ offered
      600 ┤
          │             ░░░░░░░░░░░░░░░░░░░░░░░░░░
      450 ┤             ░░░░░░░░░░░░░░░░░░░░░░░░░░
          │             ░░░░░░░░░░░░░░░░░░░░░░░░░░
      300 ┤▆▆▆▆▆▆▆▆▆▆▆▆▆──────────────────────────
          │█████████████░░░░░░░░░░░░░░░░░░░░░░░░░░
      150 ┤█████████████░░░░░░░░░░░░░░░░░░░░░░░░░░
          │█████████████░░░░░░░░░░░░░░░░░░░░░░░░░░
        0 └┬──────────────────┬──────────────────┬
           0 s                30 s               1 min
at server               ▁▁▁▂▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▆▇▇▇███ up to 12,000
in flight  ▁▁▁▁▁▁▁▁▁▁▁▁▁██████████████████████████ up to 240
fault                   ▒▒▒▒▒▒ pause of tracker
)";
  CHECK(plot(runs, {.width = 65}) == expected);
}

TEST_CASE("a plot of two policies has one scale and shows the guardrails that moved") {
  const std::vector<RunResult> runs = {testing::metastable_run(), testing::recovering_run()};
  const std::vector<std::string> lines = lines_of(plot(runs, {.width = 65}));
  REQUIRE(lines.size() == 32);
  CHECK(lines[0].starts_with("tracker under one retry, "));
  CHECK(lines[15].starts_with("tracker under weir, "));
  CHECK(lines[16] == lines[1]);  // the same highest value, which only the first side reaches
  CHECK(lines[28].starts_with("limit "));
  CHECK(lines[29].ends_with("20 % at least"));
  CHECK(lines[30].ends_with("opened"));
}

TEST_CASE("a plot fits any terminal from 48 columns on") {
  const std::vector<RunResult> runs = {testing::recovering_run()};
  for (const std::size_t width : {48UL, 80UL, 131UL, 400UL}) {
    for (const std::string& line : lines_of(plot(runs, {.width = width})))
      if (!line.starts_with("tracker") && !line.starts_with("fault"))
        CHECK(characters(line) <= static_cast<std::ptrdiff_t>(width));
  }
  CHECK(plot(runs, {.width = 3}) == plot(runs, {.width = 48}));
  CHECK(plot(runs, {.width = 0}) == plot(runs, {.width = 100}));
}

TEST_CASE("a plot has no colour unless it is asked for, and hides no control characters in names") {
  std::vector<RunResult> runs = {testing::metastable_run()};
  runs[0].series[0].dependency = "tra\x1b[31mcker";
  const std::string plain = plot(runs, {.width = 80});
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(plain.find("tra\\u{1b}[31mcker") != std::string::npos);
  CHECK(plot(runs, {.width = 80, .color = true}).find("\x1b[1mtra") != std::string::npos);
}

TEST_CASE("a run without steps has no plot, one with a single step has one") {
  RunResult run = testing::metastable_run();
  run.series[0].steps.resize(1);
  CHECK(lines_of(plot({&run, 1}, {.width = 60})).size() > 8);
  run.series[0].steps.clear();
  CHECK(plot({&run, 1}, {.width = 60}).empty());
}

}  // namespace
}  // namespace weir::sim
