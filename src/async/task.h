// SPDX-License-Identifier: Apache-2.0
// The coroutine type of every driver. Coroutines live at the edges and in thin drivers only, and
// stay straight-line: co_await at statement level, never inside ?:, call arguments or catch. A
// spawned coroutine is a named function that takes its parameters by value; one that is awaited
// directly may take references.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "base/result.h"

namespace weir::async {

template <class T = void>
using Task = boost::asio::awaitable<T>;

using Executor = boost::asio::any_io_executor;

}  // namespace weir::async
