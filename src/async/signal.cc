// SPDX-License-Identifier: Apache-2.0
#include "async/signal.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/assert.h"

namespace weir::async {

void Signal::notify() {
  if (!waiter_) {
    notified_ = true;
    return;
  }
  boost::asio::post(executor_, [waiter = std::move(waiter_)]() mutable { std::move(waiter)(); });
  waiter_ = nullptr;
}

Task<> Signal::wait() {
  if (notified_) {
    notified_ = false;
    co_return;
  }
  WEIR_ASSERT(!waiter_);
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      // Not by assignment: that of Boost 1.81 calls itself for ever.
      [this](auto handler) { decltype(waiter_)(std::move(handler)).swap(waiter_); },
      boost::asio::use_awaitable);
}

}  // namespace weir::async
