// SPDX-License-Identifier: Apache-2.0
// Retry budget of one dependency (Gateway API GEP-3388; the window is Finagle's RetryBudget, cut
// into slots as in tower). In every window that ends at a retry: retries that did not succeed <=
// percent of the first attempts in it
// + the minimum rate times the window. Slots round against the caller, so the bound is exact, never
// exceeded. A retry that succeeds gets its charge back: held keys keep moving when the dependency
// is well again.
#pragma once

#include <cstdint>

#include "base/time.h"
#include "model/policy_spec.h"
#include "policy/slots.h"

namespace weir::policy {

class RetryBudget {
 public:
  explicit RetryBudget(const RetryConstraintSpec& spec);

  void first_attempt(MonoTime now);
  // The first attempt admitted at `at` was never made.
  void take_back_first(MonoTime at, MonoTime now);
  bool can_spend(MonoTime now);
  // Withdraws one retry; false and no change if the balance is below one.
  bool try_spend(MonoTime now);
  // The retry charged at `at` succeeded or was never made. No effect once it has left the window.
  void refund(MonoTime at, MonoTime now);
  // The earliest time at which a retry could be paid if nothing else happened; about one window
  // ahead at most, since first attempts and refunds can change it at any moment.
  MonoTime next_chance(MonoTime now);
  // Retries that could be spent now.
  double balance(MonoTime now);
  // spec.interval, or longer if the minimum rate gives less than one retry in it.
  Duration window() const { return ring_.slot() * kSlots; }
  const RetryConstraintSpec& spec() const { return spec_; }

 private:
  static constexpr std::int64_t kSlots = 10;

  struct Slot {
    std::int64_t firsts = 0;
    std::int64_t spent = 0;
  };
  // Spending is remembered one slot longer than deposits: that is what rounds against the caller.
  using Ring = SlotRing<Slot, kSlots + 1>;

  // As it will be when `newest` is the newest slot, if nothing happens until then.
  double balance_at(std::int64_t newest) const;

  RetryConstraintSpec spec_;
  double reserve_;
  Ring ring_;
};

}  // namespace weir::policy
