// SPDX-License-Identifier: Apache-2.0
#include "config/bounds_check.h"

#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::listed;
using testing::no_secrets;

// The first lines of every configuration here; `policy` is line 9.
LoadOutcome load_policy(const std::string& policy, const std::string& peak = "peak: 150/s") {
  return load({{"w.yaml",
                "version: 1\n"
                "streams: { s: {} }\n"
                "dependencies:\n"
                "  d: { url: http://h, capacity: 300/s, policy: p }\n"
                "flows:\n"
                "  f: { from: { stream: s }, to: { http: { dependency: d } }, policy: p, " +
                    peak + " }\n" + "policies:\n" + "  p:\n" + policy}},
              no_secrets);
}

const std::string kSound =
    "    timeouts: { attempt: 1s }\n"
    "    rateLimit: { requests: 250 }\n";

TEST_CASE("a sound configuration has no warnings, and its peak is read") {
  const LoadOutcome outcome = load_policy(kSound);
  CHECK(listed(outcome.problems) == "");
  CHECK(listed(outcome.warnings) == "");
  REQUIRE(outcome.config.has_value());
  CHECK(outcome.config->flows[0].peak_per_second == 150);
}

TEST_CASE("a warning stands at its setting, and names the other one") {
  const LoadOutcome outcome = load_policy(kSound +
                                          "    concurrency: { maxParallelRequests: 241 }\n");
  CHECK(outcome.config.has_value());
  CHECK(render(outcome.warnings) ==
        "w.yaml:11:41: warning[L3]: 241 calls at once are more than 0.8 x 300/s x 1.0 s: after a "
        "pause, calls that timed out can keep d busy (capacity of dependency d at w.yaml:4; "
        "timeouts.attempt of flow f at w.yaml:9)\n"
        "      concurrency: { maxParallelRequests: 241 }\n"
        "                                          ^\n"
        "hint: at most 240\n");
}

TEST_CASE("a setting that is not written is shown at what surrounds it") {
  const LoadOutcome outcome = load_policy("    timeouts: { attempt: 100ms }\n");
  REQUIRE(outcome.warnings.size() == 1);
  CHECK(outcome.warnings[0].lint == "L3");
  CHECK(outcome.warnings[0].place.line == 9);
  CHECK(outcome.warnings[0].excerpt == "    timeouts: { attempt: 100ms }");
}

TEST_CASE("a default that cannot act is not worth a word, the same setting written down is") {
  const std::string event =
      "    timeouts: { attempt: 1s, event: 2m }\n"
      "    rateLimit: { requests: 250 }\n";
  CHECK(listed(load_policy(event + "    retry: { maxAttempts: 2 }\n").warnings) == "");
  const LoadOutcome outcome = load_policy(
      event + "    retry: { maxAttempts: 2, serverDirected: { maxInterval: 5m } }\n");
  CHECK(listed(outcome.warnings) ==
        "11:61 WR1306: a server may ask for 5 min 0 s, and the event expires after 2 min 0 s "
        "(timeouts.event of flow f at w.yaml:9) | keep it well below timeouts.event");
}

TEST_CASE("enforce: reject makes errors of findings, with the numbers of a broken bound") {
  const std::string bounds = kSound + "    bounds: { enforce: reject, maxAmplification: 1.1 }\n";
  const LoadOutcome outcome = load_policy(bounds);
  CHECK_FALSE(outcome.config.has_value());
  REQUIRE(outcome.refused.has_value());
  CHECK(outcome.refused->flows[0].peak_per_second == 150);
  CHECK(listed(outcome.problems) ==
        "11:50 WR1306: flow f may send 1.27 calls per event, the bound is 1.1 | lower "
        "retryConstraint.budget.percent of its dependency, or retry.maxAttempts\n"
        "11:50 WR1306: retries may multiply the load of dependency d by 1.27 (190/s at a peak of "
        "150/s), the bound is 1.1 | lower retryConstraint.budget.percent, minRetryRate or "
        "retry.maxAttempts");
  CHECK(label(outcome.problems[0]) == "error[WR1306, L1]");
  const LoadOutcome warned = load_policy(kSound + "    bounds: { maxAmplification: 1.1 }\n");
  CHECK(warned.config.has_value());
  CHECK(warned.warnings.size() == 2);
  CHECK(load_policy(kSound + "    bounds: { enforce: reject, maxAmplification: 1.27 }\n")
            .config.has_value());
}

TEST_CASE("what several flows of one policy have in common is said once") {
  const LoadOutcome outcome = load_policy(
      kSound + "    retry: { maxAttempts: 3, serverDirected: { maxInterval: 24h } }\n",
      "peak: 100/s }\n  g: { from: { stream: s }, to: { http: { dependency: d } }, policy: p, "
      "peak: 50/s");
  CHECK(listed(outcome.warnings) ==
        "12:61 WR1306: a server may ask for 1 d 0 h, and the event expires after 1 d 0 h "
        "(timeouts.event of flow f by default) | keep it well below timeouts.event");
}

TEST_CASE("a bound that cannot be shown is broken, and says what is missing") {
  const LoadOutcome outcome = load_policy(
      kSound + "    bounds: { enforce: reject, maxAmplification: 4.9 }\n", "");
  REQUIRE(outcome.problems.size() == 2);
  CHECK(outcome.problems[1].message ==
        "that retries multiply the load of dependency d by no more than 4.9 cannot be shown: peak "
        "of flow f not declared (without it 5)");
}

TEST_CASE("a configuration with another problem has no warnings yet") {
  const LoadOutcome outcome = load_policy(kSound +
                                          "    concurrency: { maxParallelRequests: 241 }\n"
                                          "    retry: { maxAttempts: 0 }\n");
  CHECK(outcome.problems.size() == 1);
  CHECK_FALSE(outcome.refused.has_value());
  CHECK(outcome.warnings.empty());
}

TEST_CASE("a peak and a capacity are rates above zero") {
  CHECK(listed(load_policy(kSound, "peak: 0/s").problems) == "6:79: 'peak' must be above zero");
  CHECK(listed(load_policy(kSound, "peak: 5").problems) ==
        "6:79: '5' is no rate | for example 300/s, 30/min, 1000/h");
  CHECK(listed(load({{"w.yaml",
                      "version: 1\ndependencies: { d: { url: http://h, capacity: 0/s } }\n"}},
                    no_secrets)
                   .problems) == "2:47: 'capacity' must be above zero");
}

}  // namespace
}  // namespace weir::config
