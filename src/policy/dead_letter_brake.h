// SPDX-License-Identifier: Apache-2.0
// The dead-letter brake of one flow: when so much of it ends in quarantine that the cause must be
// common to all, the flow should stop instead of pouring its stream into quarantine (the
// "dead-letter flood" of guardrails that only look at single deliveries). It trips when both hold:
// the last `consecutiveQuarantines` live deliveries all ended in quarantine, and so did at least
// `quarantineRateThreshold` percent of those of the window. Replays have stop conditions of their
// own and do not count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/policy_spec.h"
#include "policy/slots.h"

namespace weir::policy {

class DeadLetterBrake {
 public:
  explicit DeadLetterBrake(const DeadLetterBrakeSpec& spec);

  // Other rules start counting anew.
  void update(const DeadLetterBrakeSpec& spec);
  // A live delivery ended otherwise than in quarantine.
  void passed(MonoTime now);
  // One ended in quarantine. Not empty = the brake trips: why, in one sentence; it counts anew from
  // here on, so that a flow that was resumed gets the same chance again.
  std::optional<std::string> quarantined(MonoTime now);

  std::uint32_t in_a_row() const { return in_a_row_; }
  // What it would have stopped in shadow mode.
  std::uint64_t shadow_trips() const { return shadow_trips_; }

 private:
  static constexpr std::int64_t kSlots = 10;
  struct Ended {
    std::uint64_t all = 0;
    std::uint64_t quarantined = 0;
  };
  Ended sum() const;

  DeadLetterBrakeSpec spec_;
  SlotRing<Ended, kSlots> window_;
  std::uint32_t in_a_row_ = 0;
  std::uint64_t shadow_trips_ = 0;
};

}  // namespace weir::policy
