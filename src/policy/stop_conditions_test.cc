// SPDX-License-Identifier: Apache-2.0
#include "policy/stop_conditions.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

std::string reason(const StopConditions& stop, const RunFacts& facts) {
  const auto verdict = stop_check(stop, facts);
  return verdict ? fmt::format("{}: {}", to_text(verdict->action), verdict->reason) : "";
}

TEST_CASE("stop conditions, each at its limit") {
  const StopConditions stop{
      .latency = {2}, .live_lag = {60}, .duration = {3600, StopAction::pause}};
  struct Row {
    RunFacts facts;
    std::string expected;
  };
  const Row rows[] = {
      {{}, ""},
      {{.counts = {.sent = 9, .failed_again = 9}}, ""},
      {{.counts = {.sent = 10, .succeeded = 9, .failed_again = 1}}, ""},
      {{.counts = {.sent = 10, .succeeded = 8, .failed_again = 1, .in_doubt = 1}},
       "stop: 20 % of 10 settled deliveries did not succeed, the limit is 10 %"},
      {{.counts = {.sent = 2, .failed_again = 2, .same_fingerprint = 2}}, ""},
      {{.counts = {.sent = 3, .failed_again = 3, .same_fingerprint = 3}},
       "stop: 3 deliveries failed again in the same way, the limit is 3"},
      {{.counts = {.sent = 1, .failed_again = 1}, .canary = true},
       "stop: 1 of 1 canary deliveries did not succeed"},
      {{.counts = {.sent = 1, .in_doubt = 1}, .canary = true},
       "stop: 1 of 1 canary deliveries did not succeed"},
      {{.counts = {.sent = 5, .succeeded = 5}, .canary = true}, ""},
      {{.breaker_open = true}, "stop: the circuit breaker of the dependency opened"},
      {{.latency_p95 = 2s}, ""},
      {{.latency_p95 = 2500ms},
       "stop: 95 % of the last attempts took up to 2.5 s, the limit is 2.0 s"},
      {{.live_lag = 60s}, ""},
      {{.live_lag = 61s},
       "stop: the oldest live event has been ready for 1 min 1 s, the limit is 1 min 0 s"},
      {{.running = 3600s}, ""},
      {{.running = 3660s}, "pause: the run has taken 1 h 1 min, the limit is 1 h 0 min"},
      // The hardest one counts.
      {{.breaker_open = true, .running = 3660s},
       "stop: the circuit breaker of the dependency opened"},
  };
  for (const Row& row : rows) CHECK(reason(stop, row.facts) == row.expected);
}

TEST_CASE("a limit of zero is off, and is not read") {
  const StopConditions off{.failure_share = {0}, .same_fingerprint = {0}, .breaker_open = {0}};
  const RunFacts bad{.counts = {.sent = 50, .failed_again = 50, .same_fingerprint = 50},
                     .breaker_open = true,
                     .latency_p95 = 1h,
                     .live_lag = 1h,
                     .running = 24h};
  CHECK(reason(off, bad).empty());
  CHECK(stop_readings(off, bad).empty());
}

TEST_CASE("a reading tells the value and its limit") {
  const auto readings = stop_readings({.latency = {2, StopAction::slow}},
                                      {.counts = {.sent = 4, .succeeded = 3, .failed_again = 1}});
  REQUIRE(readings.size() == 4);
  CHECK(readings[0].name == "failureShare");
  CHECK(readings[0].value == 25);
  CHECK(readings[0].rule.limit == 10);
  CHECK_FALSE(readings[0].reached);  // too few to judge
  CHECK(readings[3].name == "latency");
  CHECK(readings[3].rule.then == StopAction::slow);
  CHECK(readings[3].value == 0);
}

TEST_CASE("p95 of the last hundred attempts, from ten on") {
  RecentLatencies latencies;
  for (int i = 1; i <= 9; ++i) latencies.add(i * 1ms);
  CHECK(latencies.p95() < 0ms);
  latencies.add(10ms);
  CHECK(latencies.p95() == 10ms);
  for (int i = 0; i < 90; ++i) latencies.add(1ms);
  CHECK(latencies.p95() == 5ms);  // of 1 to 10 ms once each, and 90 times 1 ms
  for (int i = 0; i < 100; ++i) latencies.add(7ms);
  CHECK(latencies.p95() == 7ms);
}

}  // namespace
}  // namespace weir::policy
