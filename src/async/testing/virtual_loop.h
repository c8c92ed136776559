// SPDX-License-Identifier: Apache-2.0
// An io_context and a VirtualClock for tests: coroutines run until nothing can go on, then time
// jumps to the next deadline. No test waits for the machine's clock.
#pragma once

#include <memory>

#include "async/clock.h"
#include "async/task.h"

namespace weir::async::testing {

class VirtualLoop {
 public:
  VirtualLoop();
  ~VirtualLoop();
  VirtualLoop(const VirtualLoop&) = delete;
  VirtualLoop& operator=(const VirtualLoop&) = delete;

  Executor executor();
  VirtualClock& clock();
  // Starts a coroutine, which runs up to its first suspension when the loop does.
  void start(Task<> task);
  // Runs what can run without time passing.
  void poll();
  // poll(), jumping from deadline to deadline until there is none at or before `limit`. False if
  // that takes more than a million jumps.
  bool run(MonoTime limit = MonoTime::max());

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::async::testing
