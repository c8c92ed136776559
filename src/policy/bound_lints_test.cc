// SPDX-License-Identifier: Apache-2.0
#include "policy/bound_lints.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

// Nothing to say about it.
Config sound() {
  Config config;
  config.streams = {{.name = "s"}};
  DependencySpec dependency{.name = "d", .url = "http://d", .capacity_per_second = 300};
  dependency.policy.rate_limit = {.enabled = true, .per_second = 250, .burst = 50};
  config.dependencies = {dependency};
  FlowSpec flow{.name = "f", .stream = "s", .dependency = "d", .peak_per_second = 150};
  flow.policy.timeouts.attempt = 1s;
  flow.policy.retry.max_attempts = 3;
  config.flows = {flow};
  return config;
}

// "L3 d concurrency.maxParallelRequests" per finding.
std::vector<std::string> found(const Config& config) {
  std::vector<std::string> all;
  for (const Finding& finding : lint_bounds(config, bound_of(config))) {
    CHECK_FALSE(finding.message.empty());
    CHECK_FALSE(finding.hint.empty());
    all.push_back(fmt::format("{} {} {}", finding.id, finding.at.name, finding.at.setting));
  }
  return all;
}

using Ids = std::vector<std::string>;

struct Wrong {
  const char* what;
  void (*make)(Config&, DependencyPolicy&, FlowPolicy&);
  Ids ids;
};

const Wrong kWrong[] = {
    {"nothing", [](Config&, DependencyPolicy&, FlowPolicy&) {}, {}},
    {"attempts above the bound, of the flow and of all flows",
     [](Config&, DependencyPolicy& d, FlowPolicy& f) {
       d.bounds.max_attempts_per_event = 2;
       f.bounds.max_attempts_per_event = 2;
     },
     {"L1 d bounds.maxAttemptsPerEvent", "L1 f bounds.maxAttemptsPerEvent"}},
    {"a bound that just holds",
     [](Config&, DependencyPolicy& d, FlowPolicy& f) {
       d.bounds.max_attempts_per_event = 3;
       f.bounds.max_amplification = 1.27;
     },
     {}},
    {"amplification above the bound",
     [](Config&, DependencyPolicy& d, FlowPolicy&) { d.bounds.max_amplification = 1.1; },
     {"L1 d bounds.maxAmplification"}},
    {"amplification that cannot be shown",
     [](Config& c, DependencyPolicy& d, FlowPolicy&) {
       c.flows[0].peak_per_second = 0;
       d.bounds.max_amplification = 1.5;
     },
     {"L1 d bounds.maxAmplification"}},
    {"a budget that can keep a failure alive",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.rate_limit.enabled = false;
       d.retry_constraint.percent = 100;
       d.retry_constraint.tokens.capacity = 0;
     },
     {"L2 d retryConstraint.budget.percent"}},
    {"a peak above the capacity",
     [](Config& c, DependencyPolicy&, FlowPolicy&) { c.flows[0].peak_per_second = 300; },
     {"L2 d @capacity"}},
    {"a peak above the rate limit",
     [](Config& c, DependencyPolicy&, FlowPolicy&) { c.flows[0].peak_per_second = 250; },
     {"L15 d rateLimit.requests"}},
    {"more calls at once than the dependency finishes in time",
     [](Config&, DependencyPolicy& d, FlowPolicy&) { d.concurrency.max_parallel_requests = 241; },
     {"L3 d concurrency.maxParallelRequests"}},
    {"as many as it just finishes",
     [](Config&, DependencyPolicy& d, FlowPolicy&) { d.concurrency.max_parallel_requests = 240; },
     {}},
    {"an adaptive limit below the cap counts",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.concurrency.max_parallel_requests = 400;
       d.concurrency.adaptive.enabled = true;
       d.concurrency.adaptive.max_limit = 300;
     },
     {}},
    {"... unless it only watches",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.concurrency.max_parallel_requests = 400;
       d.concurrency.adaptive.enabled = true;
       d.concurrency.mode = Mode::shadow;
     },
     {"L3 d concurrency.maxParallelRequests"}},
    {"a rate limit above the capacity",
     [](Config&, DependencyPolicy& d, FlowPolicy&) { d.rate_limit.per_second = 301; },
     {"L13 d rateLimit.requests"}},
    {"attempts that cannot end before the deadline",
     [](Config&, DependencyPolicy&, FlowPolicy& f) {
       f.timeouts.event = 4s;
       f.retry.honor_server = false;
       f.retry.back_off.max_interval = 3s;
     },
     {"L5 f retry.maxAttempts"}},
    {"a cap of delays above the deadline",
     [](Config&, DependencyPolicy&, FlowPolicy& f) {
       f.timeouts.event = 10min;
       f.retry.back_off.max_interval = 10min;
     },
     {"L11 f retry.backOff.maxInterval"}},
    {"a breaker that needs more calls than ever come",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.circuit_breaker.minimum_number_of_calls = 3000;
     },
     {"L10 d circuitBreaker.minimumNumberOfCalls"}},
    {"a breaker that timeouts cannot trip",
     [](Config&, DependencyPolicy& d, FlowPolicy& f) {
       d.concurrency.max_parallel_requests = 5;
       f.timeouts.attempt = 10s;
     },
     {"L10 d circuitBreaker.minimumNumberOfCalls"}},
    {"probes that hang before their timeout",
     [](Config&, DependencyPolicy& d, FlowPolicy& f) {
       f.timeouts.attempt = 40s;
       d.concurrency.max_parallel_requests = 100;
     },
     {"L10 d circuitBreaker.maxWaitDurationInHalfOpenState"}},
    {"calls that are never slow",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.circuit_breaker.slow_call_duration_threshold = 1s;
     },
     {"L14 d circuitBreaker.slowCallDurationThreshold"}},
    {"a replay that does not fit beside retries",
     [](Config& c, DependencyPolicy& d, FlowPolicy&) {
       d.rate_limit.enabled = false;
       c.flows[0].peak_per_second = 220;
     },
     {"L12 d @capacity"}},
    {"a budget that pays for nothing",
     [](Config&, DependencyPolicy& d, FlowPolicy&) {
       d.retry_constraint.percent = 0;
       d.retry_constraint.min_retry_count = 0;
     },
     {"L16 d retryConstraint.budget.percent"}},
    {"one server under two names",
     [](Config& c, DependencyPolicy&, FlowPolicy&) {
       c.dependencies.push_back(c.dependencies[0]);
       c.dependencies[1].name = "e";
       c.dependencies[1].url = "http://D:80/prefix";
       c.flows.push_back(c.flows[0]);
       c.flows[1].name = "g";
       c.flows[1].dependency = "e";
     },
     {"L8 e @url"}},
    {"Weir as its own dependency",
     [](Config& c, DependencyPolicy&, FlowPolicy&) {
       c.dependencies[0].url = "http://localhost:8600";
     },
     {"L8 d @url"}},
    {"the same host with another port",
     [](Config& c, DependencyPolicy&, FlowPolicy&) {
       c.dependencies[0].url = "http://127.0.0.1:8601";
     },
     {}},
};

TEST_CASE("every lint speaks about its own mistake and about no other") {
  for (const Wrong& wrong : kWrong) {
    CAPTURE(wrong.what);
    Config config = sound();
    // Changing the list of dependencies moves them, so a row changes the policies first.
    DependencyPolicy dependency = config.dependencies[0].policy;
    FlowPolicy flow = config.flows[0].policy;
    Config scratch = config;
    wrong.make(scratch, dependency, flow);
    config = scratch;
    config.dependencies[0].policy = dependency;
    config.flows[0].policy = flow;
    CHECK(found(config) == wrong.ids);
  }
}

TEST_CASE("bounds.enforce: reject of a policy concerned makes its findings errors") {
  Config config = sound();
  config.dependencies[0].policy.concurrency.max_parallel_requests = 241;
  auto findings = lint_bounds(config, bound_of(config));
  REQUIRE(findings.size() == 1);
  CHECK_FALSE(findings[0].rejected);
  CHECK_FALSE(findings[0].broken_bound);
  CHECK(findings[0].hint == "at most 240");
  config.dependencies[0].policy.bounds.enforce = Enforce::reject;
  findings = lint_bounds(config, bound_of(config));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rejected);
  config.dependencies[0].policy.bounds.max_amplification = 1;
  findings = lint_bounds(config, bound_of(config));
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].broken_bound);
}

TEST_CASE("a flow that feeds its own stream is told so") {
  Config config = sound();
  config.dependencies[0].url = "http://127.0.0.1:8600";
  config.flows[0].path = "/v1/streams/s/events";
  const auto findings = lint_bounds(config, bound_of(config));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].message == "flow f sends every event back into its own stream, without end");
  config.flows[0].path = "/v1/streams/t/events";
  CHECK(lint_bounds(config, bound_of(config))[0].message !=
        "flow f sends every event back into its own stream, without end");
}

}  // namespace
}  // namespace weir::policy
