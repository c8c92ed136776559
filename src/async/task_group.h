// SPDX-License-Identifier: Apache-2.0
// Children of a driver. They are spawned here and joined here: nothing outlives its owner.
#pragma once

#include <cstddef>
#include <exception>

#include "async/signal.h"
#include "async/task.h"

namespace weir::async {

// Used on one thread. An exception that leaves a child is a bug: it ends the process.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor) : executor_(executor), idle_(executor) {}
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(Task<> child);
  std::size_t size() const { return running_; }
  // Returns when every child has ended, those spawned meanwhile included.
  Task<> join();

 private:
  void finished(std::exception_ptr failure);
  Executor executor_;
  Signal idle_;
  std::size_t running_ = 0;
};

}  // namespace weir::async
