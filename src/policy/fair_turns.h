// SPDX-License-Identifier: Apache-2.0
// Turns among competitors by weight: start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996)
// with turns that all cost the same. Work-conserving; nobody starves: between two turns of one that
// always wants one, another gets at most ceil(its weight / own weight) + 1; and nobody saves up
// turns while it wants none.
#pragma once

#include <algorithm>

#include "model/config_model.h"

namespace weir::policy {

constexpr double weight_of(Priority priority) {
  switch (priority) {
    case Priority::low: return 1;
    case Priority::normal: return 4;
    case Priority::high: return 16;
  }
  return 1;
}

class FairTurns {
 public:
  struct Share {
    double next = 0;
  };

  // Of all that want a turn, the one with the least goes.
  double start(const Share& share) const { return std::max(share.next, now_); }
  // It had its turn; weight > 0.
  void served(Share& share, double weight) {
    now_ = start(share);
    share.next = now_ + 1 / weight;
  }

 private:
  double now_ = 0;
};

}  // namespace weir::policy
