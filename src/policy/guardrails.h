// SPDX-License-Identifier: Apache-2.0
// The guardrails of one dependency, shared by every flow, retry and replay that calls it. One I/O
// thread owns it. Order: breaker, retry budget, rate limit, concurrency. A denial takes nothing and
// changes no counter but its own.
//
// Protocol: admit() right before the call; then exactly one of record() or cancel() with the Permit
// it filled in. The retry budget is charged here, when a due retry is released, and not when it is
// scheduled: a retry that waits puts no load on the dependency, and the bound then holds for the
// calls themselves (docs/adr/0006).
//
// A retry must be within the window budget, and be paid from the tokens or, without enough of them,
// from the minimum rate: held keys keep moving however few first attempts and successes there are.
//
// A guardrail in shadow mode refuses nothing; it counts what it would have refused, and takes
// nothing for a call that it would have refused.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "model/breaker_control.h"
#include "model/decision.h"
#include "model/policy_spec.h"
#include "policy/breaker.h"
#include "policy/concurrency.h"
#include "policy/rate_limit.h"
#include "policy/retry_budget.h"
#include "policy/retry_tokens.h"
#include "policy/work.h"

namespace weir::policy {

// Effects go to paths without number: where breakers are per path, those of a dependency share the
// one of this name.
inline constexpr std::string_view kEffectsPath = "(effects)";

// What is to be called, and what for.
struct Asked {
  Work work = Work::first;
  RetryCost cost = RetryCost::transient;  // of a retry: what the failure before it was like
  std::string_view path = {};             // matters where breakers are per path
};

// The right to make one call. Plain value; losing one leaks a slot of the concurrency limit.
struct Permit {
  enum class Paid : std::uint8_t { nothing, tokens, minimumRate };

  Work work = Work::first;
  RetryCost cost = RetryCost::transient;
  Paid paid = Paid::nothing;  // a charged retry: from what, beside the window
  bool charged = false;       // within the window budget (probes are not)
  MonoTime at{};
  std::uint32_t generation = 0;         // of the breakers
  std::uint32_t budget_generation = 0;  // of the retry budget
  std::size_t breaker = 0;
  Breaker::Epoch epoch = 0;
};

struct PathBreaker {
  std::string path;  // empty: of the whole dependency; never called where breakers are per path
  Breaker breaker;
  std::uint32_t in_flight = 0;  // calls that it let through
};

class Guardrails {
 public:
  explicit Guardrails(const DependencyPolicy& policy);
  // New rules. A guardrail whose own rule did not change keeps its state; calls under way count on.
  void update(const DependencyPolicy& policy, MonoTime now);

  // What a declared capacity allows the adaptive limit at most; 0 = not declared.
  void bound_concurrency(std::uint32_t most) { concurrency_.bound(most); }

  // nullopt = admitted, and `permit` is filled in. Refusal::until says when to ask again;
  // MonoTime::max() = when a call finishes.
  std::optional<Refusal> admit(const Asked& asked, MonoTime now, Permit& permit);
  // The admitted call ended. `pace` is what its answer said about how fast the server wants to be
  // asked (rate_headers.h).
  void record(const Permit& permit, const Classification& result, Duration latency, MonoTime now,
              Rng& rng, const ServerPace& pace = {});
  // The admitted call was never made. The rate limit's slot stays used.
  void cancel(const Permit& permit, MonoTime now);

  // Would it be admitted now? Counts no denial.
  bool would_admit(const Asked& asked, MonoTime now);

  // Opens or closes all breakers by hand, or gives them back to their calls; those that a path or a
  // reload adds before `until` start like that.
  void force_breakers(BreakerOrder order, MonoTime until, MonoTime now);

  // The paths that are called from now on. Where breakers are per path each of them has one, and
  // those of all others are as new and alarm nobody.
  void set_paths(const std::vector<std::string_view>& called, MonoTime now);

  // One, or one per path that was asked for.
  std::vector<PathBreaker>& breakers() { return breakers_; }
  Breaker& breaker(std::string_view path = {}, MonoTime now = {}) {
    return breakers_[breaker_of(path, now)].breaker;
  }
  // An open one if there is any, otherwise a half-open one, otherwise a closed one.
  Breaker& worst_breaker(MonoTime now);
  // How long all breakers that are called have been closed; zero if one is not.
  Duration closed_for(MonoTime now);
  RetryBudget& budget() { return budget_; }
  const RetryTokens& tokens() const { return tokens_; }
  const RateLimit& rate() const { return rate_; }
  const Concurrency& concurrency() const { return concurrency_; }
  std::uint32_t in_flight() const { return concurrency_.in_flight(); }
  // Effective concurrency limit, the gradual release after a closed breaker included; where
  // breakers are per path that holds back one path and not the dependency.
  std::uint32_t limit(MonoTime now);
  // Exponential average over about the last 8 calls.
  Duration smoothed_latency() const { return smoothed_latency_; }
  std::uint64_t denials(Guardrail guardrail) const;
  // What guardrails in shadow mode would have refused.
  std::uint64_t shadow_denials(Guardrail guardrail) const;
  std::uint64_t admitted(Work work) const;

 private:
  using Counts = std::array<std::uint64_t, static_cast<std::size_t>(Guardrail::paused) + 1>;
  using Shadowed = std::array<bool, std::tuple_size_v<Counts>>;

  std::size_t breaker_of(std::string_view path, MonoTime now);
  PathBreaker* breaker_of(const Permit& permit);
  // Whether its state says something: not that of the dependency where breakers are per path.
  bool is_called(const PathBreaker& one) const;
  void force(Breaker& breaker, MonoTime now);
  std::uint32_t ramp_limit(Breaker& breaker, MonoTime now) const;
  // `shadowed` tells which guardrails in shadow mode would refuse.
  std::optional<Refusal> refusal(const Asked& asked, MonoTime now, Shadowed& shadowed);
  std::optional<Refusal> budget_refusal(RetryCost cost, MonoTime now);
  bool needs_budget(const Asked& asked, MonoTime now);
  void charge(Permit& permit);
  void refund(const Permit& permit, MonoTime now);

  DependencyPolicy policy_;
  std::vector<PathBreaker> breakers_;
  BreakerOrder order_ = BreakerOrder::automatic;
  MonoTime order_until_{};
  std::uint32_t budget_generation_ = 0;  // grows when a reload replaces the retry budget
  std::uint32_t generation_ = 0;         // grows when a reload replaces the breakers
  RetryBudget budget_;
  RetryTokens tokens_;
  RetryBudget minimum_rate_;  // of the retries that tokens cannot pay
  RateLimit rate_;
  Concurrency concurrency_;
  Duration smoothed_latency_{};
  Counts denials_{};
  Counts shadow_denials_{};
  std::array<std::uint64_t, kWorkCount> admitted_{};
};

}  // namespace weir::policy
