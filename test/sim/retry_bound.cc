// SPDX-License-Identifier: Apache-2.0
#include "retry_bound.h"

#include <ranges>

#include <fmt/format.h>

namespace weir::engine_sim {
namespace {

constexpr double kFirstsOnTheirWay = 5;  // the largest cap on calls at once

}  // namespace

std::string above_bound(const RetryBound& bound, const std::deque<Call>& calls) {
  const RetryConstraintSpec& spec = bound.spec;
  const Call& last = calls.back();
  if (last.work != Call::Work::charged || last.at < bound.latest) return {};
  double firsts = kFirstsOnTheirWay;
  double failed = 0;
  for (const Call& call : calls | std::views::reverse) {
    if (call.life != last.life || call.at < bound.earliest) break;
    const Duration before = last.at - call.at;
    if (before > spec.interval + kAdmittedBefore) break;
    firsts += call.work == Call::Work::first;
    const bool in_window = before < spec.interval - kAdmittedBefore && call.at >= bound.latest;
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
