// SPDX-License-Identifier: Apache-2.0
// The verdicts on the retry storm of HotOS'21 (Bronson et al., section 2.1) and its neighbours.
#include <doctest/doctest.h>

#include "sim/expect.h"
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

TEST_CASE("a fault near the end: recovered, or too soon to tell, and never metastable") {
  struct Row {
    const char* at;
    Ending ending;
    const char* sentence;
  };
  const Row rows[] = {
      {"60s", Ending::recovers, "recovers 0 s after the errors of d ended"},
      {"75s", Ending::recovers, "recovers 0 s after the errors of d ended"},
      {"77s", Ending::unfinished,
       "has not recovered 3 s after the errors of d ended, which is too"},
      {"80s", Ending::unfinished,
       "has not recovered 0 s after the errors of d ended, which is too"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.at);
    const RunResult result = run_of(std::string(R"(
lasts: 90s
policy:
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { capacity: 100/s } }
faults: [{ errors: d, for: 10s, at: )") +
                                    row.at + " }]");
    CAPTURE(result.verdict.sentence);
    CHECK(to_text(result.verdict.ending) == to_text(row.ending));
    CHECK(result.verdict.sentence.starts_with(row.sentence));
  }
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

struct Ended {
  const char* what;
  const char* scenario;
  Ending ending;
  const char* sentence;  // a part of it
};

TEST_CASE("without a fault nothing is metastable: what is less than offered has another name") {
  const Ended rows[] = {
      {"a rate limit below the load", R"(
policy: { rateLimit: { requests: 50, unit: second, burst: 10 }, timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 80/s }, b: { to: d, rate: 20/s } }
dependencies: { d: { capacity: 200/s } })",
       Ending::heldBack, "held back by rateLimit of d: 50/s are done of 102.2/s offered; a higher"},
      {"the same with clients that give up", R"(
policy: { rateLimit: { requests: 50, unit: second, burst: 10 }, timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 70/s, whenRefused: giveUp } }
dependencies: { d: { capacity: 200/s } })",
       Ending::heldBack, "held back by rateLimit of d"},
      {"the same after a fault, which has nothing to do with it", R"(
policy: { rateLimit: { requests: 50, unit: second, burst: 10 }, timeouts: { attempt: 1s } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { capacity: 200/s } }
faults: [{ outage: d, at: 60s, for: 10s }])",
       Ending::heldBack, "held back by rateLimit of d"},
      {"one call at once before four workers", R"(
policy: { concurrency: { maxParallelRequests: 1 } }
load: { a: { to: d, rate: 100/s } }
dependencies: { d: { server: { workers: 4, takes: 20ms } } })",
       Ending::heldBack, "held back by concurrency of d: 50/s are done of 98.55/s offered"},
      {"a breaker that stays open", R"(
policy: { deadLetterBrake: { enabled: false } }
load: { a: { to: d, rate: 100/s } }
dependencies: { d: { capacity: 500/s, server: { failures: 90% } } })",
       Ending::heldBack,
       "held back by circuitBreaker of d: 0/s are done of 98.55/s offered; 88.6 % of all"},
      {"M/M/1/3 at 80 %: (1 - r) r^3 / (1 - r^4) = 17.3 % are refused", R"(
lasts: 60s
policy:
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
  concurrency: { maxParallelRequests: 10000 }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { server: { capacity: 100/s, service: exponential, queueSize: 2 } } })",
       Ending::steady,
       "events/s are done in the end; 18.3 % of calls are refused by the full queue"},
      {"each call takes longer than it may", R"(
policy:
  timeouts: { attempt: 1s }
  retry: { maxAttempts: 1 }
  deadLetterBrake: { enabled: false }
  circuitBreaker: { enabled: false }
load: { a: { to: d, rate: 10/s } }
dependencies: { d: { server: { takes: 2s } } })",
       Ending::failing, "failing, without a fault: 0/s are done of 10.05/s offered to d; 100 % of"},
      {"a slower server behind it", R"(
load: { a: { to: d, rate: 80/s } }
dependencies:
  d: { server: { takes: 10ms, workers: 10, calls: { dependency: e } } }
  e: { server: { capacity: 50/s } })",
       Ending::overloaded, "overloaded: more is offered than can be done"},
      {"bursts that are worked off in between", R"(
lasts: 305s
policy: { concurrency: { maxParallelRequests: 2 } }
load: { a: { to: d, bursts: { size: 300, every: 30s } } }
dependencies: { d: { server: { workers: 4, takes: 100ms } } })",
       Ending::steady, "steady"},
  };
  for (const Ended& row : rows) {
    CAPTURE(row.what);
    const RunResult result = run_of(row.scenario);
    CAPTURE(result.verdict.sentence);
    CHECK(to_text(result.verdict.ending) == to_text(row.ending));
    CHECK(result.verdict.sentence.contains(row.sentence));
  }
}

TEST_CASE(
    "without a fault a storm of retries is overload: the calls are too many, not the events") {
  std::string text = storm("rate: 298/s", "600s");
  text.replace(text.find("300/s"), 5, "300/s, service: exponential");
  const RunResult result = run_of(text);
  CAPTURE(result.verdict.sentence);
  CHECK(result.verdict.ending == Ending::overloaded);
  CHECK(result.verdict.sentence.starts_with("overloaded: more calls are made than can be done"));
}

TEST_CASE("a guardrail that a fault closed for good is told with what keeps the load down") {
  const RunResult result = run_of(R"(
policy: { circuitBreaker: { waitDurationInOpenState: 1h } }
load: { a: { to: d, rate: 80/s } }
dependencies: { d: { capacity: 100/s } }
faults: [{ outage: d, at: 60s, for: 20s }]
)");
  CHECK(result.verdict.ending == Ending::metastable);
  CHECK(result.verdict.sentence.ends_with("; circuitBreaker holds back more"));
}

}  // namespace
}  // namespace weir::sim
