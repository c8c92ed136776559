// SPDX-License-Identifier: Apache-2.0
// How fast a replay releases deliveries. Pure: no clock, no store.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/time.h"
#include "model/replay.h"

namespace weir::policy {

struct Pace {
  std::uint32_t release = 0;  // how many may be released now
  MonoTime ask_again{};  // when one more may be, if these are released now; MonoTime::max() = when
                         // one settles
  double rate = 0;       // per second, now
};

// Releases at the plan's rate, which is multiplied after every step in which something settled and
// nothing failed; a step with a failure keeps the rate. Never more than plan.concurrency unsettled
// at once. Released in any window w: at most max_per_second * (w + kRampSlack) + 1.
inline constexpr Duration kRampSlack = std::chrono::milliseconds{
    100};  // what a late timer may catch up

// Few are released together rather than one by one, for which each release is a commit: a smaller
// release than the rate has for so long, or than half of the concurrency, waits as long after
// the one before it.
inline constexpr Duration kReleaseSlot = std::chrono::milliseconds{20};

inline constexpr double kSlowestShare = 1.0 / 16;

class Ramp {
 public:
  // rate = Replay::rate_now to go on where a run stood; 0 = start_per_second. Held within (0,
  // max_per_second].
  Ramp(const RatePlan& plan, MonoTime now, double rate = 0);

  Pace pace(const ReplayCounts& counts, MonoTime now);
  void released(std::uint32_t count, MonoTime now);
  void settled(bool success);
  // What the dependency has left for the run now, per second: no more than that is released until
  // the next word. The ramp goes on beside it.
  void limit(double per_second, MonoTime now);
  // Half the rate, for a step at least. false: it is as slow as it can be, a kSlowestShare of where
  // it started.
  bool slow_down(MonoTime now);
  double rate() const { return ceiling_ > 0 ? std::min(rate_, ceiling_) : rate_; }
  double ceiling() const { return ceiling_; }  // 0 = none
  double unlimited() const { return rate_; }   // what the ramp goes on with when the limit is gone

 private:
  void advance(MonoTime now);

  RatePlan plan_;
  double rate_;
  double ceiling_ = 0;  // 0 = none
  double credit_ = 1;   // releases saved up
  MonoTime released_at_ = MonoTime::min();
  MonoTime credited_at_;
  MonoTime step_started_;
  std::uint64_t step_good_ = 0;
  std::uint64_t step_bad_ = 0;
};

// What a plan with a share may add to the live traffic of a dependency, per second: up to `share`
// percent of `limit`, and never less than kSlowestShare of what the plan starts with. limit 0 =
// unknown: nothing is held back.
double room_of_share(const RatePlan& plan, double limit, double live);

// How many of the canary may be released now: all of it at once, then none.
std::uint32_t canary_release(const Canary& canary, const ReplayCounts& counts);
// Whether the whole canary has settled and its hold is over. Failures are stop_check's business.
bool canary_passed(const Canary& canary, const ReplayCounts& counts, MonoTime last_result,
                   MonoTime now);

}  // namespace weir::policy
