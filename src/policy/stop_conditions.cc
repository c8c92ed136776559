// SPDX-License-Identifier: Apache-2.0
#include "policy/stop_conditions.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/seeded_bug.h"

namespace weir::policy {
namespace {

double in_seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Duration limit_of(const StopRule& rule) {
  return Duration{static_cast<std::int64_t>(rule.limit * 1e6)};
}

struct Share {
  std::uint64_t bad = 0;
  std::uint64_t settled = 0;
  double percent() const {
    return settled == 0 ? 0 : 100.0 * static_cast<double>(bad) / static_cast<double>(settled);
  }
};

Share share_of(const ReplayCounts& counts) {
  const std::uint64_t bad = counts.failed_again +
                            (WEIR_SEEDED_BUG("stop.doubt_not_counted") ? 0 : counts.in_doubt);
  return {bad, counts.succeeded + bad};
}

std::string sentence(const StopReading& reading, const RunFacts& facts) {
  const StopRule& rule = reading.rule;
  if (reading.name == "failureShare") {
    const Share share = share_of(facts.counts);
    return fmt::format("{:.0f} % of {} settled deliveries did not succeed, the limit is {:g} %",
                       share.percent(), share.settled, rule.limit);
  }
  if (reading.name == "sameFingerprint") {
    return fmt::format("{} deliveries failed again in the same way, the limit is {:g}",
                       facts.counts.same_fingerprint, rule.limit);
  }
  if (reading.name == "breakerOpen") return "the circuit breaker of the dependency opened";
  if (reading.name == "latency") {
    return fmt::format("95 % of the last attempts took up to {}, the limit is {}",
                       weir::to_text(facts.latency_p95), weir::to_text(limit_of(rule)));
  }
  if (reading.name == "liveLag") {
    return fmt::format("the oldest live event has been ready for {}, the limit is {}",
                       weir::to_text(facts.live_lag), weir::to_text(limit_of(rule)));
  }
  return fmt::format("the run has taken {}, the limit is {}", weir::to_text(facts.running),
                     weir::to_text(limit_of(rule)));
}

// stop before pause before slow.
bool is_harder(StopAction a, StopAction b) { return static_cast<int>(a) < static_cast<int>(b); }

}  // namespace

std::vector<StopReading> stop_readings(const StopConditions& stop, const RunFacts& facts) {
  std::vector<StopReading> readings;
  const auto add = [&](std::string_view name, const StopRule& rule, double value, bool reached) {
    if (rule.limit > 0) readings.push_back({name, value, rule, reached});
  };
  const Share share = share_of(facts.counts);
  const auto same = static_cast<double>(facts.counts.same_fingerprint);
  const auto over = [](Duration value, const StopRule& rule) {
    return value >= Duration{} && in_seconds(value) > rule.limit;
  };
  add("failureShare", stop.failure_share, share.percent(),
      share.settled >= kShareFrom && share.percent() > stop.failure_share.limit);
  add("sameFingerprint", stop.same_fingerprint, same,
      same >= stop.same_fingerprint.limit + WEIR_SEEDED_BUG("stop.one_too_late"));
  add("breakerOpen", stop.breaker_open, facts.breaker_open ? 1 : 0, facts.breaker_open);
  add("latency", stop.latency, std::max(in_seconds(facts.latency_p95), 0.0),
      over(facts.latency_p95, stop.latency));
  add("liveLag", stop.live_lag, std::max(in_seconds(facts.live_lag), 0.0),
      over(facts.live_lag, stop.live_lag));
  add("duration", stop.duration, in_seconds(facts.running), over(facts.running, stop.duration));
  return readings;
}

std::optional<StopVerdict> stop_check(const StopConditions& stop, const RunFacts& facts) {
  const Share share = share_of(facts.counts);
  if (facts.canary && share.bad > 0) {
    return StopVerdict{StopAction::stop, fmt::format("{} of {} canary deliveries did not succeed",
                                                     share.bad, share.settled)};
  }
  const StopReading* worst = nullptr;
  const std::vector<StopReading> readings = stop_readings(stop, facts);
  for (const StopReading& reading : readings) {
    if (!reading.reached) continue;
    if (worst == nullptr || is_harder(reading.rule.then, worst->rule.then)) worst = &reading;
  }
  if (worst == nullptr) return std::nullopt;
  return StopVerdict{worst->rule.then, sentence(*worst, facts)};
}

void RecentLatencies::add(Duration latency) { ring_[count_++ % kKept] = latency; }

Duration RecentLatencies::p95() const { return quantile(95); }
Duration RecentLatencies::median() const { return quantile(50); }

Duration RecentLatencies::quantile(std::size_t percent) const {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(count_, kKept));
  if (size < kLeast) return Duration{-1};
  std::array<Duration, kKept> sorted = ring_;
  std::sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(size));
  return sorted[(size * percent + 99) / 100 - 1];
}

}  // namespace weir::policy
