// SPDX-License-Identifier: Apache-2.0
#include "storm.h"

#include <algorithm>
#include <cmath>
#include <queue>
#include <vector>

#include "base/rng.h"
#include "policy/retry_budget.h"

namespace weir::scenarios {
namespace {

constexpr double kHealthySeconds = 5;
constexpr double kHealthyShare = 0.9;
constexpr double kLate = 20;

MonoTime at(double seconds) { return MonoTime{Duration{static_cast<std::int64_t>(seconds * 1e6)}}; }

struct Send {
  double time;
  std::uint32_t attempt;  // 0 = first
  bool operator>(const Send& other) const { return time > other.time; }
};

class Run {
 public:
  Run(const Storm& storm, std::uint64_t seed)
      : storm_(storm),
        rng_(seed),
        budget_(storm.budget),
        outage_end_(storm.warm_up + storm.outage),
        end_(outage_end_ + storm.watched),
        good_(static_cast<std::size_t>(end_) + 2),
        sent_(good_.size()),
        came_(good_.size()) {}

  StormResult result() {
    double arrival = next_arrival(0);
    while (arrival < end_ || !retries_.empty()) {
      const bool retry = !retries_.empty() && retries_.top().time <= arrival;
      const Send send = retry ? retries_.top() : Send{arrival, 0};
      if (retry) retries_.pop();
      if (!retry) arrival = next_arrival(arrival);
      if (send.time >= end_) break;
      make(send);
    }
    return summary();
  }

 private:
  double next_arrival(double now) { return now - std::log(1 - rng_.unit()) / storm_.offered; }

  void make(const Send& send) {
    if (send.attempt == 0) {
      budget_.first_attempt(at(send.time));
      ++came_[second(send.time)];
    } else if (!budget_.try_spend(at(send.time))) {
      return;
    }
    ++sent_[second(send.time)];
    const bool buffered = send.time >= storm_.warm_up && send.time < outage_end_;
    const double reaches = buffered ? outage_end_ : send.time;
    free_ = std::max(free_, reaches) + 1 / storm_.capacity;
    if (free_ - send.time <= storm_.timeout) {
      if (free_ < end_) ++good_[second(free_)];
    } else if (send.attempt < storm_.retries) {
      retries_.push({send.time + storm_.timeout, send.attempt + 1});
    }
  }

  static std::size_t second(double time) { return static_cast<std::size_t>(time); }

  StormResult summary() const {
    StormResult result;
    const auto last = second(end_);
    double sent = 0;
    double came = 0;
    for (std::size_t i = last - static_cast<std::size_t>(kLate); i < last; ++i) {
      result.late_goodput += good_[i] / kLate;
      sent += sent_[i];
      came += came_[i];
    }
    result.late_amplification = sent / came;
    const double wanted = kHealthySeconds * kHealthyShare * storm_.offered;
    for (std::size_t i = second(std::ceil(outage_end_)); i + kHealthySeconds <= last; ++i) {
      double good = 0;
      for (std::size_t j = i; j < i + static_cast<std::size_t>(kHealthySeconds); ++j)
        good += good_[j];
      if (good < wanted) continue;
      result.recovered = static_cast<double>(i) - outage_end_;
      break;
    }
    return result;
  }

  const Storm& storm_;
  Rng rng_;
  policy::RetryBudget budget_;
  double outage_end_;
  double end_;
  double free_ = 0;  // when the server has done all it has got
  std::priority_queue<Send, std::vector<Send>, std::greater<>> retries_;
  std::vector<double> good_;  // per second
  std::vector<double> sent_;
  std::vector<double> came_;
};

}  // namespace

RetryConstraintSpec without_budget() {
  RetryConstraintSpec spec;
  spec.percent = 100;
  spec.min_retry_count = 1e6;
  return spec;
}

StormResult run(const Storm& storm, std::uint64_t seed) { return Run(storm, seed).result(); }

}  // namespace weir::scenarios
