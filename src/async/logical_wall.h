// SPDX-License-Identifier: Apache-2.0
// Wall time for what is persisted: it never runs backwards, and never stands still, whatever is
// done to the machine's clock.
#pragma once

#include "base/time.h"

namespace weir::async {

// Where the machine's clock was set back, it goes on at half the pace until that clock has caught
// up: what is due then comes due, if late, and the two agree again in the end.
class LogicalWall {
 public:
  WallTime at(WallTime machine, MonoTime now);

 private:
  WallTime last_{};
  MonoTime last_at_{};
};

}  // namespace weir::async
