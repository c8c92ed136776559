// SPDX-License-Identifier: Apache-2.0
#include "measure.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <sys/resource.h>

namespace weir::bench {

std::int64_t monotonic_micros() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(since).count();
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double process_cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec);
  return seconds + static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void Durations::add(std::int64_t micros) {
  micros_.push_back(static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros, 0, UINT32_MAX)));
  sorted_ = false;
}

double Durations::millis_at(double share) {
  if (micros_.empty()) return 0;
  if (!sorted_) std::ranges::sort(micros_);
  sorted_ = true;
  const auto rank = static_cast<std::size_t>(
      std::ceil(share * static_cast<double>(micros_.size())));
  return micros_[std::clamp<std::size_t>(rank, 1, micros_.size()) - 1] / 1e3;
}

}  // namespace weir::bench
