// SPDX-License-Identifier: Apache-2.0
#include "async/logical_wall.h"

#include <algorithm>

#include "base/seeded_bug.h"

namespace weir::async {

WallTime LogicalWall::at(WallTime machine, MonoTime now) {
  if (machine >= last_ || WEIR_SEEDED_BUG("clock.jump_back_accepted")) {
    last_ = machine;
    last_at_ = now;
    return last_;
  }
  // What is left of an odd microsecond counts the next time.
  const Duration step = std::max(now - last_at_, Duration{}) / 2;
  last_ += step;
  last_at_ += 2 * step;
  return last_;
}

}  // namespace weir::async
