// SPDX-License-Identifier: Apache-2.0
// RawServer keeps each lambda until its coroutines have ended.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)
#include "net/http_client.h"

#include <doctest/doctest.h>

#include "net/testing/client_calls.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::closed_port;
using testing::DeafServer;
using testing::kNoContent;
using testing::Loop;
using testing::open_pool;
using testing::post;
using testing::RawServer;
using testing::RawSocket;
using testing::to_port;

// Answers every request of every connection with the same bytes.
RawServer::Script always(std::string answer) {
  return [answer](RawSocket socket) -> async::Task<> {
    while (true) {
      const std::string request = co_await socket.read_request();
      if (request.empty()) co_return;
      co_await socket.send(answer);
    }
  };
}

async::Task<> test_reuse(Loop& loop, RawServer& server, std::vector<std::string>& requests) {
  auto pool = open_pool(loop, to_port(server.port()));
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = co_await post(loop, *pool, "body " + std::to_string(i));
    CHECK(outcome.status == 204);
    CHECK(outcome.fault == Fault::none);
    CHECK(outcome.latency > 0us);
    CHECK(outcome.latency < 2s);
  }
  CHECK(server.connections() == 1);
  CHECK(pool->counts().connects == 1);
  REQUIRE(requests.size() == 3);
  CHECK(requests[1] == "POST /sync HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                           "\r\nX-A: b\r\nContent-Length: 6\r\n\r\nbody 1");
  server.stop();
  co_await pool->close();
}

TEST_CASE("calls share a kept connection, and the request is exactly what was asked for") {
  Loop loop;
  std::vector<std::string> requests;
  RawServer server(loop, [&](RawSocket socket) -> async::Task<> {
    while (true) {
      const std::string request = co_await socket.read_request();
      if (request.empty()) co_return;
      requests.push_back(request);
      co_await socket.send(kNoContent);
    }
  });
  CHECK(loop.run(test_reuse(loop, server, requests)));
}

struct Row {
  const char* name;
  std::string answer;  // then the server closes in order
  Fault fault;
  int status = 0;
};

async::Task<> test_row(Loop& loop, RawServer& server, const Row& row) {
  auto pool = open_pool(loop, to_port(server.port()));
  const Outcome outcome = co_await post(loop, *pool);
  CHECK(outcome.fault == row.fault);
  CHECK(outcome.status == row.status);
  if (row.fault != Fault::none) {
    CHECK(outcome.phase ==
          Phase::maybeSeen);  // the request had been sent: nobody may call that a definite failure
    CHECK_FALSE(outcome.fault_detail.empty());
  }
  CHECK(pool->counts().repeats == 0);
  CHECK(server.connections() == 1);
  server.stop();
  co_await pool->close();
}

std::string endless(std::string_view start, std::string_view part, int count) {
  std::string all{start};
  for (int i = 0; i < count; ++i) all += part;
  return all;
}

TEST_CASE("whatever a handler answers, the outcome says what is known") {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Row rows[] = {
      {"closes without an answer", "", Fault::connectionClosed},
      {"closes in the status line", "HTTP/1.1 2", Fault::connectionClosed},
      {"closes in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
       Fault::connectionClosed},
      {"closes in a chunk", chunked + "5\r\nab", Fault::connectionClosed},
      {"garbage", "\x01\x02\x03garbage\r\n\r\n", Fault::malformedAnswer},
      {"200, then garbage", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1",
       Fault::malformedAnswer},
      {"a 204 with body", "HTTP/1.1 204 No Content\r\n\r\nsurprise", Fault::malformedAnswer},
      {"a 304 with body", "HTTP/1.1 304 Not Modified\r\n\r\nsurprise", Fault::malformedAnswer},
      {"endless chunks", endless(chunked, "400\r\n" + std::string(1024, 'x') + "\r\n", 1100),
       Fault::answerTooLarge},
      {"a body flood", endless("HTTP/1.1 500 X\r\n\r\n", std::string(65536, 'x'), 20),
       Fault::answerTooLarge},
      {"a header flood",
       endless("HTTP/1.1 200 OK\r\n", "X-Flood: " + std::string(80, 'x') + "\r\n", 1000),
       Fault::answerTooLarge},
      {"an interim flood", endless("", "HTTP/1.1 102 Processing\r\n\r\n", 500),
       Fault::malformedAnswer},
      {"a redirect",
       "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
       Fault::none, 302},
      {"an interim answer first",
       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Fault::none,
       200},
      {"a body until the end", "HTTP/1.0 500 X\r\n\r\nbroken", Fault::none, 500},
      {"status 600", "HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n", Fault::malformedAnswer},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.name));
    Loop loop;
    RawServer server(loop, [&row](RawSocket socket) -> async::Task<> {
      co_await socket.read_request();
      co_await socket.send(row.answer);
      socket.half_close();
      co_await socket.read_to_end();
    });
    CHECK(loop.run(test_row(loop, server, row)));
  }
}

async::Task<> test_failure_evidence(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  const Outcome outcome = co_await post(loop, *pool);
  CHECK(outcome.status == 503);
  CHECK(outcome.body.size() == kOutcomeBodyMax);
  REQUIRE(outcome.header("retry-after") != nullptr);
  CHECK(*outcome.header("retry-after") == "7");
  CHECK(pool->counts().connects == 1);
  co_await post(loop, *pool);
  CHECK(pool->counts().connects == 1);  // a long failure does not cost the connection
  server.stop();
  co_await pool->close();
}

TEST_CASE("a failure keeps its headers and the start of its body") {
  Loop loop;
  RawServer server(loop, always("HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 9000\r\n\r\n" +
                                std::string(9000, 'x')));
  CHECK(loop.run(test_failure_evidence(loop, server)));
}

async::Task<> test_reset(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  const Outcome outcome = co_await post(loop, *pool);
  CHECK(outcome.fault == Fault::connectionClosed);
  CHECK(outcome.phase == Phase::maybeSeen);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a reset after the request is ambiguous") {
  Loop loop;
  RawServer server(loop, [](RawSocket socket) -> async::Task<> {
    co_await socket.read_request();
    socket.reset();
  });
  CHECK(loop.run(test_reset(loop, server)));
}

async::Task<> test_timeout(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  const Outcome outcome = co_await post(loop, *pool, "{}", 60ms);
  CHECK(outcome.fault == Fault::timeout);
  CHECK(outcome.phase == Phase::maybeSeen);
  CHECK(outcome.latency >= 60ms);
  CHECK(outcome.latency < 150ms);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a handler that hangs is left at the deadline") {
  Loop loop;
  RawServer server(loop, [](RawSocket socket) -> async::Task<> {
    co_await socket.read_request();
    CHECK(co_await socket.read_some() == "");  // the connection is closed, its slot is free
  });
  CHECK(loop.run(test_timeout(loop, server)));
}

TEST_CASE("an answer that drips is left at the deadline") {
  Loop loop;
  RawServer server(loop, [&loop](RawSocket socket) -> async::Task<> {
    co_await socket.read_request();
    co_await socket.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    for (int i = 0; i < 20; ++i) {
      co_await loop.pause(10ms);
      const bool taken = co_await socket.send("x");
      if (!taken) co_return;
    }
    CHECK(false);
  });
  CHECK(loop.run(test_timeout(loop, server)));
}

async::Task<> test_never_reads(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  const std::string body(32 * 1024 * 1024, 'x');
  const Outcome outcome = co_await post(loop, *pool, body, 80ms);
  CHECK(outcome.fault == Fault::timeout);
  CHECK(outcome.phase == Phase::maybeSeen);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a handler that never reads is left at the deadline") {
  Loop loop;
  RawServer server(loop, [&loop](RawSocket socket) -> async::Task<> {
    co_await loop.pause(150ms);
    socket.close();
  });
  CHECK(loop.run(test_never_reads(loop, server)));
}

async::Task<> test_early_answer(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  const std::string body(8 * 1024 * 1024, 'x');
  const Outcome outcome = co_await post(loop, *pool, body);
  CHECK(outcome.status == 413);
  const Outcome large = co_await post(loop, *pool, std::string(900'000, 'y'));
  CHECK(large.status == 204);
  server.stop();
  co_await pool->close();
}

TEST_CASE("an answer that comes before the whole request is taken") {
  Loop loop;
  int connection = 0;
  RawServer server(loop, [&](RawSocket socket) -> async::Task<> {
    if (++connection == 1) {
      co_await socket.read_some();
      co_await socket.send("HTTP/1.1 413 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      co_await loop.pause(10ms);
      socket.close();
      co_return;
    }
    const std::string request = co_await socket.read_request();
    CHECK(request.ends_with(std::string(900'000, 'y')));
    co_await socket.send(kNoContent);
  });
  CHECK(loop.run(test_early_answer(loop, server)));
}

async::Task<> test_stale(Loop& loop, RawServer& server) {
  auto pool = open_pool(loop, to_port(server.port()));
  for (int i = 0; i < 3; ++i) {
    CHECK((co_await post(loop, *pool)).status == 204);
    co_await loop.pause(10ms);  // time for the peer's FIN
  }
  CHECK(server.connections() == 3);
  CHECK(pool->counts().repeats == 0);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a kept connection that the peer closed is noticed before it is used") {
  Loop loop;
  RawServer server(loop, [](RawSocket socket) -> async::Task<> {
    co_await socket.read_request();
    co_await socket.send(kNoContent);
    socket.close();
  });
  CHECK(loop.run(test_stale(loop, server)));
}

TEST_CASE("a kept connection with bytes that nobody asked for is not used") {
  Loop loop;
  RawServer server(loop, [&loop](RawSocket socket) -> async::Task<> {
    co_await socket.read_request();
    co_await socket.send(kNoContent);
    co_await loop.pause(5ms);
    co_await socket.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    co_await socket.read_to_end();
  });
  CHECK(loop.run(test_stale(loop, server)));
}

TEST_CASE("a peer that keeps connections for a second gets a new one each time") {
  Loop loop;
  RawServer server(loop, always("HTTP/1.1 204 X\r\nKeep-Alive: timeout=1\r\n\r\n"));
  CHECK(loop.run(test_stale(loop, server)));
}

async::Task<> test_not_sent(Loop& loop, HttpClientOptions options, Fault fault,
                            std::string detail) {
  auto pool = open_pool(loop, std::move(options));
  const Outcome outcome = co_await post(loop, *pool);
  CHECK(outcome.fault == fault);
  CHECK(outcome.phase == Phase::notSent);
  CHECK(outcome.fault_detail.find(detail) != std::string::npos);
  CHECK(outcome.latency < 1s);
  co_await pool->close();
}

TEST_CASE("without a connection the outcome says that nothing was sent") {
  Loop loop;
  const std::uint16_t port = closed_port(loop);
  CHECK(loop.run(
      test_not_sent(loop, to_port(port), Fault::refused, "127.0.0.1:" + std::to_string(port))));
  HttpClientOptions broadcast = to_port(9);
  broadcast.url.host = "255.255.255.255";
  CHECK(loop.run(test_not_sent(loop, broadcast, Fault::unreachable, "255.255.255.255:9")));
  DeafServer deaf(loop);
  HttpClientOptions hurried = to_port(deaf.port());
  hurried.connect_timeout = 60ms;
  CHECK(loop.run(test_not_sent(loop, hurried, Fault::connectTimeout, "no connection in time")));
}

async::Task<> test_names(Loop& loop, RawServer& server) {
  HttpClientOptions named = to_port(server.port());
  named.url.host = "localhost";
  auto pool = open_pool(loop, named);
  CHECK((co_await post(loop, *pool)).status == 204);
  HttpClientOptions unknown = to_port(server.port());
  unknown.url.host = "no-such-host.invalid";
  auto lost = open_pool(loop, unknown);
  const Outcome outcome = co_await post(loop, *lost);
  const bool dns = outcome.fault == Fault::dnsNotFound || outcome.fault == Fault::dnsTemporary;
  CHECK(dns);  // which one depends on the machine's resolver
  CHECK(outcome.phase == Phase::notSent);
  server.stop();
  co_await pool->close();
  co_await lost->close();
}

TEST_CASE("host names are looked up") {
  Loop loop;
  RawServer server(loop, always(kNoContent));
  CHECK(loop.run(test_names(loop, server)));
}

}  // namespace
}  // namespace weir::net
// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)
