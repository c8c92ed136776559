// SPDX-License-Identifier: Apache-2.0
#include "policy/bound.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using doctest::Approx;

// One flow, one dependency, no breaker and no tokens: only what a test sets acts.
Config plain(double peak, double capacity, std::uint32_t attempts) {
  Config config;
  config.streams = {{.name = "s"}};
  DependencySpec dependency{.name = "d", .url = "http://d", .capacity_per_second = capacity};
  dependency.policy.circuit_breaker.enabled = false;
  dependency.policy.retry_constraint.tokens.capacity = 0;
  config.dependencies = {dependency};
  FlowSpec flow{.name = "f", .stream = "s", .dependency = "d", .peak_per_second = peak};
  flow.policy.retry.max_attempts = attempts;
  flow.policy.timeouts.attempt = 1s;
  config.flows = {flow};
  return config;
}

void no_budget(Config& config) {
  config.dependencies[0].policy.retry_constraint.mode = Mode::shadow;
}

void budget(Config& config, double percent, double per_second) {
  RetryConstraintSpec& spec = config.dependencies[0].policy.retry_constraint;
  spec.percent = percent;
  spec.min_retry_count = per_second;
}

// The example of the reference: 220/s on 300/s, 3 attempts in 1 s each, a budget of 10 % in 10 s
// and 1/s.
Config example() {
  Config config = plain(220, 300, 3);
  budget(config, 10, 1);
  DependencyPolicy& policy = config.dependencies[0].policy;
  policy.retry_constraint.tokens.capacity = 500;
  policy.concurrency.max_parallel_requests = 200;
  policy.rate_limit = {.enabled = true, .per_second = 250, .burst = 50};
  RetrySpec& retry = config.flows[0].policy.retry;
  retry.back_off = {.base_interval = 50ms, .max_interval = 2s};
  return config;
}

TEST_CASE("the numbers of the reference's example come out") {
  const Bound bound = bound_of(example());
  const DependencyBound& d = bound.dependencies.at(0);
  CHECK(d.missing.empty());
  CHECK(bound.flows.at(0).attempts == 3);
  CHECK(*d.failing_rate == Approx(243));
  CHECK(*d.sent_rate == Approx(243));
  CHECK(*d.hidden_capacity == Approx(271.8).epsilon(0.001));
  CHECK(*d.safe_share == Approx(0.36).epsilon(0.01));
  CHECK(*d.burst == Approx(231));
  CHECK(d.concurrency == 200);
  CHECK(*d.safe_concurrency == Approx(240));
  CHECK(*d.timeout_rate == Approx(200));
  CHECK(*d.amplification == Approx(243.0 / 220));
  CHECK(d.verdict == Verdict::stable);
  CHECK(bound.flows[0].verdict == Verdict::stable);
  CHECK(bound.flows[0].delay.ordinary == 3150ms);     // 3 s + 50 ms + 100 ms
  CHECK(bound.flows[0].delay.throttled == 6s);        // 3 s + 1 s + 2 s
  CHECK(bound.flows[0].delay.directed == 6s + 600s);  // ... and two waits of 300 s
}

TEST_CASE("the boundaries of the HotOS'21 model are the hidden capacities") {
  Config config = plain(280, 300, 2);
  no_budget(config);
  CHECK(*bound_of(config).dependencies[0].hidden_capacity == Approx(150));
  config.flows[0].policy.retry.max_attempts = 4;
  CHECK(*bound_of(config).dependencies[0].hidden_capacity == Approx(75));
  budget(config, 10, 0);
  config.dependencies[0].policy.retry_constraint.mode = Mode::enforce;
  CHECK(*bound_of(config).dependencies[0].hidden_capacity == Approx(272.7).epsilon(0.001));
  CHECK(*bound_of(config).dependencies[0].safe_share == Approx(0.0714).epsilon(0.001));
}

TEST_CASE("every path that has a breaker of its own has probes of its own") {
  Config config = plain(100, 300, 3);
  auto& breaker = config.dependencies[0].policy.circuit_breaker;
  breaker = {.wait_in_open_base = 5s, .permitted_calls_in_half_open = 10};
  config.flows.push_back(config.flows[0]);
  config.flows[1].name = "g";
  config.flows[1].path = "/other";
  const double shared = *bound_of(config).dependencies[0].total_rate;
  breaker.per_path = true;
  CHECK(*bound_of(config).dependencies[0].total_rate == Approx(shared + 10.0 / 5));
  config.flows[1].path = config.flows[0].path;
  CHECK(*bound_of(config).dependencies[0].total_rate == Approx(shared));
}

TEST_CASE("verdicts: stable, vulnerable, overloaded, and unknown with what is missing") {
  Config config = plain(140, 300, 2);
  no_budget(config);
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::stable);
  config.flows[0].peak_per_second = 160;
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::vulnerable);
  config.flows[0].peak_per_second = 300;
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::overloaded);
  config.flows[0].peak_per_second = 0;
  config.dependencies[0].capacity_per_second = 0;
  const Bound bound = bound_of(config);
  const DependencyBound& d = bound.dependencies[0];
  CHECK(d.verdict == Verdict::unknown);
  CHECK(d.missing == std::vector<std::string>{"capacity of dependency d", "peak of flow f"});
  CHECK_FALSE(d.failing_rate.has_value());
  CHECK_FALSE(d.hidden_capacity.has_value());
  CHECK_FALSE(d.recovery.has_value());
  CHECK(*d.timeout_rate == Approx(64));
}

TEST_CASE("a rate limit at or below the capacity makes it stable, one below the peak overloaded") {
  Config config = plain(160, 300, 2);
  no_budget(config);
  RateLimitSpec& rate = config.dependencies[0].policy.rate_limit;
  rate = {.enabled = true, .per_second = 200, .burst = 1};
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::stable);
  CHECK(*bound_of(config).dependencies[0].sent_rate == Approx(200));
  CHECK(*bound_of(config).dependencies[0].failing_rate == Approx(320));
  rate.mode = Mode::shadow;
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::vulnerable);
  rate = {.enabled = true, .per_second = 150, .burst = 1};
  CHECK(bound_of(config).dependencies[0].verdict == Verdict::overloaded);
}

TEST_CASE("recovery is the backlog over what is left, after the breaker's last wait") {
  Config config = plain(280, 300, 1);
  const auto recovery = [&](Duration outage) {
    return *bound_of(config, outage).dependencies[0].recovery;
  };
  CHECK(recovery(10s).caught_up ==
        Duration{155s});  // 11 s of 280/s at 20/s, after the last timeout
  CHECK(recovery(10s).at_worst == Duration{155s});
  CHECK(recovery(10s).breaker == Duration::zero());
  config.flows[0].policy.retry.max_attempts = 2;
  CHECK(recovery(10s).caught_up == Duration{156s});  // and until the last retry is due
  config.flows[0].policy.retry.back_off.base_interval = 40s;
  CHECK(recovery(10s).caught_up == Duration{195s});
  config.flows[0].policy.retry.back_off.base_interval = 1s;
  CHECK_FALSE(recovery(10s).at_worst.has_value());  // 1.2 x 280 + 10 never gets under 300
  auto& breaker = config.dependencies[0].policy.circuit_breaker;
  breaker = {.wait_in_open_base = 5s, .wait_in_open_max = 120s, .wait_in_open_jitter = 0.2};
  CHECK(recovery(4s).breaker == 6s);                                 // 5 s
  CHECK(recovery(10s).breaker == 12s);                               // 5 s, then 10 s
  CHECK(recovery(20s).breaker == 24s);                               // 5 s, 10 s, then 20 s
  CHECK(recovery(1h).breaker == 144s);                               // the longest
  CHECK(recovery(10s).caught_up == Duration{13s} + Duration{322s});  // 23 s of 280/s at 20/s
}

TEST_CASE("an event can be called by every flow of its stream, and interruptions come on top") {
  Config config = plain(100, 300, 3);
  config.flows.push_back(config.flows[0]);
  config.flows[1].name = "g";
  config.flows[1].policy.retry.max_attempts = 4;
  config.flows[1].policy.retry.max_interruptions = 3;
  config.flows.push_back(config.flows[0]);
  config.flows[2].name = "other-stream";
  config.flows[2].stream = "t";
  config.flows[2].idempotent = false;
  const Bound bound = bound_of(config);
  CHECK(bound.dependencies[0].attempts_per_event == 7);
  CHECK(*bound.dependencies[0].peak == Approx(300));
  CHECK(bound.flows[1].attempts == 4);
  CHECK(bound.flows[1].calls == 6);
  CHECK(bound.flows[2].calls == 3);
}

TEST_CASE("tokens bound the rate by successes, and what they hold bounds the burst") {
  Config config = plain(200, 300, 3);
  budget(config, 20, 10);
  RetryTokensSpec& tokens = config.dependencies[0].policy.retry_constraint.tokens;
  tokens = {.capacity = 500, .cost_transient = 10, .cost_throttling = 10};
  CHECK(*bound_of(config).dependencies[0].failing_rate == Approx(230));
  CHECK(*bound_of(config).dependencies[0].burst == Approx(50 + 100 + 1));
  tokens.cost_throttling = 0;  // such retries are free
  CHECK(*bound_of(config).dependencies[0].failing_rate == Approx(250));
  CHECK(*bound_of(config).dependencies[0].burst == Approx(501));
}

TEST_CASE("delays: each jitter at its longest, cut by the event's deadline") {
  FlowPolicy policy;
  policy.timeouts = {.attempt = 1s, .event = 24h};
  policy.retry = {.max_attempts = 4,
                  .back_off = {.base_interval = 1s, .max_interval = 10s, .multiplier = 2},
                  .throttled_base_interval = 1s,
                  .honor_server = false};
  CHECK(delay_bound(policy).ordinary == 11s);  // 4 x 1 s, 1 + 2 + 4
  CHECK(delay_bound(policy).directed == 11s);
  policy.retry.back_off.jitter = Jitter::decorrelated;
  CHECK(delay_bound(policy).ordinary == 17s);  // 1 + 3 + 9
  policy.retry.honor_server = true;
  policy.retry.server_directed_max = 30s;
  CHECK(delay_bound(policy).directed == 124s);  // 4 + 3 x (30 + 10)
  policy.timeouts.event = 15s;
  CHECK(delay_bound(policy).ordinary == 15s);
  CHECK(delay_bound(policy).event == 15s);
}

TEST_CASE("a dependency that nobody calls has no worst case") {
  Config config = plain(100, 300, 3);
  config.flows.clear();
  const DependencyBound d = bound_of(config).dependencies[0];
  CHECK(d.verdict == Verdict::unknown);
  CHECK(d.missing == std::vector<std::string>{"a flow that calls d"});
  CHECK(d.attempts_per_event == 0);
}

}  // namespace
}  // namespace weir::policy
