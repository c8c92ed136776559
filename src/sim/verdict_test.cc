// SPDX-License-Identifier: Apache-2.0
// The verdicts on the retry storm of HotOS'21 (Bronson et al., section 2.1) and its neighbours.
#include <doctest/doctest.h>

#include "sim/run.h"
#include "sim/testing/scenario_text.h"

namespace weir::sim {
namespace {

using testing::run_of;

// Clients that retry once, at once; a server of 300/s that works on abandoned calls too.
std::string storm(const std::string& load, const std::string& lasts = "90s") {
  return "lasts: " + lasts + R"(
policy:
  timeouts: { attempt: 1s }
  retry: { maxAttempts: 2, backOff: { baseInterval: 1ms, maxInterval: 1ms, jitter: none } }
  retryConstraint:
    budget: { percent: 100 }
    minRetryRate: { count: 100000 }
    tokens: { capacity: 0 }
  circuitBreaker: { enabled: false }
  deadLetterBrake: { enabled: false }
  concurrency: { maxParallelRequests: 10000 }
dependencies: { d: { server: { capacity: 300/s } } }
load: { a: { to: d, )" +
         load + " } }\n";
}

TEST_CASE("one retry at 280/s of 300/s: ten seconds of pause last for ever") {
  const RunResult result = run_of(storm("rate: 280/s") +
                                  "faults: [{ pause: d, at: 20s, for: 10s }]");
  CHECK(result.verdict.ending == Ending::metastable);
  CHECK_FALSE(result.verdict.recovered_after.has_value());
  CHECK(result.totals.late_goodput == 0);
  CHECK(result.totals.late_amplification == doctest::Approx(2).epsilon(0.02));
  CHECK(
      result.verdict.sentence.starts_with("never recovers: metastable. 60 s after the pause of d "
                                          "ended, in the end 2"));
}

TEST_CASE("half a second of it is harmless") {
  const RunResult result = run_of(storm("rate: 280/s") +
                                  "faults: [{ pause: d, at: 20s, for: 500ms }]");
  const bool is_well = result.verdict.ending == Ending::recovers ||
                       result.verdict.ending == Ending::steady;
  CHECK(is_well);
}

TEST_CASE("at 120/s it recovers by itself, and says when") {
  const RunResult result = run_of(storm("rate: 120/s", "180s") +
                                  "faults: [{ pause: d, at: 20s, for: 10s }]");
  CHECK(result.verdict.ending == Ending::recovers);
  CHECK(*result.verdict.recovered_after > 5);
  CHECK(result.verdict.sentence.starts_with("recovers "));
}

TEST_CASE("without a fault: steady below the capacity, overloaded above it") {
  CHECK(run_of(storm("rate: 200/s")).verdict.ending == Ending::steady);
  CHECK(run_of(storm("rate: 400/s")).verdict.ending == Ending::overloaded);
}

TEST_CASE("watched too briefly is said so") {
  const RunResult result = run_of(storm("rate: 120/s", "40s") +
                                  "faults: [{ pause: d, at: 20s, for: 10s }]");
  CHECK(result.verdict.ending == Ending::unfinished);
}

TEST_CASE("Weir's defaults recover from the same storm") {
  const RunResult result = run_of(R"(
lasts: 300s
policy: { timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 280/s } }
dependencies: { d: { capacity: 300/s } }
faults: [{ pause: d, at: 20s, for: 10s }]
)");
  CHECK(result.verdict.ending == Ending::recovers);
}

TEST_CASE("a flow that pauses itself is no recovery") {
  const RunResult result = run_of(R"(
lasts: 60s
policy: { retry: { maxAttempts: 1 } }
load: { a: { to: d, rate: 100/s } }
dependencies: { d: { server: { takes: 5ms } } }
faults: [{ errors: d, at: 10s, for: 40s, status: 422 }]
)");
  CHECK(result.verdict.ending == Ending::paused);
  CHECK(result.verdict.sentence.starts_with("paused itself after "));
  CHECK(result.verdict.sentence.contains("flow a: dead-letter brake"));
}

TEST_CASE("what a fault slowed to a standstill ends with it") {
  for (const char* fault : {"brownOut: d, to: 0%", "slow: d, times: 100000"}) {
    CAPTURE(fault);
    const RunResult result = run_of(std::string(R"(
policy: { timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { capacity: 100/s } }
faults: [{ at: 60s, for: 10s, )") + fault +
                                    " }]");
    CHECK(result.verdict.ending == Ending::recovers);
    CHECK(result.verdict.caught_up_after.has_value());
  }
}

}  // namespace
}  // namespace weir::sim
