// SPDX-License-Identifier: Apache-2.0
// That the egress check is asked about every address that is connected to, on every new connection.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "net/http_fetch.h"
#include "net/testing/client_calls.h"

// The coroutine lambdas below capture nothing that ends before they do.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)
namespace weir::net {
namespace {

using testing::Loop;
using testing::open_pool;
using testing::post;
using testing::RawServer;
using testing::RawSocket;
using testing::to_port;

constexpr const char* kClosing = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";

RawServer::Script answer_all(const char* answer) {
  return [answer](RawSocket socket) -> async::Task<> {
    while (!(co_await socket.read_request()).empty()) (void)co_await socket.send(answer);
  };
}

// As if the name had been given another address meanwhile: what was good for the first connection
// says nothing about the second one.
async::Task<> test_rebinding(Loop& loop, RawServer& server) {
  std::vector<std::string> asked;
  HttpClientOptions options = to_port(server.port());
  options.url.host = "localhost";
  options.egress = [&](const IpAddress& to) {
    asked.push_back(to.text);
    return asked.size() == 1 ? "" : to.text + " is not for us";
  };
  auto pool = open_pool(loop, options);
  const Outcome first = co_await post(loop, *pool);
  CHECK(first.status == 204);
  const Outcome second = co_await post(loop, *pool);
  CHECK(second.fault == Fault::egressRefused);
  CHECK(second.phase == Phase::notSent);
  CHECK(second.fault_detail.ends_with("is not for us"));
  CHECK(asked.size() >= 2);
  CHECK(server.connections() == 1);
  server.stop();
  co_await pool->close();
}

TEST_CASE("every new connection asks anew, about the address that it goes to") {
  Loop loop;
  RawServer server(loop, answer_all(kClosing));
  CHECK(loop.run(test_rebinding(loop, server)));
}

async::Task<> test_refused(Loop& loop, RawServer& server, std::string host) {
  HttpClientOptions options = to_port(server.port());
  options.url.host = host;
  options.egress = [](const IpAddress& to) { return "no " + to.text; };
  auto pool = open_pool(loop, options);
  const Outcome outcome = co_await post(loop, *pool);
  CHECK(outcome.fault == Fault::egressRefused);
  CHECK(outcome.fault_detail.starts_with("no "));
  CHECK(server.connections() == 0);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a refused address is not connected to, whether it was written or looked up") {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    Loop loop;
    RawServer server(loop, answer_all(kClosing));
    CHECK(loop.run(test_refused(loop, server, host)));
  }
}

async::Task<> test_fetch(Loop& loop, RawServer& server) {
  const std::string url = "http://127.0.0.1:" + std::to_string(server.port()) + "/a";
  const auto moved = co_await fetch(loop.executor(), loop.clock(), {.url = url});
  REQUIRE(moved.ok());
  CHECK(moved->status == 302);  // handed on, not followed
  CHECK(server.connections() == 1);
  const auto refused = co_await fetch(
      loop.executor(), loop.clock(),
      {.url = url, .egress = [](const IpAddress& to) { return to.text + " is not for us"; }});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::egress_refused);
  CHECK(refused.error().detail.find("127.0.0.1 is not for us") != std::string::npos);
  CHECK(server.connections() == 1);
  server.stop();
}

TEST_CASE("fetch follows no redirect and says which address is refused") {
  Loop loop;
  RawServer server(loop, answer_all("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n"
                                    "Content-Length: 0\r\nConnection: close\r\n\r\n"));
  CHECK(loop.run(test_fetch(loop, server)));
}

}  // namespace
}  // namespace weir::net
// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)
