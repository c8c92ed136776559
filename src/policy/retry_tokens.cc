// SPDX-License-Identifier: Apache-2.0
#include "policy/retry_tokens.h"

#include <algorithm>

namespace weir::policy {

RetryCost retry_cost(FailureClass failure) {
  const bool throttling = failure == FailureClass::throttled || failure == FailureClass::overloaded;
  return throttling ? RetryCost::throttling : RetryCost::transient;
}

double RetryTokens::cost(RetryCost cost) const {
  if (spec_.capacity <= 0) return 0;  // no bucket
  return cost == RetryCost::throttling ? spec_.cost_throttling : spec_.cost_transient;
}

bool RetryTokens::try_pay(RetryCost cost) {
  if (!can_pay(cost)) return false;
  tokens_ -= this->cost(cost);
  return true;
}

void RetryTokens::deposit(double tokens) {
  tokens_ = std::min(std::max(spec_.capacity, 0.0), tokens_ + tokens);
}

}  // namespace weir::policy
