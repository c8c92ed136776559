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

// Whether a guardrail refuses, or only counts what it would have refused.
enum class Mode : std::uint8_t { enforce, shadow };

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
  // Kept back from what is left, so that the answer can still be settled before the deadline.
  Duration margin = std::chrono::milliseconds{50};
  // With less left than this (or than `attempt`, if that is less) an attempt is not started.
  Duration min_useful = std::chrono::milliseconds{100};
  bool operator==(const TimeoutsSpec&) const = default;
};

struct RetrySpec {
  std::uint32_t max_attempts =
      5;  // first attempt included, over the life of the delivery (per replay)
  BackOffSpec back_off;
  // Takes the place of back_off.base_interval after class throttled or overloaded (AWS standard
  // mode 2.1).
  Duration throttled_base_interval = std::chrono::seconds{1};
  bool honor_server = true;                                  // Retry-After and its relatives
  Duration server_directed_max = std::chrono::seconds{300};  // clamp for them
  std::uint32_t max_interruptions = 3;
  // Deliveries of one flow that wait for a retry, all in memory; with as many, it starts no first
  // attempts. Those under way come on top.
  std::uint32_t max_waiting = 100'000;
  // A delivery that comes back from so many replays is exhausted: only a plan that names it by its
  // id takes it again.
  std::uint32_t max_replays = 10;
  bool operator==(const RetrySpec&) const = default;
};

// AWS standard mode 2.1: a bucket that failed retries empty and successes fill; what a retry costs
// depends on the class of the failure it follows. capacity 0 = no bucket.
struct RetryTokensSpec {
  double capacity = 500;
  double cost_transient = 14;
  double cost_throttling = 5;
  double success = 1;  // deposit of a success that was no retry; one that was gets its cost back
  bool operator==(const RetryTokensSpec&) const = default;
};

// GEP-3388: retries in any interval stay within percent of the first attempts plus the minimum
// rate.
struct RetryConstraintSpec {
  double percent = 20;
  Duration interval = std::chrono::seconds{10};
  double min_retry_count = 10;
  Duration min_retry_interval = std::chrono::seconds{1};
  RetryTokensSpec tokens;
  Mode mode = Mode::enforce;
  bool operator==(const RetryConstraintSpec&) const = default;
};

// resilience4j names.
struct CircuitBreakerSpec {
  Mode mode = Mode::enforce;
  bool enabled = true;
  bool per_path = false;                  // one breaker per path of the dependency
  double failure_rate_threshold = 50;     // percent
  double slow_call_rate_threshold = 100;  // percent
  Duration slow_call_duration_threshold = Duration::max() / 4;  // longer calls are slow
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

// The limit that follows what the dependency can take, below the hard cap.
struct AdaptiveSpec {
  bool enabled = false;
  std::uint32_t min_limit = 1;
  std::uint32_t max_limit = 200;
  std::uint32_t initial_limit = 20;
  double quantile = 0.9;  // of the latencies of a window
  Duration recent_window = std::chrono::seconds{1};
  bool operator==(const AdaptiveSpec&) const = default;
};

struct ConcurrencySpec {
  Mode mode = Mode::enforce;  // of the adaptive limit; the cap always holds
  std::uint32_t max_parallel_requests = 64;
  AdaptiveSpec adaptive;
  bool operator==(const ConcurrencySpec&) const = default;
};

struct RateLimitSpec {
  bool enabled = false;
  double per_second = 0;
  double burst = 0;
  bool honor_headers = true;  // RateLimit, RateLimit-Policy and Retry-After of the answers
  Mode mode = Mode::enforce;
  bool operator==(const RateLimitSpec&) const = default;
};

// When so much of a flow goes into quarantine that the cause must be common, the flow pauses
// itself.
struct DeadLetterBrakeSpec {
  Mode mode = Mode::enforce;
  bool enabled = true;
  double quarantine_rate_threshold = 50;  // percent of the deliveries that ended in the window
  Duration sliding_window_size = std::chrono::minutes{5};
  std::uint32_t consecutive_quarantines = 50;  // in a row; both must hold
  bool operator==(const DeadLetterBrakeSpec&) const = default;
};

// What may be done about an effect that may or may not have happened.
enum class OnInDoubt : std::uint8_t {
  hold,          // a person says
  retryWithKey,  // sent again under the same key, while the dependency remembers it
  reconcile,     // the dependency is asked first
};

// How a dependency is asked whether an effect happened. What fits neither answer is no answer.
struct ReconcileSpec {
  std::string path;           // GET, below the dependency's URL; {key} is replaced
  std::vector<int> applied;   // statuses that say yes
  std::string applied_where;  // event pattern over the JSON answer, as text; empty = any answer
  std::vector<int> not_applied;
  std::string not_applied_where;
  // Not before: a request that is under way at the dependency is found nowhere.
  Duration after = std::chrono::seconds{30};
  bool operator==(const ReconcileSpec&) const = default;
};

// What the ledger does with the effects on a dependency.
struct IdempotencySpec {
  OnInDoubt on_in_doubt = OnInDoubt::hold;
  Duration downstream_retention{};  // how long the dependency remembers keys; 0 = not at all
  Duration window = std::chrono::hours{24 * 30};  // how long the ledger remembers what is settled
  ReconcileSpec reconcile;
  bool operator==(const IdempotencySpec&) const = default;
};

// What the worst case of a policy must stay below; 0 = not declared.
enum class Enforce : std::uint8_t { warn, reject };
struct BoundsSpec {
  Enforce enforce = Enforce::warn;
  double max_attempts_per_event = 0;
  double max_amplification = 0;
  bool operator==(const BoundsSpec&) const = default;
};

// The flow's side of a policy.
struct FlowPolicy {
  TimeoutsSpec timeouts;
  RetrySpec retry;
  DeadLetterBrakeSpec dead_letter_brake;
  BoundsSpec bounds;
  bool operator==(const FlowPolicy&) const = default;
};

// The dependency's side of a policy: shared by everybody who calls it.
struct DependencyPolicy {
  RetryConstraintSpec retry_constraint;
  CircuitBreakerSpec circuit_breaker;
  ConcurrencySpec concurrency;
  RateLimitSpec rate_limit;
  IdempotencySpec idempotency;
  BoundsSpec bounds;
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
  ModeAction then = ModeAction::none;
  Duration retry_after{};  // of retryLater: not before
  std::string runbook;
  bool operator==(const FailureModeSpec&) const = default;
};

}  // namespace weir
