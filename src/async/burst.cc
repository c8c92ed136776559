// SPDX-License-Identifier: Apache-2.0
#include "async/burst.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace weir::async {

void Burst::close() {
  open_ = false;
  auto waiting = std::exchange(waiting_, {});
  for (auto& one : waiting) std::move(one)();
}

Task<> Burst::over() {
  if (!open_) co_return;
  co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
      [this](auto handler) { waiting_.emplace_back(std::move(handler)); },
      boost::asio::use_awaitable);
}

}  // namespace weir::async
