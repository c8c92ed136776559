// SPDX-License-Identifier: Apache-2.0
// How many calls a dependency can take at once, learned from its answers. Pure: time is an
// argument; about 3 KiB of state, none of it allocated.
//
// Once per window (about recent_window):
//   queue    = in flight * (1 - base / recent), the calls that wait over there (TCP Vegas,
//              Brakmo 1994; Netflix concurrency-limits); `recent` is the window's quantile, `base`
//              the least one lately. A queue above 6 steps cuts the limit to what runs without it,
//              at most by half; below 3 steps it grows. A step is max(1, log10 limit).
//   drift    = more in flight brings no more throughput, only latency, over the last windows
//              (failsafe-go, Uber's Cinnamon): down by a step. It catches a base that has crept up.
//   under-used: no growth while less than half of the limit is in flight, and never above 5 times
//              of what was.
// At once: every throttle, overload and timeout takes a tenth, at least a half (AIMD). So a
// dependency that only times out ends at the minimum, whatever its latency looks like.
// Now and then while the limit is used: a probe, half of what runs without a queue, until base has
// been measured again (BBR's PROBE_RTT, Cardwell 2016). Without it a base that was measured behind
// a queue, or before the dependency became slower, would be believed for ever.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"
#include "model/policy_spec.h"
#include "policy/latency_window.h"

namespace weir::policy {

class AdaptiveLimit {
 public:
  // How a call ended, as far as its limit is concerned.
  enum class End : std::uint8_t {
    served,   // its latency says how busy the dependency is
    dropped,  // throttled, overloaded or timed out: an explicit decrease
    ignored,  // rejects that cost nothing, failures and cancels: neither fast nor slow
  };

  // `most` >= 1 narrows spec.max_limit: the hard cap, or what the capacity allows.
  AdaptiveLimit(const AdaptiveSpec& spec, std::uint32_t most);
  // Other bounds; what was learned stays, as far as it fits.
  void update(const AdaptiveSpec& spec, std::uint32_t most);

  // A call was admitted; `in_flight` counts it.
  void started(std::uint32_t in_flight, MonoTime now);
  // It ended; `in_flight` still counts it.
  void ended(End end, Duration latency, std::uint32_t in_flight, MonoTime now);

  // In [min, max] at any time.
  std::uint32_t limit() const;
  const AdaptiveSpec& spec() const { return spec_; }
  std::uint32_t min() const { return min_; }
  std::uint32_t max() const { return max_; }
  bool probing() const { return phase_ != Phase::steady; }
  // Quantile of the latencies without a queue, as known; zero before the first window.
  Duration base() const { return base_; }

  // Without this many answers a window goes on, up to kStretchMax times its length: then it is
  // judged by what there is.
  static constexpr std::uint32_t kSamplesMin = 10;
  static constexpr std::uint32_t kSamplesMax = 50;
  static constexpr int kStretchMax = 30;
  // Windows until base is measured again: doubles each time that confirms it.
  static constexpr int kProbeAfterMin = 4;
  static constexpr int kProbeAfterMax = 32;
  static constexpr std::uint32_t kUsedFactor = 5;

 private:
  enum class Phase : std::uint8_t { steady, draining, measuring };
  static constexpr std::size_t kHistory = 16;
  struct Past {
    double in_flight = 0;
    double per_second = 0;
    double latency = 0;
  };

  void set_bounds(const AdaptiveSpec& spec, std::uint32_t most);
  void set_limit(double limit);
  void open_window(MonoTime now);
  void close_window(MonoTime now);
  void judge(Duration recent, MonoTime now);
  void move(double queue, bool used);
  bool drifts() const;
  void remember(Duration recent, MonoTime now);
  void renew_base(double queue, bool used, Duration recent);
  void end_probe(Duration measured, MonoTime now);
  bool window_is_full(MonoTime now) const;

  AdaptiveSpec spec_;
  std::uint32_t min_ = 1;
  std::uint32_t max_ = 1;
  double limit_ = 1;

  // the open window
  LatencyWindow latencies_;
  bool opened_ = false;
  MonoTime opened_at_{};
  MonoTime heed_from_{};             // calls that started before met another limit
  std::uint32_t in_flight_max_ = 0;  // at an admission: what is left of a larger limit is no use
  double in_flight_sum_ = 0;
  bool dropped_ = false;

  Duration base_{};
  int base_age_ = 0;  // windows
  int probe_after_ = kProbeAfterMin;
  bool shrank_ = false;  // for a queue, in the last window
  Phase phase_ = Phase::steady;
  std::uint32_t probe_limit_ = 1;
  Duration before_probe_{};  // the window's quantile

  std::array<Past, kHistory> history_{};
  std::size_t past_ = 0;
};

}  // namespace weir::policy
