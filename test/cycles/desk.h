// SPDX-License-Identifier: Apache-2.0
// An I/O thread for one store at a time: runs each of its tasks to the end.
#pragma once

#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "async/task.h"

namespace weir::cycles {

class Desk {
 public:
  async::Executor executor() { return loop_.get_executor(); }

  template <class T>
  T run(async::Task<T> task) {
    std::optional<T> answer;
    boost::asio::co_spawn(loop_, keep(std::move(task), answer), boost::asio::detached);
    const auto guard = boost::asio::make_work_guard(loop_);
    loop_.restart();
    while (!answer) loop_.run_one();
    return *std::move(answer);
  }

 private:
  template <class T>
  static async::Task<> keep(async::Task<T> task, std::optional<T>& answer) {
    answer.emplace(co_await std::move(task));
  }

  boost::asio::io_context loop_{1};
};

}  // namespace weir::cycles
