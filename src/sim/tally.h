// SPDX-License-Identifier: Apache-2.0
// What is counted of one dependency, second by second.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/decision.h"
#include "sim/run_result.h"
#include "sim/stage.h"

namespace weir::sim {

inline constexpr std::size_t kLateSeconds = 20;  // what "in the end" means

// How long deliveries took, in buckets that grow by 5 %.
class Delays {
 public:
  void add(Duration delay) {
    const double ms = std::max(static_cast<double>(delay.count()) / 1000, 0.0);
    const auto bucket = static_cast<std::size_t>(std::log1p(ms) / kStep);
    ++buckets_[std::min(bucket, kBuckets - 1)];
    ++count_;
  }
  void add(const Delays& other) {
    for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }
  // Seconds below which this share lies; 0 of nothing.
  double quantile(double share) const {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBuckets && count_ > 0; ++i) {
      below += buckets_[i];
      if (static_cast<double>(below) >= share * static_cast<double>(count_))
        return std::expm1((static_cast<double>(i) + 0.5) * kStep) / 1000;
    }
    return 0;
  }

 private:
  static constexpr std::size_t kBuckets = 512;  // up to 20 years
  static constexpr double kStep = 0.04879016;   // ln 1.05
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
};

// What kept calls from being made or served, in one second.
struct Strain {
  double busy = 0;         // share of its time and its workers that the server worked
  double turned_away = 0;  // calls that found its queue full
  std::array<double, static_cast<std::size_t>(Guardrail::paused) + 1> refused{};
};

// How a delivery ended.
enum class End : std::uint8_t { done, quarantined, expired, discarded, givenUp };

struct Tally {
  Step second;  // the counts of the present one
  Totals totals;
  Delays delays;
  double last_done = 0;             // seconds since the start
  std::optional<double> paused_at;  // a flow of it paused itself
  std::string paused_why;
  std::vector<Step> seconds;
  Strain strain;  // of the present second
  std::vector<Strain> strains;
};

}  // namespace weir::sim
