// SPDX-License-Identifier: Apache-2.0
// Calls through a client pool, for tests against a RawServer.
#pragma once

#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/testing/raw_peer.h"

namespace weir::net::testing {

inline HttpClientOptions to_port(std::uint16_t port) {
  HttpClientOptions options;
  options.url = Url{.https = false, .host = "127.0.0.1", .port = port, .path = "", .query = ""};
  return options;
}

inline std::unique_ptr<HttpClientPool> open_pool(Loop& loop, HttpClientOptions options) {
  auto pool = HttpClientPool::open(loop.executor(), loop.clock(), std::move(options));
  REQUIRE(pool.ok());
  return std::move(*pool);
}

inline async::Task<Outcome> post(Loop& loop, HttpClientPool& pool, std::string body = "{}",
                                 Duration time = std::chrono::seconds{5}) {
  HttpCall call;
  call.target = "/sync";
  call.headers = "X-A: b\r\n";
  call.body = body;
  call.deadline = loop.clock().mono() + time;
  co_return co_await pool.call(call);
}

inline constexpr const char* kNoContent = "HTTP/1.1 204 No Content\r\n\r\n";

}  // namespace weir::net::testing
