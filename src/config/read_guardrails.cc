// SPDX-License-Identifier: Apache-2.0
// The dependency's side of a policy.
#include <algorithm>

#include <fmt/format.h>

#include "config/sections.h"

namespace weir::config {
namespace {

constexpr Duration kTick = std::chrono::milliseconds{1};

void read_tokens(MapReader map, RetryTokensSpec& into) {
  map.number("capacity", into.capacity, 0, 1e9);
  if (auto cost = map.map("cost")) {
    cost->number("transient", into.cost_transient, 0, 1e6);
    cost->number("throttling", into.cost_throttling, 0, 1e6);
    cost->finish();
  }
  int refund = 0;
  map.choice("refund", {"onSuccess"}, refund);
  const double dearest = std::max(into.cost_transient, into.cost_throttling);
  if (into.capacity > 0 && dearest > into.capacity)
    map.problem(
        "capacity",
        fmt::format("a retry costs {:g} tokens, and the bucket holds {:g}", dearest, into.capacity),
        "raise retryConstraint.tokens.capacity, or 0 for no bucket");
  map.finish();
}

void read_constraint(MapReader map, RetryConstraintSpec& into) {
  read_mode(map, into.mode);
  if (auto budget = map.map("budget")) {
    budget->number("percent", into.percent, 0, 100);
    budget->duration("interval", into.interval, std::chrono::seconds{1});
    budget->finish();
  }
  if (auto rate = map.map("minRetryRate")) {
    rate->number("count", into.min_retry_count, 0, 1'000'000);
    rate->duration("interval", into.min_retry_interval, std::chrono::milliseconds{100});
    rate->finish();
  }
  if (auto tokens = map.map("tokens")) read_tokens(std::move(*tokens), into.tokens);
  int exhausted = 0;
  map.choice("onExhausted", {"defer"}, exhausted);
  map.finish();
}

void read_wait(MapReader& map, CircuitBreakerSpec& into) {
  const YamlNode* wait = map.node().find("waitDurationInOpenState");
  if (wait != nullptr && wait->kind == YamlNode::Kind::scalar) {
    map.duration("waitDurationInOpenState", into.wait_in_open_base, kTick);
    into.wait_in_open_max = std::max(into.wait_in_open_max, into.wait_in_open_base);
    return;
  }
  auto parts = map.map("waitDurationInOpenState");
  if (!parts) return;
  parts->duration("base", into.wait_in_open_base, kTick);
  parts->duration("max", into.wait_in_open_max, kTick);
  parts->number("multiplier", into.wait_in_open_multiplier, 1, 100);
  parts->number("jitter", into.wait_in_open_jitter, 0, 1);
  if (into.wait_in_open_max < into.wait_in_open_base)
    parts->problem("max", "'max' is below 'base'");
  parts->finish();
}

void read_scope(MapReader& map, CircuitBreakerSpec& into) {
  std::vector<std::string> scope;
  map.strings("scope", scope);
  for (const std::string& part : scope) {
    if (part == "endpoint") into.per_path = true;
    if (part == "endpoint" || part == "dependency") continue;
    map.problem("scope", fmt::format("'{}' is no scope of a breaker", part),
                "[dependency], or [dependency, endpoint] for one breaker per path");
  }
}

void read_slow_calls(MapReader& map, CircuitBreakerSpec& into) {
  map.number("slowCallRateThreshold", into.slow_call_rate_threshold, 1, 100);
  map.duration("slowCallDurationThreshold", into.slow_call_duration_threshold, kTick);
  const bool rate = map.node().find("slowCallRateThreshold") != nullptr;
  if (rate && map.node().find("slowCallDurationThreshold") == nullptr)
    map.problem("slowCallRateThreshold", "no call is ever slow without slowCallDurationThreshold",
                "set slowCallDurationThreshold as well");
}

void read_breaker(MapReader map, CircuitBreakerSpec& into) {
  read_mode(map, into.mode);
  read_scope(map, into);
  read_slow_calls(map, into);
  map.flag("enabled", into.enabled);
  map.number("failureRateThreshold", into.failure_rate_threshold, 1, 100);
  map.duration("slidingWindowSize", into.sliding_window_size, std::chrono::seconds{1});
  map.count("minimumNumberOfCalls", into.minimum_number_of_calls, 1, 1'000'000);
  read_wait(map, into);
  map.count("permittedNumberOfCallsInHalfOpenState", into.permitted_calls_in_half_open, 1, 1000);
  map.duration("maxWaitDurationInHalfOpenState", into.max_wait_in_half_open, kTick);
  int only = 0;
  map.choice("slidingWindowType", {"TIME_BASED"}, only);
  map.choice("action", {"pauseDispatch"}, only);
  map.not_yet({"isolated"});
  map.finish();
}

void read_adaptive(MapReader map, AdaptiveSpec& into) {
  into.enabled = true;
  int algorithm = 0;
  map.choice("algorithm", {"vegasCorrelated"}, algorithm);
  map.count("minLimit", into.min_limit, 1, 10'000);
  map.count("maxLimit", into.max_limit, 1, 10'000);
  map.count("initialLimit", into.initial_limit, 1, 10'000);
  map.number("quantile", into.quantile, 0.5, 0.99);
  map.duration("recentWindow", into.recent_window, std::chrono::milliseconds{100});
  if (into.max_limit < into.min_limit)
    map.problem("maxLimit",
                fmt::format("maxLimit {} is below minLimit {}", into.max_limit, into.min_limit));
  into.initial_limit = std::clamp(into.initial_limit, into.min_limit,
                                  std::max(into.min_limit, into.max_limit));
  map.finish();
}

void read_concurrency(MapReader map, ConcurrencySpec& into) {
  read_mode(map, into.mode);
  map.count("maxParallelRequests", into.max_parallel_requests, 1, 10'000);
  const YamlNode* adaptive = map.node().find("adaptive");
  if (adaptive != nullptr && adaptive->kind == YamlNode::Kind::map) {
    if (auto parts = map.map("adaptive")) read_adaptive(std::move(*parts), into.adaptive);
  } else {
    map.flag("adaptive", into.adaptive.enabled);
  }
  map.not_yet({"maxPendingRequests"});
  map.finish();
}

void read_rate_limit(MapReader map, RateLimitSpec& into) {
  read_mode(map, into.mode);
  double requests = 0;
  int unit = 0;
  map.number("requests", requests, 0.001, 1e9);
  map.choice("unit", {"second", "minute", "hour"}, unit);
  const bool asks = map.node().find("unit") != nullptr || map.node().find("burst") != nullptr;
  const bool given = map.node().find("requests") != nullptr;
  into.enabled = given || asks ? map.required("requests") : false;
  into.per_second = requests / (unit == 0 ? 1 : unit == 1 ? 60 : 3600);
  into.burst = std::max(1.0, into.per_second);
  map.number("burst", into.burst, 1, 1e9);
  map.flag("honorHeaders", into.honor_headers);
  map.not_yet({"cost"});
  map.finish();
}

}  // namespace

void read_mode(MapReader& map, Mode& into) {
  int mode = static_cast<int>(into);
  map.choice("mode", {"enforce", "shadow"}, mode);
  into = static_cast<Mode>(mode);
}

DependencyPolicy read_guardrails(MapReader& map) {
  DependencyPolicy policy;
  if (auto constraint = map.map("retryConstraint"))
    read_constraint(std::move(*constraint), policy.retry_constraint);
  if (auto breaker = map.map("circuitBreaker"))
    read_breaker(std::move(*breaker), policy.circuit_breaker);
  if (auto concurrency = map.map("concurrency"))
    read_concurrency(std::move(*concurrency), policy.concurrency);
  if (auto rate = map.map("rateLimit")) read_rate_limit(std::move(*rate), policy.rate_limit);
  if (auto keys = map.map("idempotency")) policy.idempotency = read_idempotency(std::move(*keys));
  return policy;
}

}  // namespace weir::config
