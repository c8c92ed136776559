// SPDX-License-Identifier: Apache-2.0
#include "async/turn.h"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace weir::async {

Task<> turn() { co_await boost::asio::post(boost::asio::use_awaitable); }

}  // namespace weir::async
