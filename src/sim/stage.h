// SPDX-License-Identifier: Apache-2.0
// What all parts of a simulated world share: virtual time, one seeded source of chance, what is to
// happen, which effects were applied, and the trace.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "base/time.h"
#include "sim/happenings.h"

namespace weir::sim {

// The wall clock stands at this when the monotonic one stands at zero: 2026-01-01T00:00:00Z.
inline constexpr WallTime kEpoch{std::chrono::seconds{1'767'225'600}};

inline double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
inline double to_seconds(MonoTime time) { return to_seconds(time.time_since_epoch()); }
inline Duration from_seconds(double seconds) {
  return Duration{static_cast<std::int64_t>(std::llround(seconds * 1e6))};
}

// Order-sensitive: two runs with one hash did the same things at the same moments.
class TraceHash {
 public:
  void add(std::uint64_t value) {
    value_ ^= value;
    value_ *= 0x9E3779B97F4A7C15;
    value_ ^= value_ >> 32;
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0x243F6A8885A308D3;
};

struct Stage {
  explicit Stage(std::uint64_t seed) : rng(seed) {}

  MonoTime now{};
  Rng rng;
  Happenings happenings;
  TraceHash trace;
  // By event: how often its effect was applied. The first that counts is the second.
  std::vector<std::uint8_t> applied;
  std::uint64_t effects_twice = 0;

  WallTime wall() const { return kEpoch + now.time_since_epoch(); }
  Duration exponential(Duration mean) {
    return from_seconds(-std::log(1 - rng.unit()) * to_seconds(mean));
  }
  bool chance(double share) { return share > 0 && rng.unit() < share; }

  void apply(std::uint32_t event, bool honours_keys) {
    std::uint8_t& times = applied[event];
    if (times > 0 && honours_keys) return;
    if (times == 1) ++effects_twice;
    if (times < 2) ++times;
  }
};

}  // namespace weir::sim
