// SPDX-License-Identifier: Apache-2.0
// The readable rules, as validated values. Names are those of the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/decision.h"
#include "model/outcome.h"

namespace weir {

enum class Jitter : std::uint8_t { none, full, equal, decorrelated };

struct BackOffSpec {
  Duration base_interval = std::chrono::seconds{1};
  Duration max_interval = std::chrono::minutes{5};
  double multiplier = 2;
  Jitter jitter = Jitter::full;
  bool operator==(const BackOffSpec&) const = default;
};

struct TimeoutsSpec {
  Duration connect = std::chrono::milliseconds{500};
  Duration attempt = std::chrono::seconds{10};
  Duration event = std::chrono::hours{
      24};  // from ingest (or release by a replay) to quarantine as expired
  bool operator==(const TimeoutsSpec&) const = default;
};

struct RetrySpec {
  std::uint32_t max_attempts =
      5;  // first attempt included, over the life of the delivery (per replay)
  BackOffSpec back_off;
  Duration server_directed_max = std::chrono::seconds{300};  // clamp for Retry-After
  std::uint32_t max_interruptions = 3;
  bool operator==(const RetrySpec&) const = default;
};

// GEP-3388: retries in any interval stay within percent of the first attempts plus the minimum
// rate.
struct RetryConstraintSpec {
  double percent = 20;
  Duration interval = std::chrono::seconds{10};
  double min_retry_count = 10;
  Duration min_retry_interval = std::chrono::seconds{1};
  bool operator==(const RetryConstraintSpec&) const = default;
};

// resilience4j names.
struct CircuitBreakerSpec {
  bool enabled = true;
  double failure_rate_threshold = 50;  // percent
  Duration sliding_window_size = std::chrono::seconds{10};
  std::uint32_t minimum_number_of_calls = 20;
  Duration wait_in_open_base = std::chrono::seconds{5};
  Duration wait_in_open_max = std::chrono::seconds{120};
  double wait_in_open_multiplier = 2;
  double wait_in_open_jitter = 0.2;
  std::uint32_t permitted_calls_in_half_open = 3;
  Duration max_wait_in_half_open = std::chrono::seconds{30};
  bool operator==(const CircuitBreakerSpec&) const = default;
};

struct ConcurrencySpec {
  std::uint32_t max_parallel_requests = 64;
  bool adaptive = false;
  bool operator==(const ConcurrencySpec&) const = default;
};

struct RateLimitSpec {
  bool enabled = false;
  double per_second = 0;
  double burst = 0;
  bool operator==(const RateLimitSpec&) const = default;
};

// The flow's side of a policy.
struct FlowPolicy {
  TimeoutsSpec timeouts;
  RetrySpec retry;
  bool operator==(const FlowPolicy&) const = default;
};

// The dependency's side of a policy: shared by everybody who calls it.
struct DependencyPolicy {
  RetryConstraintSpec retry_constraint;
  CircuitBreakerSpec circuit_breaker;
  ConcurrencySpec concurrency;
  RateLimitSpec rate_limit;
  bool operator==(const DependencyPolicy&) const = default;
};

// A named, known cause: how to recognise it and how to classify it. All given conditions must hold.
struct FailureModeSpec {
  std::string name;
  std::vector<int> status;
  std::vector<std::string> problem_type;  // RFC 9457 `type`
  std::vector<Fault> fault;
  std::string flow;                     // empty = any
  std::string dependency;               // empty = any
  std::optional<FailureClass> failure;  // class to use; none = keep the default row's
  std::string runbook;
  bool operator==(const FailureModeSpec&) const = default;
};

}  // namespace weir
