// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

constexpr double kMicros = 1e6;
// Microseconds; far below the resolution of the clock, far above the rounding of a double.
constexpr double kTolerance = 1e-3;

// How calls come back after a hold where no rate is configured.
constexpr int kHalvings = 10;
constexpr int kCallsPerStep = 10;  // in the first of them; twice as many in each that follows
constexpr Duration kStepMax = std::chrono::seconds{1};
constexpr std::int64_t kStepsPerHold = 4;

// When so few calls are left they are spread.
constexpr double kFew = 10;
constexpr double kFewShare = 0.2;

}  // namespace

RateLimit::RateLimit(const RateLimitSpec& spec)
    : enabled_(spec.enabled && spec.per_second > 0),
      honor_(spec.honor_headers),
      per_second_(spec.per_second),
      burst_(std::max(spec.burst, 1.0)) {}

void RateLimit::update(const RateLimitSpec& spec) {
  const RateLimit fresh(spec);
  honor_ = fresh.honor_;
  if (fresh.enabled_ == enabled_ && fresh.per_second_ == per_second_ && fresh.burst_ == burst_)
    return;
  enabled_ = fresh.enabled_;
  per_second_ = fresh.per_second_;
  burst_ = fresh.burst_;
  started_ = hold_until_ != MonoTime::min();
  origin_ = hold_until_;
  arrival_us_ = started_ && enabled_ ? (burst_ - 1) / per_second_ * kMicros : 0;
}

// After origin_; 0 before anything happened.
double RateLimit::micros(MonoTime time) const {
  return started_ ? static_cast<double>((time - origin_).count()) : 0;
}

MonoTime RateLimit::learned_next(MonoTime now) const {
  MonoTime at = now;
  if (now < spread_until_ && last_admitted_ != MonoTime::min())
    at = std::max(at, std::min(last_admitted_ + spacing_, spread_until_));
  if (now < hold_until_) return std::max(at, hold_until_);
  const Duration spacing = release_spacing(now);
  return spacing > Duration{0} ? std::max(at, last_admitted_ + spacing) : at;
}

Duration RateLimit::release_spacing(MonoTime now) const {
  if (enabled_ || first_spacing_ == Duration{0}) return Duration{0};
  const std::int64_t halvings = (now - hold_until_) / (first_spacing_ * kCallsPerStep);
  return halvings < kHalvings ? first_spacing_ / (std::int64_t{1} << halvings) : Duration{0};
}

std::optional<MonoTime> RateLimit::next(MonoTime now, double cost) const {
  MonoTime at = learned_next(now);
  if (enabled_) {
    if (cost > burst_) return MonoTime::max();
    const double elapsed = micros(now);
    const double arrival = std::max(elapsed, arrival_us_) + cost / per_second_ * kMicros;
    const double wait = arrival - elapsed - burst_ / per_second_ * kMicros;
    if (wait > kTolerance)
      at = std::max(at, now + Duration{static_cast<std::int64_t>(std::ceil(wait))});
  }
  if (at <= now) return {};
  return at;
}

std::optional<MonoTime> RateLimit::admit(MonoTime now, double cost) {
  if (const auto later = next(now, cost)) return later;
  last_admitted_ = now;
  if (!enabled_) return {};
  if (!started_) origin_ = now;
  started_ = true;
  const double since = WEIR_SEEDED_BUG("rate.idle_saves_up") ? 0 : micros(now);
  arrival_us_ = std::max(since, arrival_us_) + cost / per_second_ * kMicros;
  return {};
}

double RateLimit::tokens(MonoTime now) const {
  if (now < hold_until_) return 0;
  if (!enabled_) return std::numeric_limits<double>::infinity();
  const double debt = std::max(arrival_us_ - micros(now), 0.0) * per_second_ / kMicros;
  return std::max(burst_ - debt, 0.0);
}

std::optional<MonoTime> RateLimit::held_until(MonoTime now) const {
  return now < hold_until_ ? std::optional(hold_until_) : std::nullopt;
}

void RateLimit::learn(const ServerPace& pace, std::uint32_t in_flight, MonoTime now) {
  if (!honor_) return;
  const bool spent = pace.remaining && *pace.remaining < 1;
  if (pace.hold || spent) {
    hold(pace.hold ? *pace.hold : pace.reset, now);
    if (now >= hold_until_ || pace.quota < 1 || pace.window <= Duration{0}) return;
    spacing_ = std::min(
        Duration{static_cast<std::int64_t>(static_cast<double>(pace.window.count()) / pace.quota)},
        kHoldMax);
    spread_until_ = hold_until_ + std::min(pace.window, kHoldMax);
    return;
  }
  if (!pace.remaining) return;
  spread_until_ = MonoTime::min();
  if (!is_few(pace, in_flight) || pace.reset <= Duration{0}) return;
  const double left = std::max(*pace.remaining - in_flight, 1.0);
  const Duration reset = std::min(pace.reset, Duration{std::chrono::hours{24}});
  const auto apart = static_cast<std::int64_t>(static_cast<double>(reset.count()) / left);
  spacing_ = std::min(Duration{apart}, kHoldMax);
  spread_until_ = now + reset;
}

// Calls under way may spend what the answer says is left.
bool RateLimit::is_few(const ServerPace& pace, std::uint32_t in_flight) const {
  return *pace.remaining <= std::max({kFew, 2.0 * in_flight, kFewShare * pace.quota});
}

void RateLimit::hold(Duration time, MonoTime now) {
  const Duration kept = std::clamp(time, Duration{0}, kHoldMax);
  if (kept == Duration{0} || now + kept <= hold_until_) return;
  hold_until_ = now + kept;
  first_spacing_ = std::max(std::min(kept / kStepsPerHold, kStepMax) / kCallsPerStep, Duration{1});
  if (!enabled_) return;
  if (!started_) origin_ = now;
  started_ = true;
  arrival_us_ = std::max(arrival_us_, micros(hold_until_) + (burst_ - 1) / per_second_ * kMicros);
}

}  // namespace weir::policy
