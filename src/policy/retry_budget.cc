// SPDX-License-Identifier: Apache-2.0
#include "policy/retry_budget.h"

#include <algorithm>
#include <cmath>

#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

// Sums of fractions may miss a whole number by a rounding error.
constexpr double kOneRetry = 1 - 1e-9;
constexpr Duration kLongestWindow = std::chrono::hours{24};

double per_microsecond(const RetryConstraintSpec& spec) {
  const auto interval = std::max(spec.min_retry_interval, Duration{1});
  return std::max(spec.min_retry_count, 0.0) / static_cast<double>(interval.count());
}

// Long enough that the minimum rate gives at least one retry in it; otherwise it would never give
// any.
Duration window_of(const RetryConstraintSpec& spec) {
  const double rate = per_microsecond(spec);
  double wanted = static_cast<double>(spec.interval.count());
  if (rate > 0) wanted = std::max(wanted, std::ceil(1 / rate));
  return Duration{static_cast<std::int64_t>(
      std::clamp(wanted, 1.0, static_cast<double>(kLongestWindow.count())))};
}

}  // namespace

RetryBudget::RetryBudget(const RetryConstraintSpec& spec)
    : spec_(spec),
      reserve_(per_microsecond(spec) * static_cast<double>(window_of(spec).count())),
      ring_(Duration{(window_of(spec).count() + kSlots - 1) / kSlots}) {}

void RetryBudget::first_attempt(MonoTime now) {
  ring_.advance(now);
  ++ring_.newest().firsts;
}

void RetryBudget::take_back_first(MonoTime at, MonoTime now) {
  ring_.advance(now);
  if (Slot* slot = ring_.find(at); slot != nullptr && slot->firsts > 0) --slot->firsts;
}

bool RetryBudget::can_spend(MonoTime now) { return balance(now) >= kOneRetry; }

bool RetryBudget::try_spend(MonoTime now) {
  if (!can_spend(now)) return false;
  ++ring_.newest().spent;
  return true;
}

void RetryBudget::refund(MonoTime at, MonoTime now) {
  ring_.advance(now);
  if (Slot* slot = ring_.find(at); slot != nullptr && slot->spent > 0) --slot->spent;
}

MonoTime RetryBudget::next_chance(MonoTime now) {
  if (can_spend(now)) return now;
  for (std::int64_t step = 1; step <= kSlots + 1; ++step) {
    const std::int64_t slot = ring_.newest_number() + step;
    if (balance_at(slot) >= kOneRetry) return ring_.start_of(slot);
  }
  return now + window();
}

double RetryBudget::balance(MonoTime now) {
  ring_.advance(now);
  return balance_at(ring_.newest_number());
}

double RetryBudget::balance_at(std::int64_t newest) const {
  std::int64_t firsts = 0;
  std::int64_t spent = 0;
  ring_.for_each([&](std::int64_t number, const Slot& slot) {
    if (number > newest - kSlots) firsts += slot.firsts;
    if (number >= newest - kSlots + WEIR_SEEDED_BUG("budget.spent_forgotten_early"))
      spent += slot.spent;
  });
  const double earned = std::max(spec_.percent, 0.0) / 100 * static_cast<double>(firsts);
  return earned + reserve_ - static_cast<double>(spent);
}

}  // namespace weir::policy
