// SPDX-License-Identifier: Apache-2.0
// How many calls of one dependency may run at once: a hard cap, and below it, if the policy wants
// one, the limit that follows what the dependency can take (adaptive_limit.h). In shadow mode that
// one is only computed, and what it would have refused is counted.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/policy_spec.h"
#include "policy/adaptive_limit.h"

namespace weir::policy {

// More calls at once than are answered within the longest timeout cannot all succeed (Little's law;
// a fifth is kept for the spread of the latency). 0 = the capacity is not declared.
std::uint32_t concurrency_for(double capacity_per_second, Duration longest_attempt);

class Concurrency {
 public:
  // A cap of zero counts as one: a dependency that may never be called is a paused flow, not a
  // limit.
  explicit Concurrency(const ConcurrencySpec& spec);

  // Another cap; calls under way go on and count. What the adaptive limit learned stays unless it
  // was switched off.
  void update(const ConcurrencySpec& spec);
  // The adaptive limit goes no higher than `most`, whatever it learns; 0 = no such bound. It is for
  // what a declared capacity allows, concurrency_for().
  void bound(std::uint32_t most);

  // `at_most` narrows the limit for this call (gradual release after a breaker closes).
  bool admits(std::uint32_t at_most = UINT32_MAX) const;
  // The adaptive limit would refuse the next call, and is in shadow mode.
  bool would_refuse() const;
  bool acquire(MonoTime now, std::uint32_t at_most = UINT32_MAX);
  // Exactly one of them per acquire(): the call ended so after this time, or was never made.
  void release(AdaptiveLimit::End end, Duration latency, MonoTime now);
  void cancel(MonoTime now) { release(AdaptiveLimit::End::ignored, Duration{0}, now); }

  std::uint32_t in_flight() const { return in_flight_; }
  // What is enforced: the cap, or the adaptive limit below it.
  std::uint32_t limit() const;
  std::uint32_t cap() const { return cap_; }
  // nullptr unless enabled.
  const AdaptiveLimit* adaptive() const { return adaptive_ ? &*adaptive_ : nullptr; }

 private:
  std::uint32_t most() const;

  std::uint32_t cap_;
  std::uint32_t bound_ = 0;
  bool shadow_;
  std::optional<AdaptiveLimit> adaptive_;
  std::uint32_t in_flight_ = 0;
};

}  // namespace weir::policy
