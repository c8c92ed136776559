// SPDX-License-Identifier: Apache-2.0
#include "app/bound_text.h"

#include <doctest/doctest.h>

#include "wire/json.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using policy::Bound;
using policy::bound_of;
using policy::Verdict;

// 220/s on 300/s, 3 attempts of 1 s each, a budget of 10 % in 10 s and 1/s.
Config declared() {
  Config config;
  config.streams = {{.name = "s"}};
  DependencySpec dependency{.name = "d", .url = "http://d", .capacity_per_second = 300};
  DependencyPolicy& policy = dependency.policy;
  policy.circuit_breaker.enabled = false;
  policy.retry_constraint.percent = 10;
  policy.retry_constraint.min_retry_count = 1;
  policy.concurrency.max_parallel_requests = 200;
  policy.rate_limit = {.enabled = true, .per_second = 250, .burst = 50};
  config.dependencies = {dependency};
  FlowSpec flow{.name = "f", .stream = "s", .dependency = "d", .peak_per_second = 220};
  flow.policy.retry.max_attempts = 3;
  flow.policy.retry.back_off = {.base_interval = 50ms, .max_interval = 2s};
  flow.policy.timeouts.attempt = 1s;
  config.flows = {flow};
  return config;
}

bool says(const Config& config, std::string_view line) {
  const std::string text = bound_text(bound_of(config));
  CAPTURE(text);
  const bool found = text.find(std::string(line) + "\n") != text.npos;
  CHECK(found);
  return found;
}

TEST_CASE("the whole text of a configuration that declares everything, rounded up") {
  CHECK(
      bound_text(bound_of(declared())) ==
      "dependency d: stable\n"
      "  called by           f\n"
      "  capacity            300/s\n"
      "  peak                220/s\n"
      "  attempts per event  at most 3, all flows of its stream together\n"
      "  retries             budget 10 % of first attempts + 1/s in 10 s, tokens for 20 % per "
      "success and 100 at once\n"
      "  while calls fail    at most 243/s, 1.11 times the peak\n"
      "  burst               231 retries beyond that rate at most\n"
      "  calls ever made     at most 250/s in the long run: retries that succeed are not charged\n"
      "  rate limit          250/s, 50 at once\n"
      "  calls at once       200, so 200/s while all of them time out; safe up to 240\n"
      "  hidden capacity     271.8/s: the most events whose worst case still fits\n"
      "  largest safe budget 35.9 %\n"
      "  after 10.0 s down   caught up after 1 min 22 s; while retries go on as fast as they "
      "may: 5 min 47 s\n"
      "\n"
      "flow f -> d: stable\n"
      "  attempts            at most 3 per event; every replay of it begins anew\n"
      "                      at most 5 calls if Weir is killed in between\n"
      "  amplification       at most 1.11 calls per event at a peak of 220/s\n"
      "  delay               at most 3.2 s; 6.0 s if throttled; 10 min 6 s if the server asks "
      "for more time\n"
      "                      with deferrals no more than 1 d 0 h\n");
}

TEST_CASE("what is not declared is named, and nothing is told that needs it") {
  Config config = declared();
  config.dependencies[0].capacity_per_second = 0;
  config.flows[0].peak_per_second = 0;
  CHECK(says(config,
             "  not declared        capacity of dependency d, peak of flow f; with it: the load "
             "while calls fail, the largest safe budget, recovery and the verdict"));
  const std::string text = bound_text(bound_of(config));
  for (const std::string label :
       {"while calls fail", "burst", "hidden capacity", "capacity", "peak", "largest safe budget",
        "amplification", "after 10.0 s down"}) {
    CAPTURE(label);
    CHECK(text.find("\n  " + label) == text.npos);
    CHECK(bound_text(bound_of(declared())).find("\n  " + label) != text.npos);
  }
}

TEST_CASE("above the capacity it never catches up, and no budget is safe") {
  Config config = declared();
  config.flows[0].peak_per_second = 400;
  config.dependencies[0].policy.circuit_breaker.enabled = true;
  CHECK(says(config, "dependency d: overloaded"));
  CHECK(says(config, "  largest safe budget none: the peak alone is too much"));
  CHECK(says(config,
             "  after 10.0 s down   never catches up: the peak is all that it takes, or more"));
}

TEST_CASE("a rate limit, a breaker and a budget that only watches are told in the text") {
  Config config = declared();
  config.dependencies[0].policy.rate_limit.per_second = 240;
  CHECK(says(config, "                      the rate limit cuts it from 243/s: retries wait"));
  config.dependencies[0].policy.circuit_breaker.enabled = true;
  CHECK(bound_text(bound_of(config)).find("of it the breaker's last wait") != std::string::npos);
  config.dependencies[0].policy.retry_constraint.mode = Mode::shadow;
  CHECK(says(config, "  retries             no budget holds them back"));
}

TEST_CASE("a bound that does not come out even is never printed lower than it is") {
  Config config = declared();
  config.flows[0].peak_per_second = 220.001;  // failing rate 243.0011/s
  CHECK(says(config, "  while calls fail    at most 243.1/s, 1.11 times the peak"));
  config.flows[0].policy.timeouts.attempt = 50min + 1ms;
  CHECK(bound_text(bound_of(config)).find("at most 2 h 31 min;") != std::string::npos);
}

TEST_CASE("one flow, its dependency, and the worst verdict") {
  Config config = declared();
  config.dependencies.push_back({.name = "idle", .url = "http://idle"});
  const Bound all = bound_of(config);
  CHECK(worst(all) == Verdict::unknown);
  CHECK(bound_text(all).find("dependency idle: unknown\n  called by           no flow\n") !=
        std::string::npos);
  const Bound one = narrowed(all, "f");
  REQUIRE(one.dependencies.size() == 1);
  CHECK(one.dependencies[0].name == "d");
  CHECK(worst(one) == Verdict::stable);
  CHECK(narrowed(all, "g").flows.empty());
  CHECK(worst(Bound{}) == Verdict::unknown);
}

TEST_CASE("programs get numbers without rounding, and null for never") {
  Config config = declared();
  const std::string text = bound_json(bound_of(config));
  const auto parsed = wire::parse_json(text);
  REQUIRE(parsed.ok());
  const wire::Json flow = *parsed->root().find("flows")->begin();
  CHECK(flow.find("delaySeconds")->raw() == "3.15");
  config.flows[0].peak_per_second = 400;
  const std::string json = bound_json(bound_of(config));
  CHECK(json.starts_with(R"({"verdict":"overloaded")"));
  CHECK(json.find(R"("caughtUpSeconds":null,"atWorstSeconds":null)") != json.npos);
}

}  // namespace
}  // namespace weir::app
