// SPDX-License-Identifier: Apache-2.0
// Bridges callback-style work (another thread, a queue) into a coroutine: one value, delivered exactly once.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace weir::async {

// Move-only; must be called exactly once, from any thread. The coroutine resumes on its own executor.
template <class T>
class Completion {
 public:
  using Handler = boost::asio::any_completion_handler<void(T)>;
  explicit Completion(Handler handler) : handler_(std::move(handler)) {}

  void operator()(T value) {
    auto executor = boost::asio::get_associated_executor(handler_);
    boost::asio::post(executor, [handler = std::move(handler_), value = std::move(value)]() mutable {
      std::move(handler)(std::move(value));
    });
  }

  // For callers already on the coroutine's thread: resumes it inside this call.
  void resume_here(T value) { std::move(handler_)(std::move(value)); }

 private:
  Handler handler_;
};

// co_await complete_with<int>([&](Completion<int> done) { queue.push(std::move(done)); });
template <class T, class Start>
Task<T> complete_with(Start start) {
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Start begin) { begin(Completion<T>(std::move(handler))); }, boost::asio::use_awaitable,
      std::move(start));
}

}  // namespace weir::async
