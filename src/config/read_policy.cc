// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "config/sections.h"

namespace weir::config {
namespace {

constexpr Duration kTick = std::chrono::milliseconds{1};

void read_timeouts(MapReader map, TimeoutsSpec& into) {
  map.duration("connect", into.connect, kTick);
  map.duration("attempt", into.attempt, kTick);
  map.duration("event", into.event, kTick);
  map.not_yet({"request", "deadline"});
  if (into.attempt > into.event) {
    const YamlNode* event = map.node().find("event");
    const std::string other = event == nullptr ? "its default"
                                               : fmt::format("line {}", event->line);
    map.problem("attempt",
                fmt::format("an attempt may take {}, but the event expires after {} ({})",
                            weir::to_text(into.attempt), weir::to_text(into.event), other),
                "make timeouts.event longer than timeouts.attempt");
  }
  map.finish();
}

void read_back_off(MapReader map, BackOffSpec& into) {
  map.duration("baseInterval", into.base_interval, kTick);
  map.duration("maxInterval", into.max_interval, kTick);
  map.number("multiplier", into.multiplier, 1, 100);
  int jitter = static_cast<int>(into.jitter);
  map.choice("jitter", {"none", "full", "equal", "decorrelated"}, jitter);
  into.jitter = static_cast<Jitter>(jitter);
  if (into.max_interval < into.base_interval) {
    const YamlNode* base = map.node().find("baseInterval");
    const std::string other = base == nullptr ? "its default" : fmt::format("line {}", base->line);
    map.problem("maxInterval", fmt::format("maxInterval {} is below baseInterval {} ({})",
                                           weir::to_text(into.max_interval),
                                           weir::to_text(into.base_interval), other));
  }
  map.finish();
}

void read_retry(MapReader map, RetrySpec& into) {
  map.count("maxAttempts", into.max_attempts, 1, 1000);
  map.count("maxInterruptions", into.max_interruptions, 1, 1000);
  if (auto back_off = map.map("backOff")) read_back_off(std::move(*back_off), into.back_off);
  if (auto server = map.map("serverDirected")) {
    server->duration("maxInterval", into.server_directed_max, kTick);
    server->not_yet({"honor", "overMax"});
    server->finish();
  }
  map.not_yet({"retryOn", "throttledBackOff"});
  map.finish();
}

void read_constraint(MapReader map, RetryConstraintSpec& into) {
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
  map.not_yet({"tokens", "onExhausted"});
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

void read_breaker(MapReader map, CircuitBreakerSpec& into) {
  map.flag("enabled", into.enabled);
  map.number("failureRateThreshold", into.failure_rate_threshold, 1, 100);
  map.duration("slidingWindowSize", into.sliding_window_size, std::chrono::seconds{1});
  map.count("minimumNumberOfCalls", into.minimum_number_of_calls, 1, 1'000'000);
  read_wait(map, into);
  map.count("permittedNumberOfCallsInHalfOpenState", into.permitted_calls_in_half_open, 1, 1000);
  map.duration("maxWaitDurationInHalfOpenState", into.max_wait_in_half_open, kTick);
  map.not_yet({"scope", "slidingWindowType", "slowCallRateThreshold", "slowCallDurationThreshold",
               "action", "isolated"});
  map.finish();
}

void read_rate_limit(MapReader map, RateLimitSpec& into) {
  double requests = 0;
  int unit = 0;
  map.number("requests", requests, 0.001, 1e9);
  map.choice("unit", {"second", "minute", "hour"}, unit);
  into.enabled = map.required("requests");
  into.per_second = requests / (unit == 0 ? 1 : unit == 1 ? 60 : 3600);
  into.burst = std::max(1.0, into.per_second);
  map.number("burst", into.burst, 1, 1e9);
  map.not_yet({"cost", "honorHeaders"});
  map.finish();
}

}  // namespace

PolicySpec read_policy(MapReader& map) {
  PolicySpec policy;
  if (auto timeouts = map.map("timeouts"))
    read_timeouts(std::move(*timeouts), policy.flow.timeouts);
  if (auto retry = map.map("retry")) read_retry(std::move(*retry), policy.flow.retry);
  if (auto constraint = map.map("retryConstraint"))
    read_constraint(std::move(*constraint), policy.dependency.retry_constraint);
  if (auto breaker = map.map("circuitBreaker"))
    read_breaker(std::move(*breaker), policy.dependency.circuit_breaker);
  if (auto concurrency = map.map("concurrency")) {
    concurrency->count("maxParallelRequests", policy.dependency.concurrency.max_parallel_requests,
                       1, 10'000);
    concurrency->flag("adaptive", policy.dependency.concurrency.adaptive);
    concurrency->not_yet({"maxPendingRequests"});
    concurrency->finish();
  }
  if (auto rate = map.map("rateLimit"))
    read_rate_limit(std::move(*rate), policy.dependency.rate_limit);
  map.not_yet(
      {"redelivery", "healthCheck", "admissionControl", "loadShed", "idempotency", "bounds"});
  map.wrong_side({"ordering"}, "ordering belongs to a flow");
  // A slow probe must not count as hanging before its own timeout.
  auto& breaker = policy.dependency.circuit_breaker;
  if (breaker.max_wait_in_half_open < policy.flow.timeouts.attempt) {
    breaker.max_wait_in_half_open = policy.flow.timeouts.attempt + std::chrono::seconds{1};
  }
  map.finish();
  return policy;
}

}  // namespace weir::config
