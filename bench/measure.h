// SPDX-License-Identifier: Apache-2.0
// Clocks and percentiles of the bench programs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weir::bench {

std::int64_t monotonic_micros();
double wall_seconds();         // since the Unix epoch, to match the lines of different programs
double process_cpu_seconds();  // user and system time of all threads of this process

// Durations in microseconds; keeps every one, so a percentile is exact.
class Durations {
 public:
  void reserve(std::size_t count) { micros_.reserve(count); }
  void add(std::int64_t micros);
  std::size_t count() const { return micros_.size(); }
  // `share` in [0, 1]; the smallest duration that at least this share does not exceed; 0 when
  // empty.
  double millis_at(double share);

 private:
  std::vector<std::uint32_t> micros_;
  bool sorted_ = false;
};

}  // namespace weir::bench
