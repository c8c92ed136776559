// SPDX-License-Identifier: Apache-2.0
// Answers of the server that come piece by piece.
#include <doctest/doctest.h>

#include "async/signal.h"
#include "net/http_server.h"
#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::Loop;
using testing::RawSocket;

// Counts to three; or without end, a number each time it is told to go on.
struct Bench {
  Bench()
      : gate(loop.executor()),
        server(loop.executor(), loop.clock(), {},
               [this](HttpRequest request) { return answer(std::move(request)); }) {
    REQUIRE(server.listen("127.0.0.1", 0).ok());
  }

  async::Task<HttpResponse> answer(HttpRequest request) {
    HttpResponse response{.headers = {{"content-type", "text/plain"}}};
    const bool ends = request.path == "/three";
    response.next_piece = [this, ends, count = 0]() mutable { return next(++count, ends); };
    co_return response;
  }

  async::Task<std::string> next(int count, bool ends) {
    ++asked;
    if (ends) co_return count <= 3 ? std::to_string(count) + "\n" : std::string{};
    co_await gate.wait();
    co_return std::to_string(count) + "\n";
  }

  Loop loop;
  async::Signal gate;
  int asked = 0;
  HttpServer server;
};

async::Task<> test_pieces(Bench& bench) {
  RawSocket client = co_await RawSocket::connect(bench.loop, bench.server.port());
  for (int i = 0; i < 2; ++i) {  // the connection lives on
    co_await client.send("GET /three HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(co_await client.read_until("\r\n0\r\n\r\n") ==
          "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n"
          "2\r\n1\n\r\n2\r\n2\n\r\n2\r\n3\n\r\n0\r\n\r\n");
  }
  co_await client.send("HEAD /three HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK((co_await client.read_until("\r\n\r\n")).ends_with("chunked\r\n\r\n"));
  RawSocket old = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await old.send("GET /three HTTP/1.0\r\n\r\n");
  CHECK(co_await old.read_to_end() ==
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n1\n2\n3\n");
  co_await bench.server.drain(bench.loop.clock().mono() + 50ms);
}

TEST_CASE("an answer in pieces is chunked, and ends with the connection for HTTP/1.0") {
  Bench bench;
  CHECK(bench.loop.run(test_pieces(bench)));
}

async::Task<> test_client_gone(Bench& bench) {
  RawSocket client = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)co_await client.read_until("\r\n\r\n");
  bench.gate.notify();
  CHECK(co_await client.read_until("1\n\r\n") == "2\r\n1\n\r\n");
  CHECK(bench.server.counts().open == 1);
  client.close();
  while (bench.server.counts().open > 0) {  // a write or two may still go into the void
    bench.gate.notify();
    co_await bench.loop.pause(1ms);
  }
  const int asked = bench.asked;
  bench.gate.notify();
  co_await bench.server.drain(bench.loop.clock().mono() + 50ms);
  CHECK(bench.asked == asked);
}

TEST_CASE("a client that goes away ends its answer") {
  Bench bench;
  CHECK(bench.loop.run(test_client_gone(bench)));
}

async::Task<> open_gate_later(Bench& bench) {
  co_await bench.loop.pause(5ms);
  bench.gate.notify();
}

async::Task<> test_drain(Bench& bench) {
  RawSocket client = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  (void)co_await client.read_until("\r\n\r\n");
  bench.loop.spawn(open_gate_later(bench));
  co_await bench.server.drain(bench.loop.clock().mono() + 5s);
  CHECK(co_await client.read_to_end() == "2\r\n1\n\r\n0\r\n\r\n");
  CHECK(bench.asked == 1);
}

TEST_CASE("draining ends an answer without end after the piece under way") {
  Bench bench;
  CHECK(bench.loop.run(test_drain(bench)));
}

}  // namespace
}  // namespace weir::net
