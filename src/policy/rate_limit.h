// SPDX-License-Identifier: Apache-2.0
// Rate limit of one dependency: the generic cell rate algorithm (ITU-T I.371). In every window w:
// admitted cost <= per_second * w + burst. One number of state.
#pragma once

#include <optional>

#include "base/time.h"
#include "model/policy_spec.h"

namespace weir::policy {

class RateLimit {
 public:
  // burst below one counts as one; disabled, or per_second <= 0, admits everything.
  explicit RateLimit(const RateLimitSpec& spec);

  // nullopt = would be admitted now; otherwise the earliest time at which it would. Takes nothing.
  // A cost above the burst can never be admitted: MonoTime::max().
  std::optional<MonoTime> next(MonoTime now, double cost = 1) const;
  // As next(), and takes the cost when it admits. A cost is never given back: a slot that was not
  // used is lost, which keeps the bound exact.
  std::optional<MonoTime> admit(MonoTime now, double cost = 1);
  // Cost that would be admitted now; infinity when disabled.
  double tokens(MonoTime now) const;
  bool enabled() const { return enabled_; }

 private:
  bool enabled_;
  double per_second_;
  double burst_;
  bool started_ = false;
  MonoTime origin_{};      // of the first admission; debt is counted from here
  double arrival_us_ = 0;  // theoretical arrival time, microseconds after origin_
};

}  // namespace weir::policy
