// SPDX-License-Identifier: Apache-2.0
// The worst case that a configuration allows, from the configuration alone. Pure; a number that
// needs something that is not declared is absent, and `missing` says what.
//
// Symbols: l0 events/s at the declared peak, mu capacity in calls/s, T timeout of an attempt, C
// calls at once, A attempts of a delivery (Weir has one retry level: retry.maxAttempts per round;
// each replay is a new round), b share and m calls/s and w window of the retry budget, K capacity,
// c lowest cost and s deposit of its tokens, N probes per W of open breaker (of all breakers).
//
//  attempts      A (gRPC proposal A6: the first is included). Calls that a crash of Weir cut short
//                are interruptions and not attempts; with them A + retry.maxInterruptions - 1.
//  failing rate  l1 = min(A l0, (1 + min(b, s/c)) l0 + m): what is sent while retries fail. The
//                window is GEP-3388 and Finagle's RetryBudget, in network calculus (Le Boudec and
//                Thiran, "Network Calculus", 2001) an arrival curve; the tokens are those of the
//                AWS SDKs, standard mode 2.1: failed retries cost <= capacity + successes * s, and
//                the minimum rate pays when they are used up (policy/guardrails.h).
//  burst         what the retries add to the burst of that arrival curve, for the guardrail that
//                gives the lower l1 (rate and burst belong together): b l0 w, or K/c; + m w + 1.
//  total rate    min(A l0, l1 + l0 + N/W): a retry that succeeds gets its charge back, and probes
//                are not charged; but an event succeeds once. It bounds every call ever made.
//  timeout rate  C / T: what is sent while every call times out (Little, 1961).
//  hidden        max l0 with l1 <= mu: max(mu / A, (mu - m) / (1 + min(b, s/c))); safe share
//  capacity      b* = (mu - m) / l0 - 1 (Bronson et al., "Metastable Failures in Distributed
//                Systems", HotOS'21: a retry storm cannot keep itself alive iff l1 <= mu).
//  safe C        0.8 mu T (the same; Netflix concurrency-limits): above it a short pause leaves a
//                full set of abandoned calls in the dependency.
//  recovery      after D seconds lost: H + (D + W) l0 / (min(mu, rate limit) - a l0), with a = 1
//                when every call succeeds again and a = l1 / l0 when they fail as often as the
//                budget allows. W = T and the breaker's last wait: a call that hangs at the end may
//                open it once more. H = max(W, T and the longest delay of one retry): then
//                everything is due. Delays that a server asks for come on top.
//  delay         m T + the ceilings of the delays (policy/backoff.h), each one longer by
//                serverDirected.maxInterval when the server asks; at most timeouts.event. Deferrals
//                cost no attempt, so only timeouts.event bounds them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/config_model.h"

namespace weir::policy {

// failing rate <= capacity; peak < capacity < failing rate; peak >= capacity; not declared.
enum class Verdict : std::uint8_t { stable, vulnerable, overloaded, unknown };
std::string_view to_text(Verdict verdict);

struct DelayBound {
  Duration ordinary{};   // first call to the end of the last one, deferrals not counted
  Duration throttled{};  // ... if every failure says that the dependency is out of capacity
  Duration directed{};   // ... and every one asks for the longest wait that is honoured
  Duration event{};      // timeouts.event: the end of everything, deferrals counted
};

struct FlowBound {
  std::string name;
  std::string dependency;
  double attempts = 1;  // of one delivery, per round
  double calls = 1;     // ... with those that a crash of Weir cut short
  std::optional<double> peak;
  std::optional<double> amplification;  // attempts per event at the peak, in the long run
  DelayBound delay;
  Verdict verdict = Verdict::unknown;  // of its dependency
};

// What lets retries through at a dependency; a guardrail in shadow mode lets everything through.
struct BudgetBound {
  std::optional<double> share;      // b; absent = no limit
  double per_second = 0;            // m
  double window_seconds = 0;        // w
  std::optional<double> per_retry;  // s/c; absent = no limit
  std::optional<double> tokens;     // K/c
};

struct Recovery {
  Duration outage{};
  Duration breaker{};  // its last wait, at most
  // From the end of the outage until nothing waits, at the peak; absent = never.
  std::optional<Duration> caught_up;  // every call succeeds again
  std::optional<Duration> at_worst;   // retries go on at the failing rate
};

struct DependencyBound {
  std::string name;
  std::vector<std::string> flows;
  std::vector<std::string> missing;  // "capacity of dependency x", "peak of flow y"
  double attempts_per_event = 0;     // of all flows of one stream
  BudgetBound budget;
  double concurrency = 0;  // C
  std::optional<double> timeout_rate;
  std::optional<double> rate_limit;  // enforced
  double rate_burst = 0;
  // With capacity.
  std::optional<double> capacity;
  std::optional<double> hidden_capacity;
  std::optional<double> safe_concurrency;
  // With the peak of every flow.
  std::optional<double> peak;
  std::optional<double> failing_rate;
  std::optional<double> sent_rate;  // failing rate, after the rate limit
  std::optional<double> total_rate;
  std::optional<double> amplification;
  std::optional<double> burst;
  // With both.
  std::optional<double> safe_share;  // b*; negative: not even without retries
  std::optional<Recovery> recovery;
  Verdict verdict = Verdict::unknown;
};

struct Bound {
  std::vector<FlowBound> flows;
  std::vector<DependencyBound> dependencies;
};

inline constexpr Duration kUsualOutage = std::chrono::seconds{10};

Bound bound_of(const Config& config, Duration outage = kUsualOutage);

// The longest a flow's delivery can take, first call to end of the last.
DelayBound delay_bound(const FlowPolicy& policy);

}  // namespace weir::policy
