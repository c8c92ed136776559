// SPDX-License-Identifier: Apache-2.0
#include "shrink.h"

#include <algorithm>

namespace weir::engine_sim {
namespace {

class Shrinker {
 public:
  Shrinker(Plan plan, const Fails& fails, int runs_max)
      : plan_(std::move(plan)), fails_(fails), runs_left_(runs_max) {}

  Plan shrink() {
    for (bool smaller = true; smaller && runs_left_ > 0;) {
      smaller = drop_faults();
      smaller = drop_moves() || smaller;
      smaller = drop_events() || smaller;
    }
    return plan_;
  }

 private:
  bool take(Plan less) {
    if (runs_left_ == 0) return false;
    --runs_left_;
    less = without_the_rest(std::move(less));
    if (!fails_(less)) return false;
    plan_ = std::move(less);
    return true;
  }

  bool drop_faults() {
    bool smaller = false;
    for (std::size_t i = 0; i < kFaults; ++i) {
      if (!plan_.faults.test(i)) continue;
      Plan less = plan_;
      less.faults.reset(i);
      smaller = take(std::move(less)) || smaller;
    }
    return smaller;
  }

  // Chunks of half of them, then of a quarter, down to one by one.
  bool drop_moves() {
    bool smaller = false;
    for (std::size_t size = std::max<std::size_t>(1, plan_.moves.size() / 2); size > 0; size /= 2) {
      for (std::size_t first = 0; first < plan_.moves.size() && runs_left_ > 0;) {
        Plan less = plan_;
        const auto begin = less.moves.begin() + static_cast<std::ptrdiff_t>(first);
        const std::size_t end = std::min(first + size, less.moves.size());
        less.moves.erase(begin, less.moves.begin() + static_cast<std::ptrdiff_t>(end));
        const bool fits = take(std::move(less));
        smaller = fits || smaller;
        if (!fits) first += size;
      }
    }
    return smaller;
  }

  bool drop_events() {
    bool smaller = false;
    for (std::uint32_t cut = plan_.events / 2; cut > 0; cut /= 2) {
      Plan less = plan_;
      less.events -= std::min(cut, less.events);
      smaller = take(std::move(less)) || smaller;
    }
    return smaller;
  }

  Plan plan_;
  const Fails& fails_;
  int runs_left_;
};

}  // namespace

Plan shrink(Plan plan, const Fails& fails, int runs_max) {
  return Shrinker(std::move(plan), fails, runs_max).shrink();
}

}  // namespace weir::engine_sim
