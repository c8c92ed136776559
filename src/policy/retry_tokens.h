// SPDX-License-Identifier: Apache-2.0
// Tokens that failed retries use up and successes bring back (AWS SDK standard retry mode 2.1). It
// starts full. A retry pays for the failure it follows: a transient one costs more than one that
// asked us to slow down. A retry that succeeds gets its cost back, any other success deposits
// `success`. Therefore: cost of the retries that did not succeed <= capacity + successes * success.
#pragma once

#include <cstdint>

#include "model/decision.h"
#include "model/policy_spec.h"

namespace weir::policy {

// What the failure before a retry was like.
enum class RetryCost : std::uint8_t { transient, throttling };
RetryCost retry_cost(FailureClass failure);

class RetryTokens {
 public:
  explicit RetryTokens(const RetryTokensSpec& spec) : spec_(spec), tokens_(spec.capacity) {}

  double cost(RetryCost cost) const;
  bool can_pay(RetryCost cost) const { return tokens_ >= this->cost(cost); }
  // Takes the cost if it can be paid.
  bool try_pay(RetryCost cost);
  // A retry that had paid succeeded or was never made.
  void refund(RetryCost cost) { deposit(this->cost(cost)); }
  // A call that was no paid retry succeeded.
  void succeeded() { deposit(spec_.success); }

  double tokens() const { return tokens_; }
  const RetryTokensSpec& spec() const { return spec_; }

 private:
  void deposit(double tokens);

  RetryTokensSpec spec_;
  double tokens_;
};

}  // namespace weir::policy
