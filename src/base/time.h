// SPDX-License-Identifier: Apache-2.0
// Monotonic and wall time are different types. Nobody but the edges reads a clock: decisions are
// handed `now`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

using Duration = std::chrono::microseconds;

// For timeouts and guardrails. Its zero has no meaning; never persisted.
struct MonoTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonoTag>;
  static constexpr bool is_steady = true;
};
using MonoTime = MonoTag::time_point;

// Microseconds since 1970 UTC, kept by a logical clock that never runs backwards. For everything
// persisted or shown.
struct WallTag {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<WallTag>;
  static constexpr bool is_steady = false;
};
using WallTime = WallTag::time_point;

inline std::int64_t to_micros(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime from_micros(std::int64_t micros) { return WallTime{Duration{micros}}; }

// "2026-11-21T14:02:11.123Z" (RFC 3339, UTC, milliseconds).
std::string to_rfc3339(WallTime time);
// Any RFC 3339 timestamp, with offset; fractions beyond microseconds are cut.
std::optional<WallTime> parse_rfc3339(std::string_view text);
// "14:02:11" of to_rfc3339.
std::string to_clock_text(WallTime time);
// "350 ms", "1.2 s", "3 min 20 s", "2 h 5 min", "4 d 3 h".
std::string to_text(Duration duration);
// As a setting, exactly: "1h30m", "250ms", "0s"; parse_duration() reads it back. Not below zero.
std::string to_setting(Duration duration);
// "50us", "250ms", "1s", "5m", "24h", "7d", "1h30m"; at most 100 years, and every number needs a
// unit. Nothing else is accepted.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace weir
