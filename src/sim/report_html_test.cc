// SPDX-License-Identifier: Apache-2.0
#include "sim/report_html.h"

#include <doctest/doctest.h>

#include "sim/report_chart.h"
#include "sim/report_charts.h"
#include "sim/testing/sample_run.h"
#include "wire/json.h"

namespace weir::sim {
namespace {

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a page says the verdict before anything else, and needs nothing from elsewhere") {
  const std::vector<Runs> sides = {{testing::metastable_run()}};
  const std::string page = html_report(sides);
  CHECK(page.starts_with("<!doctype html>"));
  CHECK(page.find("never recovers: metastable</p>") < page.find("<figure"));
  CHECK(has(page, "<section class=\"side metastable\">"));
  CHECK(has(page, "<dt>goodput</dt><dd>33.3 %</dd>"));
  CHECK(has(page, "<td class=\"unmet\">✗ no</td>"));
  CHECK(has(page, "<td class=\"met\">✓ yes</td>"));
  CHECK(has(page, "trace 0x0000000000c0ffee"));
  CHECK(has(page, "default-src 'none'; style-src 'sha256-"));
  for (const char* foreign : {"http:", "https:", "src=", "href=", "@import", "url(", "style="})
    CHECK_FALSE(has(page, foreign));
}

TEST_CASE("nothing in a name can leave its place in a page") {
  const std::string evil = "</title><script>alert(1)</script>\"' onload='x' <!-- & \x1b[31m";
  RunResult run = testing::metastable_run();
  run.scenario = run.policy = run.verdict.sentence = run.series[0].dependency = evil;
  run.faults[0].what = run.checks[0].name = run.checks[0].expected = evil;
  run.checks[0].measured = evil;
  RunResult other = run;
  for (const auto& sides :
       {std::vector<Runs>{{run}}, std::vector<Runs>{{run, run}, {other, other}}}) {
    const std::string page = html_report(sides);
    CHECK_FALSE(has(page, "<script>alert"));
    CHECK_FALSE(has(page, "<!-- "));
    CHECK_FALSE(has(page, "' onload"));
    CHECK(page.find('\x1b') == std::string::npos);
    CHECK(has(page, "&lt;script&gt;alert(1)"));
  }
}

TEST_CASE("one run has a colour per measure, two have one per policy and the load once") {
  const std::vector<RunResult> runs = {testing::metastable_run(), testing::recovering_run()};
  const auto one = charts_of({&runs[1], 1}, "tracker");
  REQUIRE(one.size() == 6);
  CHECK(one[0].wide);
  CHECK(one[0].lines[1].kind == "attempted");
  CHECK(one[5].title == "Refused by the circuit breaker");
  CHECK(one[5].lines[0].value.at(25) == 100);
  // Neither budget nor breaker ever moved: nothing to draw.
  CHECK(charts_of({&runs[0], 1}, "tracker").size() == 4);
  const auto two = charts_of(runs, "tracker");
  CHECK(two.size() == 8);
  REQUIRE(two[1].lines.size() == 3);
  CHECK(two[1].lines[0].label == "one retry");
  CHECK(two[1].lines[1].kind == "side-b");
  CHECK(two[1].lines[2].label == "offered");
  CHECK(charts_of(runs, "another")[0].lines.empty());
}

TEST_CASE("a chart says in words what it shows") {
  const RunResult run = testing::metastable_run();
  const std::string svg = chart_figure(charts_of({&run, 1}, "tracker")[0]);
  CHECK(has(svg, "role=\"img\""));
  CHECK(has(svg,
            "attempted: 280/s at first, at most 560/s, 560/s at the end; offered: 280/s at first"));
  CHECK(has(svg, "<rect class=\"fault\""));
  CHECK(has(svg, ">pause of tracker</text>"));
}

TEST_CASE("the points of charts are JSON that cannot end its script") {
  Chart chart{.title = "t", .lines = {{.label = "</script>", .at = {1, 2}, .value = {0.5, 280}}}};
  const std::string text = chart_points({&chart, 1});
  CHECK_FALSE(has(text, "<"));
  const auto document = wire::parse_json(text);
  REQUIRE(document.ok());
  const wire::Json lines = *(*document->root().begin()).find("lines");
  const wire::Json line = *lines.begin();
  CHECK(line.find("label")->string() == "</script>");
  CHECK(line.find("value")->size() == 2);
}

TEST_CASE("runs with several seeds are listed, and the sides of a comparison stand side by side") {
  RunResult second = testing::recovering_run();
  second.seed = 8;
  const std::vector<Runs> sides = {{testing::metastable_run()},
                                   {testing::recovering_run(), second}};
  const std::string page = html_report(sides);
  CHECK(has(page, "<h2>Runs</h2>"));
  CHECK(has(page, "<td class=\"number\">8</td><td>recovers</td>"));
  CHECK(has(page, "<td class=\"number\">never</td><td class=\"number\">2.0 s</td>"));
  CHECK(has(page, "Two policies under the same load"));
}

}  // namespace
}  // namespace weir::sim
