// SPDX-License-Identifier: Apache-2.0
// A wake-up for one waiting coroutine of the same thread: notify() before wait() is remembered
// (once).
#pragma once

#include <boost/asio/any_completion_handler.hpp>

#include "async/task.h"

namespace weir::async {

class Signal {
 public:
  explicit Signal(Executor executor) : executor_(std::move(executor)) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  void notify();
  // Returns after the next notify(). At most one coroutine waits at a time.
  Task<> wait();

 private:
  Executor executor_;
  bool notified_ = false;
  boost::asio::any_completion_handler<void()> waiter_;
};

}  // namespace weir::async
