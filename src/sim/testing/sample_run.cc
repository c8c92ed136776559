// SPDX-License-Identifier: Apache-2.0
#include "sim/testing/sample_run.h"

namespace weir::sim::testing {
namespace {

constexpr int kOutage = 20;  // seconds
constexpr int kOver = 30;

RunResult frame() {
  RunResult run;
  run.scenario = "retry storm";
  run.seed = 7;
  run.trace_hash = 0xC0FFEE;
  run.totals.events = 16'800;
  run.faults = {{.what = "pause of tracker", .from = kOutage, .to = kOver}};
  run.series = {{.dependency = "tracker"}};
  return run;
}

}  // namespace

RunResult metastable_run() {
  RunResult run = frame();
  run.policy = "one retry";
  run.totals.attempts = 28'000;
  run.totals.succeeded = 5'600;
  run.totals.goodput = 0.333;
  run.totals.amplification = 1.667;
  run.verdict = {.ending = Ending::metastable, .sentence = "never recovers: metastable"};
  run.checks = {{"goodput", ">= 0.95", "0.333", false}, {"effectsTwice", "= 0", "0", true}};
  for (int second = 1; second <= 60; ++second) {
    Step step{.at = 1.0 * second, .offered = 280, .attempted = 280, .succeeded = 280};
    step.in_flight = 1;
    step.limit = 240;
    step.budget = 1;
    if (second > kOutage) {
      step.attempted = 560;
      step.succeeded = 0;
      step.failed = 560;
      step.in_flight = 240;
      step.server_queue = 300.0 * (second - kOutage);
    }
    run.series[0].steps.push_back(step);
  }
  return run;
}

RunResult recovering_run() {
  RunResult run = frame();
  run.policy = "weir";
  run.totals.attempts = 17'000;
  run.totals.succeeded = 16'800;
  run.totals.goodput = 1;
  run.totals.amplification = 1.012;
  run.verdict = {
      .ending = Ending::recovers, .recovered_after = 2, .sentence = "recovers after 2 s"};
  for (int second = 1; second <= 60; ++second) {
    const bool down = second > kOutage && second <= kOver + 2;
    Step step{.at = 1.0 * second, .offered = 280, .attempted = 280, .succeeded = 280};
    step.in_flight = 1;
    step.limit = down ? 3 : 240;
    step.budget = down ? 0.2 : 1;
    step.breaker = down ? 1 : 0;
    if (down) {
      step.attempted = 3;
      step.succeeded = 0;
      step.failed = 3;
      step.queue = 280.0 * (second - kOutage);
    }
    run.series[0].steps.push_back(step);
  }
  return run;
}

}  // namespace weir::sim::testing
