// SPDX-License-Identifier: Apache-2.0
#include "sim/report_html.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include <fmt/format.h>

#include "base/grouped.h"
#include "sim/expect.h"
#include "sim/report_chart.h"
#include "sim/report_charts.h"
#include "sim/report_figures.h"
#include "sim/report_page.h"
#include "wire/base64.h"
#include "wire/digest.h"

namespace weir::sim {
namespace {

constexpr std::size_t kNumberRows = 60;

std::string percent(double share) { return figure(share * 100) + " %"; }

struct Measure {
  std::string_view name;
  std::function<std::string(const RunResult&)> of;
};

std::string caught_up(const Verdict& verdict) {
  return verdict.caught_up_after ? seconds_text(*verdict.caught_up_after) : "-";
}

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all = {
      {"goodput", [](const RunResult& run) { return percent(run.totals.goodput); }},
      {"attempts per event", [](const RunResult& run) { return figure(run.totals.amplification); }},
      {"recovered after", [](const RunResult& run) { return recovery_text(run.verdict); }},
      {"quarantined", [](const RunResult& run) { return grouped(run.totals.quarantined); }},
      {"caught up after", [](const RunResult& run) { return caught_up(run.verdict); }},
      {"events", [](const RunResult& run) { return grouped(run.totals.events); }},
      {"attempts", [](const RunResult& run) { return grouped(run.totals.attempts); }},
      {"succeeded", [](const RunResult& run) { return grouped(run.totals.succeeded); }},
      {"expired", [](const RunResult& run) { return grouped(run.totals.expired); }},
      {"effects twice", [](const RunResult& run) { return grouped(run.totals.effects_twice); }},
      {"delay, median", [](const RunResult& run) { return seconds_text(run.totals.delay_p50); }},
      {"delay, p99", [](const RunResult& run) { return seconds_text(run.totals.delay_p99); }},
  };
  return all;
}
constexpr std::size_t kTiles = 4;  // the first of them

std::string source_of(std::string_view text) {
  return "'sha256-" + wire::base64_encode(wire::sha256_bytes(text)) + "'";
}

std::string head(const std::string& title) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src {}; "
      "script-src {}; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n",
      source_of(page_style()), source_of(page_script()), escaped(title), page_style());
}

std::string policy_line(const RunResult& run, std::size_t side, std::size_t sides) {
  const std::string sample = fmt::format(
      R"(<svg viewBox="0 0 26 10" aria-hidden="true"><path class="line side-{}" d="M1 5L25 5"/></svg>)",
      side == 0 ? 'a' : 'b');
  return fmt::format("<p class=\"policy\">{}policy {}</p>\n", sides > 1 ? sample : "",
                     escaped(run.policy));
}

void add_verdicts(std::string& html, std::span<const Runs> sides) {
  html += "<div class=\"sides\">\n";
  for (std::size_t i = 0; i < sides.size(); ++i) {
    const RunResult& run = sides[i].front();
    html += fmt::format("<section class=\"side {}\">\n", to_text(run.verdict.ending));
    if (!run.policy.empty()) html += policy_line(run, i, sides.size());
    html += fmt::format("<p class=\"verdict\">{}</p>\n<dl class=\"tiles\">",
                        escaped(run.verdict.sentence));
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const Measure& measure = measures()[tile];
      html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>", measure.name, measure.of(run));
    }
    html += "</dl>\n</section>\n";
  }
  html += "</div>\n";
}

// One more column per side, named by its policy if there are two.
std::string side_titles(std::span<const Runs> sides, std::string_view alone) {
  std::string html;
  for (const Runs& side : sides) {
    html += fmt::format("<th scope=\"col\" class=\"number\">{}</th>",
                        sides.size() > 1 ? escaped(side.front().policy) : std::string(alone));
  }
  return html;
}

void add_totals(std::string& html, std::span<const Runs> sides) {
  html +=
      "<h2>Totals</h2>\n<div class=\"panel totals\"><table><thead><tr><th scope=\"col\">of the "
      "run</th>" +
      side_titles(sides, "") + "</tr></thead><tbody>\n";
  for (const Measure& measure : measures()) {
    html += fmt::format("<tr><th scope=\"row\">{}</th>", measure.name);
    for (const Runs& side : sides)
      html += fmt::format("<td class=\"number\">{}</td>", measure.of(side.front()));
    html += "</tr>\n";
  }
  html += "</tbody></table></div>\n";
}

void add_checks(std::string& html, std::span<const Runs> sides) {
  if (std::ranges::all_of(sides, [](const Runs& side) { return side.front().checks.empty(); }))
    return;
  html += "<h2>Expectations</h2>\n<div class=\"panel\"><table><thead><tr>";
  if (sides.size() > 1) html += "<th scope=\"col\">policy</th>";
  html +=
      "<th scope=\"col\">what</th><th scope=\"col\">expected</th><th scope=\"col\">measured</th>"
      "<th scope=\"col\">met</th></tr></thead><tbody>\n";
  for (const Runs& side : sides) {
    for (const Check& check : side.front().checks) {
      html += "<tr>";
      if (sides.size() > 1) html += fmt::format("<td>{}</td>", escaped(side.front().policy));
      html += fmt::format(
          "<th scope=\"row\">{}</th><td>{}</td><td>{}</td><td class=\"{}\">{}</td></tr>\n",
          escaped(check.name), escaped(check.expected), escaped(check.measured),
          check.met ? "met" : "unmet", check.met ? "✓ yes" : "✗ no");
    }
  }
  html += "</tbody></table></div>\n";
}

void add_runs(std::string& html, std::span<const Runs> sides) {
  if (std::ranges::all_of(sides, [](const Runs& side) { return side.size() == 1; })) return;
  html +=
      "<h2>Runs</h2>\n<p class=\"soft\">One per seed; the first is the one that is drawn.</p>\n"
      "<div class=\"panel\"><table><thead><tr><th scope=\"col\">policy</th>"
      "<th scope=\"col\" class=\"number\">seed</th><th scope=\"col\">ending</th>";
  for (std::size_t i = 0; i < kTiles; ++i)
    html += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", measures()[i].name);
  html += "</tr></thead><tbody>\n";
  for (const Runs& side : sides) {
    for (const RunResult& run : side) {
      html += fmt::format("<tr><td>{}</td><td class=\"number\">{}</td><td>{}</td>",
                          escaped(run.policy), run.seed, to_text(run.verdict.ending));
      for (std::size_t i = 0; i < kTiles; ++i)
        html += fmt::format("<td class=\"number\">{}</td>", measures()[i].of(run));
      html += "</tr>\n";
    }
  }
  html += "</tbody></table></div>\n";
}

void add_numbers(std::string& html, const RunResult& run, const Series& series, bool named) {
  html += fmt::format(
      "<details><summary>The numbers of {}{}</summary><div class=\"panel\"><table><thead>"
      "<tr>",
      escaped(series.dependency), named ? " under " + escaped(run.policy) : "");
  for (const std::string_view title :
       {"at", "offered/s", "attempted/s", "succeeded/s", "failed/s", "waiting", "at server",
        "in flight", "limit", "budget", "breaker"})
    html += fmt::format("<th scope=\"col\" class=\"number\">{}</th>", title);
  html += "</tr></thead><tbody>\n";
  for (const Step& step : resampled(series.steps, kNumberRows)) {
    html += fmt::format("<tr><th scope=\"row\" class=\"number\">{}</th>", seconds_text(step.at));
    for (const double value : {step.offered, step.attempted, step.succeeded, step.failed,
                               step.queue, step.server_queue, step.in_flight, step.limit})
      html += fmt::format("<td class=\"number\">{}</td>", figure(value));
    html += fmt::format("<td class=\"number\">{}</td><td class=\"number\">{}</td></tr>\n",
                        percent(step.budget), percent(step.breaker));
  }
  html += "</tbody></table></div></details>\n";
}

void add_charts(std::string& html, std::span<const Runs> sides) {
  std::vector<Chart> all;
  std::vector<RunResult> drawn;
  for (const Runs& side : sides) drawn.push_back(side.front());
  for (const std::string& dependency : dependencies_of(drawn)) {
    const std::vector<Chart> charts = charts_of(drawn, dependency);
    html += fmt::format("<h2>{}</h2>\n<div class=\"charts\">\n", escaped(dependency));
    for (const Chart& chart : charts) html += chart_figure(chart);
    html += "</div>\n";
    for (const RunResult& run : drawn) {
      for (const Series& series : run.series)
        if (series.dependency == dependency) add_numbers(html, run, series, drawn.size() > 1);
    }
    all.insert(all.end(), charts.begin(), charts.end());
  }
  html += fmt::format("<script type=\"application/json\" id=\"points\">{}</script>\n",
                      chart_points(all));
}

std::string footer(const RunResult& run) {
  return fmt::format(
      "<footer>Simulated by Weir on a virtual clock, seed {}, trace {}. The same scenario and seed "
      "give the "
      "same run on every machine.</footer>\n",
      run.seed, trace_text(run.trace_hash));
}

}  // namespace

std::string html_report(std::span<const Runs> sides) {
  const RunResult& first = sides.front().front();
  std::string html = head(first.scenario + ": " + first.verdict.sentence);
  html += fmt::format("<body>\n<main>\n<h1>{}</h1>\n<p class=\"soft\">{}</p>\n",
                      escaped(first.scenario),
                      sides.size() > 1 ? "Two policies under the same load and the same faults"
                                       : "Simulated with the code that delivers");
  add_verdicts(html, sides);
  add_checks(html, sides);
  add_charts(html, sides);
  add_totals(html, sides);
  add_runs(html, sides);
  html += footer(first) + "</main>\n";
  html += fmt::format("<script>{}</script>\n</body>\n</html>\n", page_script());
  return html;
}

}  // namespace weir::sim
