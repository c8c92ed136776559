// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/commit_times.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace weir::store::sqlite {

void CommitTimes::record(Duration took, std::size_t batches) {
  const auto micros = std::clamp<std::int64_t>(took.count(), 0,
                                               std::numeric_limits<std::uint32_t>::max());
  const std::lock_guard lock(mutex_);
  micros_[commits_ % kKept] = static_cast<std::uint32_t>(micros);
  ++commits_;
  batches_ += batches;
}

void CommitTimes::describe(ports::StoreStatus& info) const {
  std::vector<std::uint32_t> sorted;
  {
    const std::lock_guard lock(mutex_);
    info.commits = commits_;
    info.batches = batches_;
    sorted.assign(micros_.begin(), micros_.begin() + static_cast<std::ptrdiff_t>(
                                                         std::min<std::uint64_t>(commits_, kKept)));
  }
  if (sorted.empty()) return;
  std::ranges::sort(sorted);
  info.sync_p50 = Duration{sorted[sorted.size() / 2]};
  info.sync_p99 = Duration{sorted[sorted.size() * 99 / 100]};
}

}  // namespace weir::store::sqlite
