// SPDX-License-Identifier: Apache-2.0
// The models against what queueing theory says of them, and the same trace from the same seed.
#include <cmath>

#include <doctest/doctest.h>

#include "sim/run.h"
#include "sim/testing/scenario_text.h"

namespace weir::sim {
namespace {

using testing::run_of;
using testing::scenario_of;

// A bit of everything.
constexpr const char* kBusy = R"(
lasts: 60s
policy: { timeouts: { attempt: 500ms }, concurrency: { adaptive: true } }
load:
  a: { to: one, rate: 80/s, bursts: { size: 30, every: 7s }, swing: { share: 50%, period: 30s } }
  b: { to: one, clients: 5, think: 50ms }
  c: { to: two, rate: 20/s, arrivals: regular, idempotent: false }
dependencies:
  one:
    capacity: 150/s
    server: { workers: 3, service: exponential, failures: 2%,
              calls: { dependency: three, attempts: 2 } }
  two: { server: { takes: 20ms, slowerPerCall: 1ms, honoursKeys: false } }
  three:
    server: { takes: 4ms, workers: 2, queue: lifo, queueSize: 50, degrades: { to: 30%, at: 40 } }
faults:
  - { outage: one, at: 10s, for: 5s }
  - { errors: two, at: 12s, for: 5s, share: 40%, status: 503 }
  - { slow: three, at: 25s, for: 5s, times: 5 }
  - { pause: one, at: 35s, for: 2s }
  - { hang: two, at: 40s, for: 2s }
  - { brownOut: one, at: 45s, for: 5s, to: 30% }
  - { spike: a, at: 52s, for: 3s, times: 2 }
)";

TEST_CASE("the same seed gives the same trace, in every build") {
  const RunResult first = run_of(kBusy, 7);
  CHECK(first.trace_hash == run_of(kBusy, 7).trace_hash);
  CHECK(first.trace_hash != run_of(kBusy, 8).trace_hash);
  CHECK(first.totals.events > 5000);
  // Pinned: the sanitized and the optimised build must say the same.
  CHECK(first.trace_hash == 12772399153631228970u);
}

TEST_CASE("an event ends once: done, in quarantine, expired, or still open") {
  const RunResult result = run_of(kBusy, 3);
  const Totals& totals = result.totals;
  CHECK(totals.succeeded + totals.quarantined + totals.expired <= totals.events);
  CHECK(totals.attempts >= totals.succeeded);
}

// Response times of M/M/1 are exponential with mean 1/(mu - lambda).
TEST_CASE("M/M/1: the median and the 99th percentile of the response time") {
  const RunResult result = run_of(R"(
lasts: 10m
policy: { concurrency: { maxParallelRequests: 10000 } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { server: { capacity: 100/s, service: exponential } } }
)");
  CHECK(result.totals.delay_p50 == doctest::Approx(std::log(2) / 20).epsilon(0.1));
  CHECK(result.totals.delay_p99 == doctest::Approx(std::log(100) / 20).epsilon(0.15));
}

// Little's law over M/D/1: in the system wait rho + rho^2 / (2 (1 - rho)) calls.
TEST_CASE("M/D/1: how many calls are at the server") {
  const RunResult result = run_of(R"(
lasts: 10m
policy: { concurrency: { maxParallelRequests: 10000 } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { server: { capacity: 100/s } } }
)");
  double mean = 0;
  const auto& steps = result.series.at(0).steps;
  for (const Step& step : steps) mean += step.in_flight / static_cast<double>(steps.size());
  CHECK(mean == doctest::Approx(0.8 + 0.64 / 0.4).epsilon(0.2));
}

// Erlang C with 4 workers at 80 %: 59.6 % wait, (c mu - lambda)^-1 on average.
TEST_CASE("M/M/c: how many calls are at the server") {
  const RunResult result = run_of(R"(
lasts: 10m
policy: { concurrency: { maxParallelRequests: 10000 } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { server: { capacity: 100/s, workers: 4, service: exponential } } }
)");
  double mean = 0;
  const auto& steps = result.series.at(0).steps;
  for (const Step& step : steps) mean += step.in_flight / static_cast<double>(steps.size());
  CHECK(mean == doctest::Approx(3.2 + 0.596 * 80 / 20).epsilon(0.2));
}

TEST_CASE("a bounded queue answers 503 instead of keeping calls for ever") {
  const RunResult result = run_of(R"(
lasts: 60s
policy:
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
  concurrency: { maxParallelRequests: 10000 }
load: { a: { to: d, rate: 200/s } }
dependencies: { d: { server: { capacity: 100/s, queueSize: 10 } } }
)");
  CHECK(result.totals.goodput == doctest::Approx(0.5).epsilon(0.05));
  CHECK(result.totals.delay_p99 < 0.13);
}

TEST_CASE("a server that forgets keys applies effects twice, one that honours them does not") {
  const std::string head = R"(
lasts: 60s
policy: { timeouts: { attempt: 100ms }, deadLetterBrake: { enabled: false } }
load: { a: { to: d, rate: 50/s } }
faults: [{ pause: d, at: 10s, for: 5s }]
dependencies: { d: { server: { capacity: 100/s, honoursKeys: )";
  CHECK(run_of(head + "true } } }").totals.effects_twice == 0);
  CHECK(run_of(head + "false } } }").totals.effects_twice > 0);
}

TEST_CASE("clients that wait send the next event when the last has ended") {
  const RunResult result = run_of(R"(
lasts: 10s
load: { a: { to: d, clients: 3, think: 90ms, each: 20 } }
dependencies: { d: { server: { takes: 10ms } } }
)");
  CHECK(result.totals.events == 60);
  CHECK(result.totals.succeeded == 60);
  CHECK(result.totals.finished_after == doctest::Approx(2).epsilon(0.1));
}

TEST_CASE("a handler that calls another one has its latency and its failures") {
  const RunResult result = run_of(R"(
lasts: 30s
policy:
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
load: { a: { to: front, rate: 20/s } }
dependencies:
  front: { server: { takes: 10ms, calls: { dependency: back, attempts: 2, timeout: 1s } } }
  back: { server: { takes: 20ms, failures: 50% } }
)");
  CHECK(result.totals.goodput == doctest::Approx(0.75).epsilon(0.1));
  CHECK(result.totals.delay_p50 > 0.028);
}

TEST_CASE("faults of one kind that overlap count together, and the last to end ends them") {
  const RunResult result = run_of(R"(
lasts: 40s
policy:
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
load: { a: { to: d, rate: 100/s, arrivals: regular } }
dependencies: { d: { server: { takes: 1ms } } }
faults:
  - { errors: d, at: 0s, for: 20s, share: 100%, status: 503 }
  - { errors: d, at: 5s, for: 5s, share: 50%, status: 500 }
)",
                                  1);
  double early = 0;
  double late = 0;
  for (const Step& step : result.series[0].steps) (step.at < 20 ? early : late) += step.succeeded;
  CHECK(early == 0);
  CHECK(late > 1900);
}

// One call of 2 s begins at 10 s; at 11 s half of it is left.
TEST_CASE("a fault bends the work under way, and its end unbends it") {
  struct Row {
    const char* fault;
    double done_at;
  };
  const Row rows[] = {
      {"slow: d, at: 5s, for: 1s, times: 5", 12},
      {"slow: d, at: 11s, for: 1s, times: 5", 12.8},
      {"slow: d, at: 9s, for: 2s, times: 5", 12.8},
      {"slow: d, at: 11s, for: 7s, times: 0.5", 11.5},
      {"slow: d, at: 9s, for: 5s, times: 100000", 16},
      {"brownOut: d, at: 11s, for: 5s, to: 0%", 17},
      {"brownOut: d, at: 9s, for: 3s, to: 50%", 13},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    const RunResult result = run_of(std::string(R"(
lasts: 19s
policy: { timeouts: { attempt: 50s } }
load: { a: { to: d, bursts: { size: 1, every: 10s } } }
dependencies: { d: { server: { workers: 1, takes: 2s } } }
faults: [{ )") + row.fault + " }]");
    CHECK(result.totals.finished_after == doctest::Approx(row.done_at).epsilon(1e-4));
  }
}

}  // namespace
}  // namespace weir::sim
