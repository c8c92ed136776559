// SPDX-License-Identifier: Apache-2.0
// How many calls of one dependency may run at once: a hard cap. `adaptive: true` is accepted and
// keeps the cap; an adaptive limit would move limit() below it.
#pragma once

#include <cstdint>

#include "model/policy_spec.h"

namespace weir::policy {

class Concurrency {
 public:
  // A cap of zero counts as one: a dependency that may never be called is a paused flow, not a
  // limit.
  explicit Concurrency(const ConcurrencySpec& spec);

  // Another cap; calls under way go on and count.
  void update(const ConcurrencySpec& spec);

  // `at_most` narrows the limit for this call (gradual release after a breaker closes).
  bool admits(std::uint32_t at_most = UINT32_MAX) const;
  bool acquire(std::uint32_t at_most = UINT32_MAX);
  // Exactly once per acquire().
  void release();

  std::uint32_t in_flight() const { return in_flight_; }
  std::uint32_t limit() const { return limit_; }

 private:
  std::uint32_t limit_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace weir::policy
