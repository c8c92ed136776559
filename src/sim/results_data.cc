// SPDX-License-Identifier: Apache-2.0
#include "sim/results_data.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "sim/expect.h"
#include "sim/report_chart.h"
#include "sim/results_text.h"
#include "sim/run.h"
#include "wire/json.h"

namespace weir::sim {
namespace {

using wire::JsonWriter;

void optional_field(JsonWriter& json, std::string_view name, std::optional<double> value) {
  json.key(name);
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_totals(JsonWriter& json, const Totals& totals) {
  json.key("totals").begin_object();
  json.field("events", totals.events).field("attempts", totals.attempts);
  json.field("succeeded", totals.succeeded).field("quarantined", totals.quarantined);
  json.field("expired", totals.expired).field("effectsTwice", totals.effects_twice);
  json.field("goodput", totals.goodput).field("amplification", totals.amplification);
  json.field("lateGoodput", totals.late_goodput);
  json.field("lateAmplification", totals.late_amplification);
  json.field("finishedAfterSeconds", totals.finished_after);
  json.field("delayP50Seconds", totals.delay_p50).field("delayP99Seconds", totals.delay_p99);
  json.end_object();
}

void write_series(JsonWriter& json, const Series& series) {
  json.begin_object().field("dependency", series.dependency).key("steps").begin_array();
  for (const Step& step : series.steps) {
    json.begin_object().field("atSeconds", step.at).field("offered", step.offered);
    json.field("attempted", step.attempted).field("succeeded", step.succeeded);
    json.field("failed", step.failed).field("queue", step.queue);
    json.field("inFlight", step.in_flight).field("serverQueue", step.server_queue);
    json.field("limit", step.limit).field("budget", step.budget).field("breaker", step.breaker);
    json.end_object();
  }
  json.end_array().end_object();
}

void write_run(JsonWriter& json, const RunResult& run) {
  json.begin_object().field("seed", run.seed);
  json.field("traceHash", fmt::format("{:016x}", run.trace_hash));
  json.field("ending", to_text(run.verdict.ending)).field("sentence", run.verdict.sentence);
  optional_field(json, "recoveredAfterSeconds", run.verdict.recovered_after);
  optional_field(json, "caughtUpAfterSeconds", run.verdict.caught_up_after);
  write_totals(json, run.totals);
  json.key("checks").begin_array();
  for (const Check& check : run.checks) {
    json.begin_object().field("name", check.name).field("expected", check.expected);
    json.field("measured", check.measured).field("met", check.met).end_object();
  }
  json.end_array().key("faults").begin_array();
  for (const Shade& fault : run.faults) {
    json.begin_object().field("what", fault.what).field("fromSeconds", fault.from);
    json.field("toSeconds", fault.to).end_object();
  }
  json.end_array().key("series").begin_array();
  for (const Series& series : run.series) write_series(json, series);
  json.end_array().end_object();
}

std::string test_case(const RunResult& run, std::string_view name, const std::string& failure) {
  const std::string head = fmt::format("  <testcase classname=\"{}\" name=\"{} (seed {})\"",
                                       escaped(run.scenario), escaped(name), run.seed);
  if (failure.empty()) return head + "/>\n";
  return fmt::format("{}><failure message=\"{}\">{}</failure></testcase>\n", head, escaped(failure),
                     escaped(run.verdict.sentence));
}

}  // namespace

std::string results_json(const std::vector<RunResult>& runs) {
  JsonWriter json;
  json.begin_object().field("scenario", runs.front().scenario);
  json.field("policy", runs.front().policy).field("met", std::ranges::all_of(runs, all_met));
  json.field("verdict", verdict_line(runs)).key("runs").begin_array();
  for (const RunResult& run : runs) write_run(json, run);
  json.end_array().end_object();
  return std::move(json).take();
}

std::string results_junit(const std::vector<RunResult>& runs) {
  std::string cases;
  std::size_t tests = 0;
  std::size_t failures = 0;
  for (const RunResult& run : runs) {
    if (run.checks.empty()) {
      cases += test_case(run, "runs", "");
      ++tests;
    }
    for (const Check& check : run.checks) {
      const std::string missed = fmt::format("expected {}, measured {}", check.expected,
                                             check.measured);
      cases += test_case(run, fmt::format("{} {}", check.name, check.expected),
                         check.met ? std::string{} : missed);
      ++tests;
      failures += check.met ? 0 : 1;
    }
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"{}\" tests=\"{}\" "
      "failures=\"{}\">\n{}</testsuite>\n",
      escaped(runs.front().scenario), tests, failures, cases);
}

}  // namespace weir::sim
