// SPDX-License-Identifier: Apache-2.0
// When a replay run stops, pauses or slows down by itself. Pure: what is measured comes in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/replay.h"

namespace weir::policy {

// What a run is judged by. Durations below zero are unknown, which stops nothing.
struct RunFacts {
  ReplayCounts counts;  // since an operator, or a slowing down, last overruled what went wrong
  bool canary = false;
  bool breaker_open = false;
  Duration latency_p95{-1};
  Duration live_lag{-1};
  Duration running{};
};

// One condition against its limit, for people who watch. Both in the unit of the limit.
struct StopReading {
  std::string_view name;  // as in the plan
  double value = 0;
  StopRule rule;
  bool reached = false;
};

struct StopVerdict {
  StopAction action = StopAction::stop;
  std::string reason;  // a sentence
};

// The failure share counts failed again and in doubt, of what has settled, from kShareFrom settled
// deliveries on; any failure stops a canary.
inline constexpr std::uint64_t kShareFrom = 10;

std::vector<StopReading> stop_readings(const StopConditions& stop, const RunFacts& facts);
// nullopt = go on. The hardest action of the conditions that are reached, with its reason.
std::optional<StopVerdict> stop_check(const StopConditions& stop, const RunFacts& facts);

// The durations of a run's last attempts.
class RecentLatencies {
 public:
  static constexpr std::size_t kKept = 100;
  static constexpr std::size_t kLeast = 10;
  void add(Duration latency);
  Duration p95() const;     // below zero with fewer than kLeast
  Duration median() const;  // the same

 private:
  Duration quantile(std::size_t percent) const;

  std::array<Duration, kKept> ring_{};
  std::uint64_t count_ = 0;
};

}  // namespace weir::policy
