// SPDX-License-Identifier: Apache-2.0
#include "policy/ramp.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

// A rate of zero would never release anything; pausing is the way to say that.
constexpr double kSlowest = 1e-3;
constexpr double kOne = 1 - 1e-9;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

double held_within(double rate, const RatePlan& plan) {
  return std::clamp(rate, kSlowest, std::max(plan.max_per_second, kSlowest));
}

double credit_max(double rate) { return 1 + rate * seconds(kRampSlack); }

}  // namespace

Ramp::Ramp(const RatePlan& plan, MonoTime now, double rate)
    : plan_(plan),
      rate_(held_within(rate > 0 ? rate : plan.start_per_second, plan)),
      credited_at_(now),
      step_started_(now) {}

Pace Ramp::pace(const ReplayCounts& counts, MonoTime now) {
  advance(now);
  const std::uint64_t unsettled = WEIR_SEEDED_BUG("ramp.concurrency_ignored") ? 0
                                                                              : counts.in_flight();
  if (unsettled >= plan_.concurrency) return {0, MonoTime::max(), rate()};
  const auto room = plan_.concurrency - static_cast<std::uint32_t>(unsettled);
  const auto saved = static_cast<std::uint32_t>(std::floor(credit_ + (1 - kOne)));
  const std::uint32_t release = std::min(room, saved);
  const double of_rate = std::floor(rate() * seconds(kReleaseSlot));
  const double worth = std::min(of_rate, std::floor(plan_.concurrency / 2.0));
  const bool just_released = released_at_ != MonoTime::min() && now - released_at_ < kReleaseSlot;
  if (release < worth && just_released) return {0, released_at_ + kReleaseSlot, rate()};
  if (release == room) return {release, MonoTime::max(), rate()};
  const double missing = std::max(1 - (credit_ - release), 0.0);
  const auto wait = static_cast<std::int64_t>(std::ceil(missing / rate() * 1e6));
  return {release, now + Duration{std::max<std::int64_t>(wait, 1)}, rate()};
}

void Ramp::released(std::uint32_t count, MonoTime now) {
  advance(now);
  credit_ = std::max(credit_ - count, 0.0);
  released_at_ = now;
}

void Ramp::settled(bool success) { ++(success ? step_good_ : step_bad_); }

bool Ramp::slow_down(MonoTime now) {
  advance(now);
  const double slower = rate() / 2;
  if (slower < std::max(plan_.start_per_second * kSlowestShare, kSlowest)) return false;
  rate_ = held_within(slower, plan_);
  credit_ = std::min(credit_, 1.0);
  step_good_ = step_bad_ = 0;
  step_started_ = now;
  return true;
}

void Ramp::limit(double per_second, MonoTime now) {
  advance(now);
  ceiling_ = std::isfinite(per_second) ? std::max(per_second, kSlowest) : 0;
  credit_ = std::min(credit_, credit_max(rate()));
}

double room_of_share(const RatePlan& plan, double limit, double live) {
  if (plan.share <= 0 || limit <= 0) return std::numeric_limits<double>::infinity();
  return std::max(limit * plan.share / 100 - live, plan.start_per_second * kSlowestShare);
}

void Ramp::advance(MonoTime now) {
  if (now > credited_at_) {
    credit_ = std::min(credit_ + rate() * seconds(now - credited_at_), credit_max(rate()));
    credited_at_ = now;
  }
  if (now - step_started_ < plan_.step) return;
  const bool went_well = step_good_ > 0 && step_bad_ == 0;
  if (went_well) rate_ = held_within(next_rate(plan_, rate_), plan_);
  step_good_ = step_bad_ = 0;
  step_started_ = now;
}

std::uint32_t canary_release(const Canary& canary, const ReplayCounts& counts) {
  const std::uint64_t wanted = std::min<std::uint64_t>(canary_size(canary, counts.planned),
                                                       counts.planned - counts.skipped);
  return counts.sent < wanted ? static_cast<std::uint32_t>(wanted - counts.sent) : 0;
}

bool canary_passed(const Canary& canary, const ReplayCounts& counts, MonoTime last_result,
                   MonoTime now) {
  if (canary_size(canary, counts.planned) == 0) return true;
  if (canary_release(canary, counts) > 0 || counts.in_flight() > 0) return false;
  return now - last_result >= canary.hold;
}

}  // namespace weir::policy
