// SPDX-License-Identifier: Apache-2.0
// The probes of one half-open breaker, counted from outside.
#pragma once

#include <rapidcheck.h>

#include "policy/breaker.h"

namespace weir::policy::testing {

class ProbeCount {
 public:
  // The last: it was never made, and its probe is there again.
  enum class End : std::uint8_t { decided, inconclusive, cancelled };

  explicit ProbeCount(std::uint32_t permitted) : permitted_(permitted) {}

  // A reload permits another number from now on.
  void permit(std::uint32_t permitted) { permitted_ = permitted; }
  // While it is half-open.
  void admitted(Breaker::Epoch epoch) {
    epoch_ = epoch;
    ++used_;
    ++under_way_;
    RC_ASSERT(under_way_ + decided_ <= permitted_);
  }
  // Calls of another state are none of its probes.
  void ended(Breaker::Epoch epoch, End how) {
    if (epoch != epoch_ || under_way_ == 0) return;
    --under_way_;
    if (how == End::decided) ++decided_;
    if (how == End::cancelled) --used_;
  }
  // While it is half-open: only where all of them are taken.
  void refused() const { RC_ASSERT(used_ >= permitted_); }
  // Calls of an earlier half-open state are none of the next.
  void follow(const Breaker::Transition& transition) {
    if (transition.to == Breaker::State::halfOpen) *this = ProbeCount(permitted_);
  }

 private:
  std::uint32_t permitted_;
  Breaker::Epoch epoch_ = 0;
  std::uint32_t used_ = 0;
  std::uint32_t under_way_ = 0;
  std::uint32_t decided_ = 0;
};

}  // namespace weir::policy::testing
