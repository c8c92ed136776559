// SPDX-License-Identifier: Apache-2.0
#include "policy/adaptive_limit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/assert.h"

namespace weir::policy {
namespace {

constexpr double kDropFactor = 0.9;
constexpr double kDropLeast = 0.5;  // so that small limits reach the minimum too
constexpr double kGrowBelow = 3;    // steps of queue: alpha of Vegas
constexpr double kShrinkAbove = 6;  // beta
constexpr double kConfirms = 0.1;   // a base this near to the old one is the old one

// Correlations say something only if the number in flight really varied.
constexpr std::size_t kPastMin = 8;
constexpr double kVariedMin = 0.1;
constexpr double kNoGain = 0.3;
constexpr double kSlows = 0.5;
constexpr double kFlat = 0.2;

double step_of(double limit) { return std::max(1.0, std::log10(limit)); }

double ratio(Duration part, Duration whole) {
  return static_cast<double>(part.count()) /
         static_cast<double>(std::max(whole, Duration{1}).count());
}

// Sums of pairs, enough for a correlation and for how much each varies.
struct Pairs {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  void add(double a, double b) {
    ++n;
    x += a;
    y += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  // Standard deviation over mean.
  double varied_x() const { return std::sqrt(spread(xx, x)) / std::max(x, 1e-9); }
  double varied_y() const { return std::sqrt(spread(yy, y)) / std::max(y, 1e-9); }
  // Pearson's; 0 where one of the two is constant.
  double correlation() const {
    const double both = std::sqrt(spread(xx, x) * spread(yy, y));
    return both > 1e-12 ? (n * xy - x * y) / both : 0;
  }

 private:
  double spread(double squares, double sum) const { return std::max(n * squares - sum * sum, 0.0); }
};

}  // namespace

AdaptiveLimit::AdaptiveLimit(const AdaptiveSpec& spec, std::uint32_t most) {
  set_bounds(spec, most);
  set_limit(spec.initial_limit);
}

void AdaptiveLimit::update(const AdaptiveSpec& spec, std::uint32_t most) {
  set_bounds(spec, most);
  set_limit(limit_);
  phase_ = Phase::steady;
  opened_ = false;
}

void AdaptiveLimit::set_bounds(const AdaptiveSpec& spec, std::uint32_t most) {
  spec_ = spec;
  spec_.recent_window = std::max(spec.recent_window, Duration{1});
  max_ = std::max(std::min(spec.max_limit, most), 1u);
  min_ = std::clamp(spec.min_limit, 1u, max_);
}

void AdaptiveLimit::set_limit(double limit) {
  limit_ = std::clamp(limit, static_cast<double>(min_), static_cast<double>(max_));
}

std::uint32_t AdaptiveLimit::limit() const {
  const auto whole = static_cast<std::uint32_t>(limit_);
  return phase_ == Phase::steady ? whole : std::min(whole, probe_limit_);
}

void AdaptiveLimit::started(std::uint32_t in_flight, MonoTime now) {
  // A quiet time is evidence of nothing.
  const bool stale = in_flight <= 1 && now - opened_at_ > spec_.recent_window * kStretchMax;
  if (!opened_ || stale) open_window(now);
  in_flight_max_ = std::max(in_flight_max_, in_flight);
}

void AdaptiveLimit::ended(End end, Duration latency, std::uint32_t in_flight, MonoTime now) {
  WEIR_ASSERT(in_flight > 0);
  if (!opened_) open_window(now);
  if (end == End::dropped) {
    dropped_ = true;
    set_limit(limit_ - std::max(limit_ * (1 - kDropFactor), kDropLeast));
  }
  if (end == End::served && phase_ != Phase::draining && now - latency >= heed_from_) {
    latencies_.add(latency);
    in_flight_sum_ += in_flight;
  }
  if (phase_ == Phase::draining && in_flight - 1 <= probe_limit_) {
    phase_ = Phase::measuring;
    open_window(now);
    heed_from_ = now;
    return;
  }
  if (window_is_full(now)) close_window(now);
}

bool AdaptiveLimit::window_is_full(MonoTime now) const {
  const Duration elapsed = now - opened_at_;
  if (elapsed >= spec_.recent_window * kStretchMax) return true;
  if (elapsed < spec_.recent_window || phase_ == Phase::draining) return false;
  // The smaller the limit, the longer its answers take to come, and the less one window moves it.
  return latencies_.count() >= std::clamp(5 * limit(), kSamplesMin, kSamplesMax);
}

void AdaptiveLimit::open_window(MonoTime now) {
  opened_ = true;
  opened_at_ = now;
  latencies_.clear();
  in_flight_max_ = 0;
  in_flight_sum_ = 0;
  dropped_ = false;
}

void AdaptiveLimit::close_window(MonoTime now) {
  const Duration recent = latencies_.quantile(spec_.quantile);
  if (phase_ == Phase::draining) {
    // It cannot be drained: the limit is only computed, or calls hang. Half believe what is seen.
    end_probe((base_ + before_probe_) / 2, now);
  } else if (phase_ == Phase::measuring) {
    end_probe(latencies_.count() > 0 ? recent : base_, now);
  } else if (latencies_.count() > 0 && in_flight_max_ > 0) {
    judge(recent, now);
  }
  open_window(now);
}

void AdaptiveLimit::judge(Duration recent, MonoTime now) {
  const bool used = 2 * static_cast<std::uint64_t>(in_flight_max_) >= limit();
  if (base_ == Duration{0} || recent < base_) base_ = std::max(recent, Duration{1});
  ++base_age_;
  if (used && !dropped_) remember(recent, now);
  const double queue = in_flight_max_ * (1 - std::min(ratio(base_, recent), 1.0));
  const double before = limit_;
  move(queue, used);
  set_limit(std::min(limit_, static_cast<double>(kUsedFactor) * in_flight_max_));
  if (limit_ < before) heed_from_ = now;
  renew_base(queue, used, recent);
}

void AdaptiveLimit::move(double queue, bool used) {
  const double step = step_of(limit_);
  const bool again = std::exchange(shrank_, queue > kShrinkAbove * step);
  if (shrank_) {
    const double free = in_flight_max_ - queue;
    set_limit(std::max(limit_ / 2, std::min(limit_, free + kGrowBelow * step)));
    // A queue that stays may be a base that is no longer true.
    if (again) base_age_ += probe_after_ / 2;
  } else if (used && drifts()) {
    set_limit(limit_ - step);
    past_ = 0;  // what was acted upon is not evidence again
  } else if (used && !dropped_ && queue < kGrowBelow * step) {
    set_limit(limit_ + (queue <= step ? kShrinkAbove * step : step));
  }
}

void AdaptiveLimit::remember(Duration recent, MonoTime now) {
  const double seconds = std::chrono::duration<double>(now - opened_at_).count();
  const double served = latencies_.count();
  history_[past_++ % kHistory] = {in_flight_sum_ / served, served / std::max(seconds, 1e-6),
                                  static_cast<double>(recent.count())};
  if (past_ >= 2 * kHistory) past_ -= kHistory;  // stays full, never overflows
}

bool AdaptiveLimit::drifts() const {
  const std::size_t known = std::min(past_, kHistory);
  if (known < kPastMin) return false;
  Pairs throughput;
  Pairs latency;
  for (std::size_t i = 0; i < known; ++i) {
    throughput.add(history_[i].in_flight, history_[i].per_second);
    latency.add(history_[i].in_flight, history_[i].latency);
  }
  if (throughput.varied_x() < kVariedMin) return false;
  const double gain = throughput.correlation();
  if (gain < 0) return true;
  return latency.correlation() > kSlows && (gain < kNoGain || throughput.varied_y() < kFlat);
}

void AdaptiveLimit::renew_base(double queue, bool used, Duration recent) {
  if (base_age_ < probe_after_) return;
  const bool calm = queue <= kShrinkAbove * step_of(limit_);
  if (!used && !calm) return;      // the limit comes down first
  if (!used || limit() == min_) {  // no queue of ours in it
    base_ = std::max(recent, Duration{1});
    base_age_ = 0;
    return;
  }
  const double free = in_flight_max_ - queue;
  probe_limit_ = std::clamp(static_cast<std::uint32_t>(std::max(free / 2, 1.0)), min_, limit() - 1);
  before_probe_ = recent;
  phase_ = Phase::draining;
}

void AdaptiveLimit::end_probe(Duration measured, MonoTime now) {
  const bool same = std::abs(1 - ratio(measured, base_)) <= kConfirms;
  probe_after_ = same ? std::min(2 * probe_after_, kProbeAfterMax) : kProbeAfterMin;
  base_ = std::max(measured, Duration{1});
  base_age_ = 0;
  phase_ = Phase::steady;
  heed_from_ = now;
}

}  // namespace weir::policy
