// SPDX-License-Identifier: Apache-2.0
// What the members of a replay say of it.
#pragma once

#include <vector>

#include "model/replay.h"

namespace weir::engine_test {

inline ReplayCounts recount(const std::vector<ReplayItem>& items) {
  ReplayCounts counts;
  for (const ReplayItem& item : items) {
    ++counts.planned;
    const bool left_out = item.state == ItemState::skipped || item.state == ItemState::stale;
    counts.sent += item.state != ItemState::planned && !left_out;
    counts.succeeded += item.state == ItemState::succeeded;
    counts.failed_again += item.state == ItemState::failedAgain;
    counts.skipped += left_out;
    counts.stale += item.state == ItemState::stale;
    counts.in_doubt += item.state == ItemState::inDoubt;
  }
  return counts;
}

}  // namespace weir::engine_test
