// SPDX-License-Identifier: Apache-2.0
#include "policy/guardrails.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

// Whether a result says something about the health of the dependency.
bool is_inconclusive(const Classification& result) {
  if (result.counts_breaker) return false;
  switch (result.failure) {
    case FailureClass::throttled:
    case FailureClass::overloaded:
    case FailureClass::refused:
    case FailureClass::cancelled: return true;
    default: return false;
  }
}

// Whether it is enforced is no part of what it has learned.
bool same_rule(RetryConstraintSpec one, const RetryConstraintSpec& other) {
  one.mode = other.mode;
  return one == other;
}

// The minimum rate alone.
RetryConstraintSpec minimum_rate_of(RetryConstraintSpec spec) {
  spec.percent = 0;
  return spec;
}

// Only a success tells how busy the dependency is: a reject comes back fast, and a cancelled call
// says nothing at all.
AdaptiveLimit::End end_of(const Classification& result) {
  if (result.counts_limiter) return AdaptiveLimit::End::dropped;
  if (result.failure == FailureClass::ok) return AdaptiveLimit::End::served;
  return AdaptiveLimit::End::ignored;
}

std::size_t index(Guardrail guardrail) { return static_cast<std::size_t>(guardrail); }
std::size_t index(Work work) { return static_cast<std::size_t>(work); }

}  // namespace

Guardrails::Guardrails(const DependencyPolicy& policy)
    : policy_(policy),
      budget_(policy.retry_constraint),
      tokens_(policy.retry_constraint.tokens),
      minimum_rate_(minimum_rate_of(policy.retry_constraint)),
      rate_(policy.rate_limit),
      concurrency_(policy.concurrency) {
  breakers_.push_back({{}, Breaker(policy.circuit_breaker)});
}

void Guardrails::update(const DependencyPolicy& policy, MonoTime now) {
  if (policy.circuit_breaker.per_path != policy_.circuit_breaker.per_path ||
      WEIR_SEEDED_BUG("breaker.lost_on_reload")) {
    breakers_.assign(1, {{}, Breaker(policy.circuit_breaker)});
    ++generation_;
    force(breakers_.front().breaker, now);
  }
  for (PathBreaker& one : breakers_) one.breaker.update(policy.circuit_breaker, now);
  if (!same_rule(policy.retry_constraint, policy_.retry_constraint)) {
    budget_ = RetryBudget(policy.retry_constraint);
    tokens_ = RetryTokens(policy.retry_constraint.tokens);
    minimum_rate_ = RetryBudget(minimum_rate_of(policy.retry_constraint));
    ++budget_generation_;
  }
  rate_.update(policy.rate_limit);
  concurrency_.update(policy.concurrency);
  policy_ = policy;
}

std::size_t Guardrails::breaker_of(std::string_view path, MonoTime now) {
  if (!policy_.circuit_breaker.per_path) return 0;
  const auto found = std::ranges::find(breakers_, path, &PathBreaker::path);
  if (found != breakers_.end()) return static_cast<std::size_t>(found - breakers_.begin());
  breakers_.push_back({std::string(path), Breaker(policy_.circuit_breaker)});
  force(breakers_.back().breaker, now);
  return breakers_.size() - 1;
}

void Guardrails::force_breakers(BreakerOrder order, MonoTime until, MonoTime now) {
  order_ = order;
  order_until_ = until;
  for (PathBreaker& one : breakers_) {
    if (!is_called(one)) continue;
    if (order == BreakerOrder::automatic) one.breaker.release(now);
    force(one.breaker, now);
  }
}

// All keep their places, by which permits know them.
void Guardrails::set_paths(const std::vector<std::string_view>& called, MonoTime now) {
  for (const std::string_view path : called) (void)breaker_of(path, now);
  for (PathBreaker& one : breakers_) {
    if (one.path.empty()) continue;
    const bool is_called = std::ranges::find(called, one.path) != called.end();
    if (!is_called) one.breaker.forget(now);
    if (is_called && !one.breaker.is_forced(now)) force(one.breaker, now);
  }
}

void Guardrails::force(Breaker& breaker, MonoTime now) {
  if (order_ == BreakerOrder::automatic || now >= order_until_) return;
  if (order_ == BreakerOrder::open) breaker.force_open(order_until_, now);
  if (order_ == BreakerOrder::closed) breaker.force_closed(order_until_, now);
}

Breaker& Guardrails::worst_breaker(MonoTime now) {
  for (const auto state : {Breaker::State::open, Breaker::State::halfOpen}) {
    for (PathBreaker& one : breakers_) {
      if (is_called(one) && one.breaker.state(now) == state) return one.breaker;
    }
  }
  return breakers_.front().breaker;
}

Duration Guardrails::closed_for(MonoTime now) {
  Duration shortest = Duration::max();
  for (PathBreaker& one : breakers_) {
    if (is_called(one)) shortest = std::min(shortest, one.breaker.closed_for(now));
  }
  return shortest;
}

std::optional<Refusal> Guardrails::budget_refusal(RetryCost cost, MonoTime now) {
  const auto& spec = budget_.spec();
  if (!budget_.can_spend(now)) {
    return Refusal{
        Guardrail::retryBudget, budget_.next_chance(now),
        fmt::format("retry budget spent ({:g} % of first attempts in {} and {:g} per {})",
                    spec.percent, weir::to_text(budget_.window()), spec.min_retry_count,
                    weir::to_text(spec.min_retry_interval))};
  }
  if (tokens_.can_pay(cost) || minimum_rate_.can_spend(now)) return {};
  return Refusal{Guardrail::retryBudget, minimum_rate_.next_chance(now),
                 fmt::format("retry tokens spent ({:g} left, this retry costs {:g}), and {:g} per "
                             "{} without them",
                             tokens_.tokens(), tokens_.cost(cost), spec.min_retry_count,
                             weir::to_text(spec.min_retry_interval))};
}

std::optional<Refusal> Guardrails::refusal(const Asked& asked, MonoTime now, Shadowed& shadowed) {
  // The refusal of a guardrail that only watches is noted, and not passed on.
  const auto stands = [&](const std::optional<Refusal>& refused, Mode mode) {
    if (refused && mode == Mode::shadow) shadowed[index(refused->guardrail)] = true;
    return refused && mode == Mode::enforce;
  };
  PathBreaker& of_path = breakers_[breaker_of(asked.path, now)];
  Breaker& breaker = of_path.breaker;
  const bool forced = breaker.is_forced(now);
  if (auto refused = breaker.refusal(now);
      stands(refused, forced ? Mode::enforce : policy_.circuit_breaker.mode))
    return refused;
  if (needs_budget(asked, now)) {
    if (auto refused = budget_refusal(asked.cost, now);
        stands(refused, policy_.retry_constraint.mode))
      return refused;
  }
  if (const auto later = rate_.next(now)) {
    std::optional<Refusal> refused = Refusal{
        Guardrail::rateLimit, *later,
        rate_.held_until(now) ? "the server asked us to wait" : "rate limit"};
    if (stands(refused, policy_.rate_limit.mode)) return refused;
  }
  if (of_path.in_flight >= ramp_limit(breaker, now)) {
    return Refusal{Guardrail::breaker, MonoTime::max(),
                   "breaker closed a short time ago: calls come back step by step"};
  }
  // A full dependency is the ordinary case under load: its reason fits into a string without
  // allocation.
  if (!concurrency_.admits()) {
    return Refusal{Guardrail::concurrency, MonoTime::max(), "all slots taken"};
  }
  if (concurrency_.would_refuse()) shadowed[index(Guardrail::concurrency)] = true;
  return {};
}

std::optional<Refusal> Guardrails::admit(const Asked& asked, MonoTime now, Permit& permit) {
  Shadowed shadowed{};
  if (auto refused = refusal(asked, now, shadowed)) {
    ++denials_[index(refused->guardrail)];
    return refused;
  }
  for (std::size_t i = 0; i < shadowed.size(); ++i) shadow_denials_[i] += shadowed[i] ? 1 : 0;
  permit = Permit{.work = asked.work,
                  .cost = asked.cost,
                  .at = now,
                  .generation = generation_,
                  .budget_generation = budget_generation_};
  permit.breaker = breaker_of(asked.path, now);
  // Everything was asked before anything is taken, so nothing can be refused now.
  if (needs_budget(asked, now) && !shadowed[index(Guardrail::retryBudget)] &&
      !WEIR_SEEDED_BUG("budget.not_charged"))
    charge(permit);
  if (!shadowed[index(Guardrail::breaker)]) {
    const bool broken = breakers_[permit.breaker].breaker.admit(now, permit.epoch).has_value();
    WEIR_ASSERT(!broken);
  }
  const bool late = !shadowed[index(Guardrail::rateLimit)] && rate_.admit(now).has_value();
  const bool acquired = concurrency_.acquire(now);
  WEIR_ASSERT(!late && acquired);
  ++breakers_[permit.breaker].in_flight;
  if (asked.work == Work::first) budget_.first_attempt(now);
  ++admitted_[index(asked.work)];
  return {};
}

void Guardrails::charge(Permit& permit) {
  permit.charged = true;
  const bool within = budget_.try_spend(permit.at);
  permit.paid = tokens_.try_pay(permit.cost) ? Permit::Paid::tokens : Permit::Paid::minimumRate;
  const bool paid = permit.paid == Permit::Paid::tokens || minimum_rate_.try_spend(permit.at);
  WEIR_ASSERT(within && paid);
}

void Guardrails::refund(const Permit& permit, MonoTime now) {
  if (!permit.charged || permit.budget_generation != budget_generation_) return;
  budget_.refund(permit.at, now);
  if (permit.paid == Permit::Paid::tokens) tokens_.refund(permit.cost);
  if (permit.paid == Permit::Paid::minimumRate) minimum_rate_.refund(permit.at, now);
}

bool Guardrails::would_admit(const Asked& asked, MonoTime now) {
  Shadowed shadowed{};
  return !refusal(asked, now, shadowed).has_value();
}

void Guardrails::record(const Permit& permit, const Classification& result, Duration latency,
                        MonoTime now, Rng& rng, const ServerPace& pace) {
  concurrency_.release(end_of(result), latency, now);
  rate_.learn(pace, concurrency_.in_flight(), now);
  smoothed_latency_ += (latency - smoothed_latency_) / 8;
  if (PathBreaker* const one = breaker_of(permit)) {
    --one->in_flight;
    const bool slow = latency > policy_.circuit_breaker.slow_call_duration_threshold;
    if (is_inconclusive(result)) {
      one->breaker.inconclusive(permit.epoch, now);
    } else {
      one->breaker.record(permit.epoch, result.counts_breaker, now, rng, slow);
    }
  }
  if (result.failure != FailureClass::ok) return;
  if (!WEIR_SEEDED_BUG("budget.success_not_refunded")) refund(permit, now);
  if (permit.paid != Permit::Paid::tokens) tokens_.succeeded();
}

void Guardrails::cancel(const Permit& permit, MonoTime now) {
  if (!WEIR_SEEDED_BUG("concurrency.slot_leaked")) concurrency_.cancel(now);
  if (PathBreaker* const one = breaker_of(permit)) {
    --one->in_flight;
    one->breaker.cancelled(permit.epoch, now);
  }
  refund(permit, now);
  if (permit.work == Work::first && permit.budget_generation == budget_generation_)
    budget_.take_back_first(permit.at, now);
}

std::uint32_t Guardrails::limit(MonoTime now) {
  if (policy_.circuit_breaker.per_path) return concurrency_.limit();
  return std::min(concurrency_.limit(), ramp_limit(breakers_.front().breaker, now));
}

std::uint64_t Guardrails::denials(Guardrail guardrail) const { return denials_[index(guardrail)]; }

std::uint64_t Guardrails::shadow_denials(Guardrail guardrail) const {
  return shadow_denials_[index(guardrail)];
}

std::uint64_t Guardrails::admitted(Work work) const { return admitted_[index(work)]; }

// nullptr once a reload has replaced it.
PathBreaker* Guardrails::breaker_of(const Permit& permit) {
  return permit.generation == generation_ ? &breakers_[permit.breaker] : nullptr;
}

bool Guardrails::is_called(const PathBreaker& one) const {
  return !policy_.circuit_breaker.per_path || !one.path.empty();
}

// A breaker that only watches releases nothing gradually.
std::uint32_t Guardrails::ramp_limit(Breaker& breaker, MonoTime now) const {
  const bool enforced = policy_.circuit_breaker.mode == Mode::enforce;
  return enforced ? breaker.ramp_limit(now) : Breaker::kNoRamp;
}

// A probe is a trickle that the breaker bounds by itself; without it a spent budget could keep the
// breaker open.
bool Guardrails::needs_budget(const Asked& asked, MonoTime now) {
  if (asked.work != Work::retry) return false;
  Breaker& breaker = breakers_[breaker_of(asked.path, now)].breaker;
  const bool probe = policy_.circuit_breaker.mode == Mode::enforce &&
                     breaker.state(now) == Breaker::State::halfOpen;
  return !probe;
}

}  // namespace weir::policy
