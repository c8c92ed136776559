// SPDX-License-Identifier: Apache-2.0
#include "async/task_group.h"

#include <boost/asio/co_spawn.hpp>

#include "base/assert.h"

namespace weir::async {

TaskGroup::~TaskGroup() { WEIR_ASSERT(running_ == 0); }

void TaskGroup::spawn(Task<> child) {
  ++running_;
  boost::asio::co_spawn(executor_, std::move(child),
                        [this](std::exception_ptr failure) { finished(failure); });
}

void TaskGroup::finished(std::exception_ptr failure) {
  if (failure) std::rethrow_exception(failure);
  WEIR_ASSERT(running_ > 0);
  if (--running_ == 0) idle_.notify();
}

Task<> TaskGroup::join() {
  while (running_ > 0) {
    co_await idle_.wait();
  }
}

}  // namespace weir::async
