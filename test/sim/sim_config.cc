// SPDX-License-Identifier: Apache-2.0
#include "sim_config.h"

#include "plan.h"

namespace weir::engine_sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

FlowSpec flow_of(std::uint64_t seed, std::uint64_t variant, const std::string& name) {
  Rng once = die(seed, name);
  FlowSpec flow{.name = name, .stream = "s", .dependency = "d"};
  flow.policy.timeouts.attempt = milliseconds{500};
  if (once.below(4) == 0) flow.policy.timeouts.event = seconds{3 + once.below(20)};
  flow.policy.retry.max_attempts = kMaxAttempts;
  flow.policy.retry.back_off.base_interval = milliseconds{200};
  flow.policy.retry.back_off.max_interval = seconds{2};
  flow.policy.retry.max_interruptions = 1 + static_cast<std::uint32_t>(once.below(3));
  flow.policy.dead_letter_brake.consecutive_quarantines = once.below(4) == 0 ? 4 : 50;
  flow.idempotent = once.below(4) != 0;
  Rng now = die(seed, name, variant);
  flow.priority = static_cast<Priority>(now.below(3));
  if (now.below(4) == 0) flow.policy.retry.max_waiting = 2;
  if (name == "orders") flow.ordering_key = "subject";
  if (name == "orders" && once.below(5) == 0) flow.on_failure = OnFailure::pauseFlow;
  if (name == "feed") flow.effects = {"keys", "held", "asked"};
  return flow;
}

DependencySpec dependency_of(std::uint64_t seed, std::uint64_t variant) {
  Rng rng = die(seed, "d", variant);
  DependencySpec service{.name = "d", .url = "http://127.0.0.1:1"};
  DependencyPolicy& policy = service.policy;
  policy.concurrency.max_parallel_requests = 1 + static_cast<std::uint32_t>(rng.below(5));
  policy.concurrency.adaptive.enabled = rng.below(3) == 0;
  policy.rate_limit = {.enabled = rng.below(3) == 0, .per_second = 20, .burst = 5};
  policy.circuit_breaker.enabled = rng.below(3) != 0;
  policy.circuit_breaker.minimum_number_of_calls = 6;
  policy.circuit_breaker.wait_in_open_base = seconds{1};
  policy.circuit_breaker.wait_in_open_max = seconds{4};
  policy.retry_constraint.min_retry_count = rng.below(3) == 0 ? 0.3 : 3;
  return service;
}

DependencySpec bank_of(const std::string& name) {
  DependencySpec bank{.name = name, .url = "http://127.0.0.1:2"};
  bank.policy.circuit_breaker.minimum_number_of_calls = 8;
  bank.policy.circuit_breaker.wait_in_open_base = seconds{1};
  IdempotencySpec& effects = bank.policy.idempotency;
  if (name == "keys") {
    effects.on_in_doubt = OnInDoubt::retryWithKey;
    effects.downstream_retention = hours{24};
  }
  if (name == "asked") {
    effects.on_in_doubt = OnInDoubt::reconcile;
    effects.reconcile = {.path = "/payments/{key}",
                         .applied = {200},
                         .applied_where = {},
                         .not_applied = {404},
                         .not_applied_where = {},
                         .after = seconds{1}};
  }
  return bank;
}

}  // namespace

std::uint32_t key_of(std::uint32_t event) { return event % 4; }

Config config_of(std::uint64_t seed, std::uint64_t variant) {
  Config config;
  config.streams = {{.name = "s", .retention = hours{1}, .dedupe_window = hours{24 * 30}}};
  config.dependencies = {dependency_of(seed, variant)};
  for (const char* name : {"keys", "held", "asked"}) config.dependencies.push_back(bank_of(name));
  for (const char* name : kFlows) {
    if (variant % 2 == 1 && name == kFlows[2]) continue;
    config.flows.push_back(flow_of(seed, variant, name));
  }
  return config;
}

}  // namespace weir::engine_sim
