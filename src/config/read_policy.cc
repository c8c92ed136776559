// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "config/sections.h"

namespace weir::config {
namespace {

constexpr Duration kShortest = std::chrono::milliseconds{1};

void read_timeouts(MapReader map, TimeoutsSpec& into) {
  map.duration("connect", into.connect, kShortest);
  map.duration("attempt", into.attempt, kShortest);
  map.duration("event", into.event, kShortest);
  if (auto deadline = map.map("deadline")) {
    deadline->duration("margin", into.margin);
    deadline->duration("minUseful", into.min_useful);
    deadline->not_yet({"from", "propagate"});
    deadline->finish();
  }
  map.not_yet({"request"});
  if (into.attempt > into.event) {
    const YamlNode* event = map.node().find("event");
    const std::string other = event == nullptr ? "its default"
                                               : fmt::format("line {}", event->line);
    map.problem("attempt",
                fmt::format("an attempt may take {}, but the event expires after {} ({})",
                            weir::to_text(into.attempt), weir::to_text(into.event), other),
                "make timeouts.event longer than timeouts.attempt");
  }
  const Duration kept = into.margin + std::min(into.min_useful, into.attempt);
  if (kept >= into.event && into.attempt <= into.event) {
    const YamlNode* event = map.node().find("event");
    map.problem(map.node().find("deadline") != nullptr ? "deadline" : "event",
                fmt::format("no attempt would ever start: deadline.margin and minUseful keep {} of "
                            "the {} that an event has ({})",
                            weir::to_text(kept), weir::to_text(into.event),
                            event == nullptr ? "its default" : fmt::format("line {}", event->line)),
                "make timeouts.event longer, or the margin shorter");
  }
  map.finish();
}

void read_back_off(MapReader map, BackOffSpec& into) {
  map.duration("baseInterval", into.base_interval, kShortest);
  map.duration("maxInterval", into.max_interval, kShortest);
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
  map.count("maxWaiting", into.max_waiting, 1, 10'000'000);
  map.count("maxReplays", into.max_replays, 1, 1000);
  if (auto back_off = map.map("backOff")) read_back_off(std::move(*back_off), into.back_off);
  if (auto server = map.map("serverDirected")) {
    server->flag("honor", into.honor_server);
    server->duration("maxInterval", into.server_directed_max, kShortest);
    server->not_yet({"overMax"});
    server->finish();
  }
  if (auto throttled = map.map("throttledBackOff")) {
    throttled->duration("baseInterval", into.throttled_base_interval, kShortest);
    throttled->finish();
  }
  map.not_yet({"retryOn"});
  map.finish();
}

void read_brake(MapReader map, DeadLetterBrakeSpec& into) {
  read_mode(map, into.mode);
  map.flag("enabled", into.enabled);
  map.number("quarantineRateThreshold", into.quarantine_rate_threshold, 1, 100);
  map.duration("slidingWindowSize", into.sliding_window_size, std::chrono::seconds{1});
  map.count("consecutiveQuarantines", into.consecutive_quarantines, 2, 1'000'000);
  map.finish();
}

void read_bounds(MapReader map, BoundsSpec& into) {
  int enforce = static_cast<int>(into.enforce);
  map.choice("enforce", {"warn", "reject"}, enforce);
  into.enforce = static_cast<Enforce>(enforce);
  map.number("maxAttemptsPerEvent", into.max_attempts_per_event, 1, 1e6);
  map.number("maxAmplification", into.max_amplification, 1, 1e6);
  map.finish();
}

}  // namespace

PolicySpec read_policy(MapReader& map) {
  PolicySpec policy;
  if (auto timeouts = map.map("timeouts"))
    read_timeouts(std::move(*timeouts), policy.flow.timeouts);
  if (auto retry = map.map("retry")) read_retry(std::move(*retry), policy.flow.retry);
  if (auto brake = map.map("deadLetterBrake"))
    read_brake(std::move(*brake), policy.flow.dead_letter_brake);
  if (auto bounds = map.map("bounds")) read_bounds(std::move(*bounds), policy.flow.bounds);
  policy.dependency = read_guardrails(map);
  policy.dependency.bounds = policy.flow.bounds;
  std::string base;  // followed already (extends.h)
  map.name("extends", base);
  map.not_yet({"redelivery", "healthCheck", "admissionControl", "loadShed"});
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
