// SPDX-License-Identifier: Apache-2.0
// A question of a replay plan that is answered with yes, no or not at all: before a run, as a
// precondition, or about what the run did, as a verification.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace weir {

enum class CheckKind : std::uint8_t {
  breakerClosed,  // the breaker of dependency `subject`, for `duration` at least
  flowStatus,     // flow `subject` is paused, or is active
  timeWindow,     // from <= time of the day (UTC) < until; over midnight if until is before from
  noneInDoubt,    // no selected delivery is in doubt
  http,           // GET `subject` answers `status`, with `header: value` if a header is named
  prometheus      // the instant query `query` at `subject` gives samples that are all below `below`
};
std::string_view to_text(CheckKind kind);

struct PlanCheck {
  CheckKind kind = CheckKind::breakerClosed;
  std::string subject;
  Duration duration{};  // breakerClosed: for how long; http, prometheus: patience
  bool paused = false;
  Duration from{};  // since midnight
  Duration until{};
  std::uint32_t status = 200;
  std::string header;
  std::string value;
  std::string query;
  double below = 0;
  bool operator==(const PlanCheck&) const = default;
};
inline constexpr std::size_t kChecksMax = 16;  // per list of a plan

std::string to_day_time(Duration since_midnight);  // "22:00"
// "breaker of tracker closed for 5m", for people.
std::string describe(const PlanCheck& check);

// inconclusive: it could not be found out. It counts as no where a run would begin, and pauses a
// run that is under way.
enum class Verdict : std::uint8_t { successful, failed, inconclusive };
std::string_view to_text(Verdict verdict);

struct CheckResult {
  Verdict verdict = Verdict::inconclusive;
  std::string check;   // describe()
  std::string detail;  // what was seen
  bool operator==(const CheckResult&) const = default;
};

// failed if any is, else inconclusive if any is.
Verdict overall(const std::vector<CheckResult>& results);

// What is asked of a run, and when.
struct Verification {
  bool nothing_returned = false;  // no delivery of the run is back in quarantine
  std::vector<PlanCheck> checks;
  bool after_canary = true;
  bool each_step = false;
  bool at_end = true;
  bool wanted() const { return nothing_returned || !checks.empty(); }
  bool operator==(const Verification&) const = default;
};

}  // namespace weir
