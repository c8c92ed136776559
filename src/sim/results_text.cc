// SPDX-License-Identifier: Apache-2.0
#include "sim/results_text.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "sim/expect.h"
#include "sim/run.h"

namespace weir::sim {
namespace {

struct Row {
  std::string_view title;
  Unit unit;
  std::function<double(const Totals&)> value;
};

double as_share(std::uint64_t some, const Totals& totals) {
  return totals.events == 0 ? 0 : static_cast<double>(some) / static_cast<double>(totals.events);
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"events", Unit::count, [](const Totals& t) { return static_cast<double>(t.events); }},
      {"calls", Unit::count, [](const Totals& t) { return static_cast<double>(t.attempts); }},
      {"amplification", Unit::factor, [](const Totals& t) { return t.amplification; }},
      {"goodput", Unit::share, [](const Totals& t) { return t.goodput; }},
      {"quarantined", Unit::share, [](const Totals& t) { return as_share(t.quarantined, t); }},
      {"expired", Unit::share, [](const Totals& t) { return as_share(t.expired, t); }},
      {"effects twice", Unit::count,
       [](const Totals& t) { return static_cast<double>(t.effects_twice); }},
      {"delay, median", Unit::seconds, [](const Totals& t) { return t.delay_p50; }},
      {"delay, p99", Unit::seconds, [](const Totals& t) { return t.delay_p99; }},
      {"goodput, last 20 s", Unit::share, [](const Totals& t) { return t.late_goodput; }},
      {"amplif., last 20 s", Unit::factor, [](const Totals& t) { return t.late_amplification; }},
  };
  return all;
}

std::string numbers(const std::vector<RunResult>& runs) {
  const bool one = runs.size() == 1;
  std::string text = one ? ""
                         : fmt::format("{:<20}{:>12}{:>12}{:>12}\n", "", "LEAST", "MIDDLE", "MOST");
  for (const Row& row : rows()) {
    std::vector<double> values;
    for (const RunResult& run : runs) values.push_back(row.value(run.totals));
    std::ranges::sort(values);
    text += fmt::format("{:<20}{:>12}", row.title, written(values.front(), row.unit));
    if (!one) {
      text += fmt::format("{:>12}{:>12}", written(values[values.size() / 2], row.unit),
                          written(values.back(), row.unit));
    }
    text += '\n';
  }
  return text;
}

double middle(const Row& row, const std::vector<RunResult>& runs) {
  std::vector<double> values;
  for (const RunResult& run : runs) values.push_back(row.value(run.totals));
  std::ranges::sort(values);
  return values[values.size() / 2];
}

// Each line of `expect:` once, as the first run that missed it measured it.
std::string checks(const std::vector<RunResult>& runs) {
  std::string text;
  for (std::size_t i = 0; i < runs.front().checks.size(); ++i) {
    std::size_t missed = 0;
    const RunResult* shown = nullptr;
    for (const RunResult& run : runs) {
      if (run.checks[i].met) continue;
      if (missed++ == 0) shown = &run;
    }
    const Check& check = (shown == nullptr ? runs.front() : *shown).checks[i];
    text += fmt::format("{:<7}{} {}: {}", missed == 0 ? "met" : "MISSED", check.name,
                        check.expected, check.measured);
    if (missed > 0 && runs.size() > 1)
      text += fmt::format(" with seed {}; missed in {} of {} runs", shown->seed, missed,
                          runs.size());
    text += '\n';
  }
  return text;
}

std::string span_of_recovery(const std::vector<RunResult>& runs) {
  double least = runs.front().verdict.recovered_after.value_or(0);
  double most = least;
  for (const RunResult& run : runs) {
    least = std::min(least, run.verdict.recovered_after.value_or(0));
    most = std::max(most, run.verdict.recovered_after.value_or(0));
  }
  return fmt::format("after {} to {}", written(least, Unit::seconds), written(most, Unit::seconds));
}

int weight(const RunResult& run) {
  return static_cast<int>(run.verdict.ending) + (all_met(run) ? 0 : 100);
}

}  // namespace

const RunResult& worst_of(const std::vector<RunResult>& runs) {
  return *std::ranges::max_element(runs, {}, [](const RunResult& run) {
    return std::pair(weight(run), run.verdict.recovered_after.value_or(0));
  });
}

std::string verdict_line(const std::vector<RunResult>& runs) {
  if (runs.size() == 1) return printable(runs.front().verdict.sentence);
  std::map<std::string_view, std::size_t> counts;
  for (const RunResult& run : runs) ++counts[to_text(run.verdict.ending)];
  std::string line;
  if (counts.size() == 1) {
    line = fmt::format("{} in all {} runs", counts.begin()->first, runs.size());
    if (runs.front().verdict.ending == Ending::recovers) line += ", " + span_of_recovery(runs);
  } else {
    for (const auto& [ending, count] : counts) {
      line += line.empty() ? fmt::format("{} in {} of {} runs", ending, count, runs.size())
                           : fmt::format(", {} in {}", ending, count);
    }
  }
  const RunResult& worst = worst_of(runs);
  return printable(
      fmt::format("{}; the worst, seed {}: {}", line, worst.seed, worst.verdict.sentence));
}

std::string results_text(const std::vector<RunResult>& runs) {
  const RunResult& first = runs.front();
  const auto met = static_cast<std::size_t>(std::ranges::count_if(runs, all_met));
  std::string text = verdict_line(runs) + "\n\n";
  text += fmt::format("{:<20}{}\n", "scenario", printable(first.scenario));
  text += fmt::format("{:<20}{}\n", "policy", printable(first.policy));
  text += runs.size() == 1 ? fmt::format("{:<20}{}\n", "seed", first.seed)
                           : fmt::format("{:<20}{} to {}\n", "seeds", first.seed, runs.back().seed);
  text += fmt::format("{:<20}{:016x}\n\n", "trace", first.trace_hash);
  text += numbers(runs);
  const std::string expected = checks(runs);
  if (expected.empty()) return text;
  text += "\n" + expected;
  text += met == runs.size()
              ? "all expectations are met\n"
              : fmt::format("expectations are missed in {} of {} run{}\n", runs.size() - met,
                            runs.size(), runs.size() == 1 ? "" : "s");
  return text;
}

std::string compared_text(const std::vector<RunResult>& one, const std::vector<RunResult>& other) {
  const std::string left = printable(one.front().policy);
  const std::string right = printable(other.front().policy);
  std::string text = fmt::format("{}: {}\n{}: {}\n\n", left, verdict_line(one), right,
                                 verdict_line(other));
  text += fmt::format("{:<20}{}\n", "scenario", printable(one.front().scenario));
  text += fmt::format("{:<20}{} to {}, the same load for both\n\n", "seeds", one.front().seed,
                      one.back().seed);
  const std::size_t width = std::max({left.size() + 2, right.size() + 2, std::size_t{14}});
  text += fmt::format("{:<20}{:>{}}{:>{}}\n", one.size() == 1 ? "" : "middle of the runs", left,
                      width, right, width);
  for (const Row& row : rows()) {
    text += fmt::format("{:<20}{:>{}}{:>{}}\n", row.title, written(middle(row, one), row.unit),
                        width, written(middle(row, other), row.unit), width);
  }
  const std::string expected = checks(one);
  return expected.empty() ? text : text + "\nexpected of " + left + "\n" + expected;
}

}  // namespace weir::sim
