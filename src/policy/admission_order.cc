// SPDX-License-Identifier: Apache-2.0
#include "policy/admission_order.h"

#include <algorithm>

namespace weir::policy {

AdmissionOrder::AdmissionOrder(const Weights& weights) : weights_(weights) {
  for (auto& weight : weights_) weight = std::clamp(weight, 1, 1000);
}

std::optional<Work> AdmissionOrder::next(const Ready& ready) const {
  std::optional<Work> best;
  std::int32_t best_credit = 0;
  for (const Work work : kAllWork) {
    const auto i = static_cast<std::size_t>(work);
    if (!ready[i]) continue;
    const std::int32_t credit = credit_[i] + weights_[i];
    if (best && credit <= best_credit) continue;
    best = work;
    best_credit = credit;
  }
  return best;
}

void AdmissionOrder::served(Work work, const Ready& ready) {
  std::int32_t total = 0;
  for (std::size_t i = 0; i < kWorkCount; ++i) {
    // Nobody saves up turns while it has nothing to do, and nobody pays then for turns that cost
    // nobody anything.
    if (!ready[i]) credit_[i] = 0;
    if (!ready[i]) continue;
    credit_[i] += weights_[i];
    total += weights_[i];
  }
  credit_[static_cast<std::size_t>(work)] -= total;
}

}  // namespace weir::policy
