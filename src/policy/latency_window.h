// SPDX-License-Identifier: Apache-2.0
// Latencies of one window as a histogram: sixteen buckets per power of two (HdrHistogram's layout),
// so that a quantile is at most 1/16 off. 2 KiB, however many calls there are; no allocation.
#pragma once

#include <array>
#include <cstdint>

#include "base/time.h"

namespace weir::policy {

class LatencyWindow {
 public:
  // What lies below zero counts as zero, what is longer than kLatencyMax as that.
  void add(Duration latency);
  // `share` in [0, 1]; interpolated inside its bucket. Zero when empty.
  Duration quantile(double share) const;
  std::uint32_t count() const { return count_; }
  void clear();

  static constexpr Duration kLatencyMax{(std::int64_t{1} << 32) - 1};  // 71 minutes

 private:
  static constexpr int kSubBits = 4;
  static constexpr std::size_t kSub = std::size_t{1} << kSubBits;
  static constexpr std::size_t kBuckets = (32 - kSubBits + 1) * kSub;

  static std::size_t bucket_of(std::uint64_t micros);
  static std::uint64_t start_of(std::size_t bucket);

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint32_t count_ = 0;
};

}  // namespace weir::policy
