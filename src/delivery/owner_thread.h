// SPDX-License-Identifier: Apache-2.0
// The one thread that may use something: the first that asks. Others send it a message. Guardrails
// have no lock, so a second thread would break their bounds without anybody noticing.
#pragma once

#include <thread>

#include "base/assert.h"

namespace weir::delivery {

class OwnerThread {
 public:
  // Traps on any thread but the first that called it.
  void check() {
    const std::thread::id here = std::this_thread::get_id();
    if (owner_ == std::thread::id{}) owner_ = here;
    WEIR_ASSERT(owner_ == here);
  }

 private:
  std::thread::id owner_;
};

}  // namespace weir::delivery
