// SPDX-License-Identifier: Apache-2.0
#include "retry_bound.h"

#include <ranges>

#include <fmt/format.h>

namespace weir::engine_sim {
namespace {

// A call arrives so much later than it was admitted, at most: its claim was committed meanwhile.
constexpr Duration kAdmittedBefore = std::chrono::milliseconds{100};
constexpr double kFirstsOnTheirWay = 5;  // the largest cap on calls at once

}  // namespace

std::string above_retry_bound(const std::deque<Call>& calls, const RetryConstraintSpec& spec,
                              MonoTime since) {
  const Call& last = calls.back();
  if (last.work != Call::Work::charged) return {};
  double firsts = kFirstsOnTheirWay;
  double failed = 0;
  for (const Call& call : calls | std::views::reverse) {
    if (call.life != last.life || call.at < since) break;
    const Duration before = last.at - call.at;
    if (before > spec.interval + kAdmittedBefore) break;
    firsts += call.work == Call::Work::first;
    const bool in_window = before < spec.interval - kAdmittedBefore;
    failed += in_window && call.work == Call::Work::charged && call.status != 200;
  }
  const auto intervals = std::chrono::duration<double>(spec.interval) / spec.min_retry_interval;
  const double most = spec.percent / 100 * firsts + spec.min_retry_count * intervals;
  if (failed <= most) return {};
  return fmt::format("{} retries in {} s beside {} first attempts", failed,
                     std::chrono::duration_cast<std::chrono::seconds>(spec.interval).count(),
                     firsts - kFirstsOnTheirWay);
}

}  // namespace weir::engine_sim
