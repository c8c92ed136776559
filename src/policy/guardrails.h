// SPDX-License-Identifier: Apache-2.0
// The guardrails of one dependency, shared by every flow, retry and replay that calls it. One I/O
// thread owns it. Order: breaker, retry budget, rate limit, concurrency. A denial takes nothing and
// changes no counter but its own.
//
// Protocol: admit() right before the call; then exactly one of record() or cancel() with the Permit
// it filled in. The retry budget is charged here, when a due retry is released, and not when it is
// scheduled: a retry that waits puts no load on the dependency, and the bound then holds for the
// calls themselves.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/rng.h"
#include "base/time.h"
#include "model/decision.h"
#include "model/policy_spec.h"
#include "policy/breaker.h"
#include "policy/concurrency.h"
#include "policy/rate_limit.h"
#include "policy/retry_budget.h"
#include "policy/work.h"

namespace weir::policy {

// The right to make one call. Plain value; losing one leaks a slot of the concurrency limit.
struct Permit {
  Work work = Work::first;
  MonoTime at{};
  Breaker::Epoch epoch = 0;
  bool charged = false;  // paid from the retry budget (probes are not)
};

class Guardrails {
 public:
  explicit Guardrails(const DependencyPolicy& policy);
  // New rules. A guardrail whose own rule did not change keeps its state; calls under way count on.
  void update(const DependencyPolicy& policy);

  // nullopt = admitted, and `permit` is filled in. Refusal::until says when to ask again;
  // MonoTime::max() = when a call finishes.
  std::optional<Refusal> admit(Work work, MonoTime now, Permit& permit);
  // The admitted call ended.
  void record(const Permit& permit, const Classification& result, Duration latency, MonoTime now,
              Rng& rng);
  // The admitted call was never made. The rate limit's slot stays used.
  void cancel(const Permit& permit, MonoTime now);

  // Would work of this kind be admitted now? Counts no denial.
  bool would_admit(Work work, MonoTime now);

  Breaker& breaker() { return breaker_; }
  RetryBudget& budget() { return budget_; }
  const RateLimit& rate() const { return rate_; }
  std::uint32_t in_flight() const { return concurrency_.in_flight(); }
  // Effective concurrency limit, the gradual release after a closed breaker included.
  std::uint32_t limit(MonoTime now);
  // Exponential average over about the last 8 calls.
  Duration smoothed_latency() const { return smoothed_latency_; }
  std::uint64_t denials(Guardrail guardrail) const;
  std::uint64_t admitted(Work work) const;

 private:
  std::optional<Refusal> refusal(Work work, MonoTime now);
  bool needs_budget(Work work, MonoTime now);

  DependencyPolicy policy_;
  Breaker breaker_;
  RetryBudget budget_;
  RateLimit rate_;
  Concurrency concurrency_;
  Duration smoothed_latency_{};
  std::array<std::uint64_t, static_cast<std::size_t>(Guardrail::paused) + 1> denials_{};
  std::array<std::uint64_t, kWorkCount> admitted_{};
};

}  // namespace weir::policy
