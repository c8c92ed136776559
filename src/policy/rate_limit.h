// SPDX-License-Identifier: Apache-2.0
// Rate limit of one dependency: what the configuration allows, and what the dependency itself asks
// for. Both are one number of state.
//
// Configured: the generic cell rate algorithm (ITU-T I.371). In every window w: admitted cost <=
// per_second * w + burst.
//
// Learned, from the answers: it can only make the limiter slower, and works without a configured
// rate too.
//   hold    nothing is admitted before it ends; later answers never shorten it. It ends with a
//           bucket that holds one call and refills at the configured rate. Without a rate calls
//           come back slowly: the spacing starts at a fortieth of the hold (at most 100 ms) and
//           halves ten times, so that callers with one and the same Retry-After are no stampede.
//   spread  few calls are left in the server's window: they are spaced over what is left of it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"
#include "model/policy_spec.h"

namespace weir::policy {

// What one answer says about the pace its server wants. Plain value (rate_headers.h reads it).
struct ServerPace {
  std::optional<Duration> hold;  // nothing before that time has passed
  // So many calls are left until `reset` has passed.
  std::optional<double> remaining;
  Duration reset{};
  double quota = 0;   // calls per window; 0 = not told
  Duration window{};  // of the quota
  bool cut = false;   // it wanted more time than is believed (rate_headers.h)
  bool operator==(const ServerPace&) const = default;
};

// Longer holds end here with one call: its answer tells whether the server still means it. The
// same as the default of retry.serverDirected.
inline constexpr Duration kHoldMax = std::chrono::seconds{300};

class RateLimit {
 public:
  // burst below one counts as one; disabled, or per_second <= 0, admits everything that no answer
  // forbids.
  explicit RateLimit(const RateLimitSpec& spec);
  // Another rate starts with a full bucket; what was learned stays.
  void update(const RateLimitSpec& spec);

  // nullopt = would be admitted now; otherwise the earliest time at which it would. Takes nothing.
  // A cost above the burst can never be admitted: MonoTime::max().
  std::optional<MonoTime> next(MonoTime now, double cost = 1) const;
  // As next(), and takes the cost when it admits. A cost is never given back: a slot that was not
  // used is lost, which keeps the bound exact.
  std::optional<MonoTime> admit(MonoTime now, double cost = 1);
  // Cost that would be admitted now; infinity when disabled.
  double tokens(MonoTime now) const;
  bool enabled() const { return enabled_; }

  // An answer came while `in_flight` other calls were under way, which it may not know of. Ignored
  // unless the spec honours headers.
  void learn(const ServerPace& pace, std::uint32_t in_flight, MonoTime now);
  // Until when the dependency asked for silence, if it still does.
  std::optional<MonoTime> held_until(MonoTime now) const;

 private:
  bool is_few(const ServerPace& pace, std::uint32_t in_flight) const;
  void hold(Duration time, MonoTime now);
  MonoTime learned_next(MonoTime now) const;
  Duration release_spacing(MonoTime now) const;
  double micros(MonoTime time) const;

  bool enabled_;
  bool honor_;
  double per_second_;
  double burst_;
  bool started_ = false;
  MonoTime origin_{};      // of the first admission; debt is counted from here
  double arrival_us_ = 0;  // theoretical arrival time, microseconds after origin_

  MonoTime hold_until_ = MonoTime::min();
  Duration first_spacing_{};  // right after the hold
  MonoTime spread_until_ = MonoTime::min();
  Duration spacing_{};  // until then
  MonoTime last_admitted_ = MonoTime::min();
};

}  // namespace weir::policy
