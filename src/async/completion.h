// SPDX-License-Identifier: Apache-2.0
// Bridges callback-style work (another thread, a queue) into a coroutine: one value, delivered
// exactly once.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "async/task.h"

namespace weir::async {

// Move-only; must be called exactly once, from any thread. The coroutine resumes on its own
// executor.
template <class T>
class Completion {
 public:
  using Handler = boost::asio::any_completion_handler<void(T)>;
  Completion(Executor executor, Handler handler)
      : executor_(std::move(executor)), handler_(std::move(handler)) {}
  Completion(Completion&&) = default;
  // Not the default: move assignment of any_completion_handler in Boost 1.81 calls itself for ever.
  Completion& operator=(Completion&& other) noexcept {
    executor_ = std::move(other.executor_);
    Handler(std::move(other.handler_)).swap(handler_);
    return *this;
  }

  void operator()(T value) {
    boost::asio::post(executor_,
                      [handler = std::move(handler_), value = std::move(value)]() mutable {
                        std::move(handler)(std::move(value));
                      });
  }

  // For callers already on the coroutine's thread and outside of it: resumes it inside this call.
  void resume_here(T value) { std::move(handler_)(std::move(value)); }

  const Executor& executor() const { return executor_; }

 private:
  Executor executor_;
  Handler handler_;
};

// co_await complete_with<int>([&](Completion<int> done) { queue.push(std::move(done)); });
template <class T, class Start>
Task<T> complete_with(Start start) {
  Executor executor = co_await boost::asio::this_coro::executor;
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(T)>(
      [](auto handler, Executor resume_on, Start begin) {
        begin(Completion<T>(std::move(resume_on), std::move(handler)));
      },
      boost::asio::use_awaitable, std::move(executor), std::move(start));
}

}  // namespace weir::async
