// SPDX-License-Identifier: Apache-2.0
#include "policy/guardrails.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"

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

std::size_t index(Guardrail guardrail) { return static_cast<std::size_t>(guardrail); }
std::size_t index(Work work) { return static_cast<std::size_t>(work); }

}  // namespace

Guardrails::Guardrails(const DependencyPolicy& policy)
    : policy_(policy),
      breaker_(policy.circuit_breaker),
      budget_(policy.retry_constraint),
      rate_(policy.rate_limit),
      concurrency_(policy.concurrency) {}

void Guardrails::update(const DependencyPolicy& policy) {
  if (policy.circuit_breaker != policy_.circuit_breaker) breaker_ = Breaker(policy.circuit_breaker);
  if (policy.retry_constraint != policy_.retry_constraint)
    budget_ = RetryBudget(policy.retry_constraint);
  if (policy.rate_limit != policy_.rate_limit) rate_ = RateLimit(policy.rate_limit);
  concurrency_.update(policy.concurrency);
  policy_ = policy;
}

std::optional<Refusal> Guardrails::refusal(Work work, MonoTime now) {
  if (auto refused = breaker_.refusal(now)) return refused;
  if (needs_budget(work, now) && !budget_.can_spend(now)) {
    const auto& spec = budget_.spec();
    return Refusal{
        Guardrail::retryBudget, budget_.next_chance(now),
        fmt::format("retry budget spent ({:g} % of first attempts in {} and {:g} per {})",
                    spec.percent, weir::to_text(budget_.window()), spec.min_retry_count,
                    weir::to_text(spec.min_retry_interval))};
  }
  if (const auto later = rate_.next(now)) {
    return Refusal{Guardrail::rateLimit, *later, "rate limit"};
  }
  // A full dependency is the ordinary case under load: its reason fits into a string without
  // allocation.
  if (!concurrency_.admits(breaker_.ramp_limit(now))) {
    return Refusal{Guardrail::concurrency, MonoTime::max(), "all slots taken"};
  }
  return {};
}

std::optional<Refusal> Guardrails::admit(Work work, MonoTime now, Permit& permit) {
  if (auto refused = refusal(work, now)) {
    ++denials_[index(refused->guardrail)];
    return refused;
  }
  permit = Permit{work, now, 0, needs_budget(work, now)};
  // Everything was asked before anything is taken, so nothing can be refused now.
  const bool broken = breaker_.admit(now, permit.epoch).has_value();
  WEIR_ASSERT(!broken);
  const bool paid = !permit.charged || budget_.try_spend(now);
  const bool late = rate_.admit(now).has_value();
  const bool acquired = concurrency_.acquire();
  WEIR_ASSERT(paid && !late && acquired);
  if (work == Work::first) budget_.first_attempt(now);
  ++admitted_[index(work)];
  return {};
}

bool Guardrails::would_admit(Work work, MonoTime now) { return !refusal(work, now).has_value(); }

void Guardrails::record(const Permit& permit, const Classification& result, Duration latency,
                        MonoTime now, Rng& rng) {
  concurrency_.release();
  smoothed_latency_ += (latency - smoothed_latency_) / 8;
  if (is_inconclusive(result)) {
    breaker_.inconclusive(permit.epoch, now);
  } else {
    breaker_.record(permit.epoch, result.counts_breaker, now, rng);
  }
  if (permit.charged && result.failure == FailureClass::ok) budget_.refund(permit.at, now);
}

void Guardrails::cancel(const Permit& permit, MonoTime now) {
  concurrency_.release();
  breaker_.cancelled(permit.epoch, now);
  if (permit.charged) budget_.refund(permit.at, now);
  if (permit.work == Work::first) budget_.take_back_first(permit.at, now);
}

std::uint32_t Guardrails::limit(MonoTime now) {
  return std::min(concurrency_.limit(), breaker_.ramp_limit(now));
}

std::uint64_t Guardrails::denials(Guardrail guardrail) const { return denials_[index(guardrail)]; }

std::uint64_t Guardrails::admitted(Work work) const { return admitted_[index(work)]; }

// A probe is a trickle that the breaker bounds by itself; without it a spent budget could keep the
// breaker open.
bool Guardrails::needs_budget(Work work, MonoTime now) {
  return work == Work::retry && breaker_.state(now) != Breaker::State::halfOpen;
}

}  // namespace weir::policy
