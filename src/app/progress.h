// SPDX-License-Identifier: Apache-2.0
// How far a replay is: a bar on a terminal, now and then a line elsewhere. Pure; the caller writes
// and waits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "wire/json.h"

namespace weir::app {

// Of GET /v1/replays/{id}.
struct ReplayProgress {
  std::string replay;  // "r12"
  std::string state;
  std::string state_reason;
  bool waits = false;  // planned, and starts by itself
  std::uint64_t planned = 0;
  std::uint64_t sent = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed_again = 0;
  std::uint64_t skipped = 0;
  std::uint64_t in_doubt = 0;
  double rate = 0;           // allowed per second now
  double left = -1;          // seconds until it is done; below zero = not known
  std::uint64_t joined = 0;  // would have been selected, but came after the plan was made
  std::string checked;       // "yes", "no" or "unknown": the newest answers to its checks
  struct Stop {
    std::string condition;
    double value = 0;
    double limit = 0;
  };
  std::vector<Stop> stops;

  std::uint64_t settled() const { return succeeded + failed_again + skipped + in_doubt; }
  bool is_over() const;  // completed, aborted
  // Nothing more happens without an operator: is_over(), stopped or paused, or it has
  // waited for its preconditions in vain.
  bool is_at_rest() const;
};

ReplayProgress read_progress(wire::Json replay);

// "[########------------] 412/1,204  34 %  canary  5/s  2 failed again"; at most `width`
// characters.
std::string progress_bar(const ReplayProgress& progress, std::size_t width);
// The bar, and below it what was counted, the checks and the stop conditions against their limits.
std::string progress_block(const ReplayProgress& progress, std::size_t width);
// "r12 running: 412 of 1,204 settled, 5/s; sent 420 / ... / in doubt 0; failureShare 0.5 of 10"
std::string progress_line(const ReplayProgress& progress);
// "checks yes; stops: failureShare 0.5 of 10, sameFingerprint 0 of 3"; empty if there is nothing.
std::string limits_line(const ReplayProgress& progress);
// "sent 1,204 / succeeded 1,200 / failed again 4 / skipped 0 / in doubt 0"
std::string report_line(const ReplayProgress& progress);
// The exit code of a replay that was watched to its rest: app/exit_codes.h.
int exit_of(const ReplayProgress& progress);

// When the next line is due, where there is no bar: at once when the state changes, then every ten
// seconds.
class LineSchedule {
 public:
  bool due(const ReplayProgress& progress, MonoTime now);

 private:
  std::string state_;
  std::optional<MonoTime> last_;
};

}  // namespace weir::app
