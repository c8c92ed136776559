// SPDX-License-Identifier: Apache-2.0
// One address cannot take all the connections of a server.
#include <string>

#include <doctest/doctest.h>

#include "net/http_server.h"
#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::Loop;
using testing::RawSocket;

constexpr const char* kAsk = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

async::Task<HttpResponse> say_yes(HttpRequest) {
  HttpResponse response;
  response.body = "yes";
  co_return response;
}

async::Task<> test_share(Loop& loop, HttpServer& server) {
  RawSocket one = co_await RawSocket::connect(loop, server.port());
  RawSocket two = co_await RawSocket::connect(loop, server.port());
  co_await two.send(kAsk);
  CHECK((co_await two.read_until("yes")).starts_with("HTTP/1.1 200 "));
  RawSocket three = co_await RawSocket::connect(loop, server.port());
  CHECK((co_await three.read_to_end()).starts_with("HTTP/1.1 503 "));
  CHECK(server.counts().turned_away == 1);
  two.close();
  while (server.counts().open > 1) co_await loop.pause(1ms);
  RawSocket four = co_await RawSocket::connect(loop, server.port());
  co_await four.send(kAsk);
  CHECK((co_await four.read_until("yes")).starts_with("HTTP/1.1 200 "));
  co_await server.drain(loop.clock().mono() + 50ms);
}

TEST_CASE("connections of one address above its cap are turned away") {
  Loop loop;
  HttpServerOptions options;
  options.connections = 100;
  options.connections_per_address = 2;
  options.sweep_interval = 5ms;
  HttpServer server(loop.executor(), loop.clock(), options, say_yes);
  REQUIRE(server.listen("127.0.0.1", 0).ok());
  CHECK(loop.run(test_share(loop, server)));
}

}  // namespace
}  // namespace weir::net
