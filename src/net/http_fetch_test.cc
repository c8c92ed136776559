// SPDX-License-Identifier: Apache-2.0
#include "net/http_fetch.h"

#include <doctest/doctest.h>

#include "net/http_server.h"
#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::closed_port;
using testing::Loop;

async::Task<HttpResponse> echo(HttpRequest request) {
  HttpResponse response;
  response.status = request.path == "/missing" ? 404 : 200;
  response.headers.push_back({"x-query", request.query});
  response.body = request.method + " " + request.body;
  co_return response;
}

async::Task<> test_fetch(Loop& loop, HttpServer& server) {
  const std::string base = "http://localhost:" + std::to_string(server.port());
  const std::string body(200'000, 'x');
  const auto found = co_await fetch(loop.executor(), loop.clock(),
                                    {.method = "PUT", .url = base + "/a?q=1", .body = body});
  REQUIRE(found.ok());
  CHECK(found->status == 200);
  CHECK(found->body == "PUT " + body);
  CHECK(*found->header("x-query") == "q=1");
  const auto missing = co_await fetch(loop.executor(), loop.clock(), {.url = base + "/missing"});
  REQUIRE(missing.ok());
  CHECK(missing->status == 404);
  const auto small = co_await fetch(
      loop.executor(), loop.clock(),
      {.method = "PUT", .url = base, .body = body, .answer_bytes_max = 100'000});
  REQUIRE_FALSE(small.ok());
  CHECK(small.error().code == Code::server_unreachable);
  co_await server.drain(loop.clock().mono() + 1s);
  const auto gone = co_await fetch(
      loop.executor(), loop.clock(),
      {.url = "http://127.0.0.1:" + std::to_string(closed_port(loop))});
  REQUIRE_FALSE(gone.ok());
  CHECK(gone.error().code == Code::server_unreachable);
  CHECK(gone.error().hint.find("weir serve") != std::string::npos);
  const auto bad = co_await fetch(loop.executor(), loop.clock(), {.url = "gopher://x"});
  CHECK(bad.error().code == Code::invalid_argument);
}

TEST_CASE("fetch brings whole answers, or says why not") {
  Loop loop;
  HttpServer server(loop.executor(), loop.clock(), {}, echo);
  REQUIRE(server.listen("localhost", 0).ok());
  CHECK(loop.run(test_fetch(loop, server)));
}

}  // namespace
}  // namespace weir::net
