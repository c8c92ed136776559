// SPDX-License-Identifier: Apache-2.0
// The only door to time for drivers. Production reads the machine's clocks; tests and the simulator
// use VirtualClock.
#pragma once

#include <memory>

#include "async/task.h"
#include "base/time.h"

namespace weir::async {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime mono() = 0;
  // A logical clock over the wall clock: where that is set back, this one slows down instead.
  virtual WallTime wall() = 0;
  // Returns at the deadline or when cancelled through cancel_sleeps(). MonoTime::max() is allowed.
  virtual Task<> sleep_until(MonoTime deadline) = 0;
  // Wakes every sleeper, for shutdown; later sleeps return at once.
  virtual void cancel_sleeps() = 0;
};

// The machine's steady clock, for edges that measure on threads of their own. Thread safe.
MonoTime steady_now();

// Production: steady_clock and system_clock, timers on `executor`. Used on one thread.
std::unique_ptr<Clock> system_clock(Executor executor);

// Stands still until it is told to jump: its driver polls the io_context until that is idle, then
// calls advance_to_next(). Single-threaded, deterministic: equal deadlines wake in the order they
// were set. A sleeper that is left when the clock goes is unwound, on its executor.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(Executor executor);
  ~VirtualClock() override;
  MonoTime mono() override;
  WallTime wall() override;
  Task<> sleep_until(MonoTime deadline) override;
  void cancel_sleeps() override;
  // Wakes the sleepers of the earliest deadline at or before `limit` and moves time there. False if
  // there is none.
  bool advance_to_next(MonoTime limit = MonoTime::max());

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace weir::async
