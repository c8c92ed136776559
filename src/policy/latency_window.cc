// SPDX-License-Identifier: Apache-2.0
#include "policy/latency_window.h"

#include <algorithm>
#include <bit>

namespace weir::policy {

// Below 16 every microsecond has its own bucket; from there on the four bits after the leading one
// name the bucket within the power of two.
std::size_t LatencyWindow::bucket_of(std::uint64_t micros) {
  if (micros < kSub) return static_cast<std::size_t>(micros);
  const int shift = std::bit_width(micros) - 1 - kSubBits;
  return static_cast<std::size_t>(shift) * kSub + static_cast<std::size_t>(micros >> shift);
}

std::uint64_t LatencyWindow::start_of(std::size_t bucket) {
  if (bucket < kSub) return bucket;
  const std::size_t shift = bucket / kSub - 1;
  return static_cast<std::uint64_t>(bucket - shift * kSub) << shift;
}

void LatencyWindow::add(Duration latency) {
  const Duration kept = std::clamp(latency, Duration{0}, kLatencyMax);
  if (count_ == UINT32_MAX) return;
  ++buckets_[bucket_of(static_cast<std::uint64_t>(kept.count()))];
  ++count_;
}

Duration LatencyWindow::quantile(double share) const {
  if (count_ == 0) return {};
  const double rank = std::clamp(share, 0.0, 1.0) * count_;
  double before = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const double here = buckets_[i];
    if (here == 0 || before + here < rank) {
      before += here;
      continue;
    }
    const auto from = static_cast<double>(start_of(i));
    const auto to = static_cast<double>(start_of(i + 1));
    return Duration{static_cast<std::int64_t>(from + (to - from) * (rank - before) / here)};
  }
  return kLatencyMax;
}

void LatencyWindow::clear() {
  if (count_ == 0) return;
  buckets_ = {};
  count_ = 0;
}

}  // namespace weir::policy
