// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include <optional>
#include <sys/resource.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "async/signal.h"
#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::Loop;
using testing::RawSocket;

// A server whose handle echoes, and can be held.
struct Bench {
  explicit Bench(HttpServerOptions options = {})
      : gate(loop.executor()),
        server(loop.executor(), loop.clock(), options,
               [this](HttpRequest request) { return answer(std::move(request)); }) {
    REQUIRE(server.listen("127.0.0.1", 0).ok());
  }

  async::Task<HttpResponse> answer(HttpRequest request) {
    seen.push_back(request);
    if (request.path == "/held") co_await gate.wait();
    HttpResponse response;
    if (request.path == "/none") {
      response.status = 204;
    } else if (request.path == "/big") {
      response.body = std::string(16 * 1024 * 1024, 'b');
    } else {
      response.headers.push_back({"x-path", request.path});
      response.body = request.method + " " + request.path + " " + request.body;
    }
    co_return response;
  }

  async::Task<RawSocket> connect() { return RawSocket::connect(loop, server.port()); }
  async::Task<> end() { return server.drain(loop.clock().mono() + 50ms); }

  Loop loop;
  async::Signal gate;
  std::vector<HttpRequest> seen;
  HttpServer server;
};

constexpr const char* kGet = "GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n";

int status_of(const std::string& answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
}

async::Task<> test_keep_alive(Bench& bench) {
  RawSocket client = co_await bench.connect();
  for (int i = 0; i < 3; ++i) {
    co_await client.send("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
    const std::string answer = co_await client.read_until("POST /a abc");
    CHECK(answer == "HTTP/1.1 200 OK\r\nx-path: /a\r\ncontent-length: 11\r\n\r\nPOST /a abc");
  }
  CHECK(bench.seen.size() == 3);
  CHECK(bench.seen[0].query == "b");
  CHECK(bench.seen[0].peer.starts_with("127.0.0.1:"));
  CHECK(bench.server.counts().open == 1);
  co_await bench.end();
  CHECK(co_await client.read_to_end() == "");
  CHECK(bench.server.counts().open == 0);
}

TEST_CASE("a connection serves one request after another") {
  Bench bench;
  CHECK(bench.loop.run(test_keep_alive(bench)));
}

async::Task<> test_shapes(Bench& bench) {
  RawSocket piped = co_await bench.connect();
  co_await piped.send(
      "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 "
      "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answers = co_await piped.read_to_end();
  CHECK(answers.find("GET /1 ") < answers.find("GET /2 "));
  CHECK(answers.find("GET /2 ") < answers.find("GET /3 "));
  CHECK(answers.find("connection: close") > answers.find("GET /2 "));
  CHECK(answers.ends_with("GET /3 "));

  RawSocket head = co_await bench.connect();
  co_await head.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string first = co_await head.read_until("\r\n\r\n");
  CHECK(first.find("content-length: 8\r\n") != std::string::npos);
  co_await head.send("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string none = co_await head.read_until(
      "\r\n\r\n");  // nothing of the HEAD answer's body comes before it
  CHECK(none == "HTTP/1.1 204 No Content\r\n\r\n");

  RawSocket old = co_await bench.connect();
  co_await old.send("GET /old HTTP/1.0\r\n\r\n");
  CHECK((co_await old.read_to_end()).ends_with("GET /old "));

  RawSocket drip = co_await bench.connect();
  for (const char c : std::string("POST /d HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")) {
    co_await drip.send(std::string(1, c));
  }
  CHECK((co_await drip.read_until("/d ab")).find("POST /d ab") != std::string::npos);
  co_await bench.end();
}

TEST_CASE("pipelining, HEAD, 204, HTTP/1.0 and single bytes") {
  Bench bench;
  CHECK(bench.loop.run(test_shapes(bench)));
}

async::Task<> test_big_body(Bench& bench) {
  const std::string body(3'000'000, 'x');
  RawSocket client = co_await bench.connect();
  co_await client.send(
      "POST /p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3000000\r\n\r\n" + body);
  const std::string answer = co_await client.read_to_end();
  CHECK(answer.ends_with("POST /p " + body));
  RawSocket reader = co_await bench.connect();
  co_await reader.send("GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string big = co_await reader.read_to_end();
  CHECK(big.size() > 16u * 1024 * 1024);
  CHECK(big.ends_with("bbb"));
  co_await bench.end();
}

TEST_CASE("bodies larger than any buffer") {
  Bench bench;
  CHECK(bench.loop.run(test_big_body(bench)));
}

async::Task<> test_continue(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send(
      "POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(co_await client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  co_await client.send("ab");
  CHECK((co_await client.read_until("/c ab")).starts_with("HTTP/1.1 200 OK"));
  // Too large: no invitation, but the refusal at once.
  co_await client.send(
      "POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  const std::string refusal = co_await client.read_until("}");
  CHECK(refusal.starts_with("HTTP/1.1 413 "));
  CHECK(refusal.find("application/problem+json") != std::string::npos);
  CHECK(refusal.find("\"code\":\"WR1104\"") != std::string::npos);
  client.close();
  co_await bench.end();
}

TEST_CASE("100-continue invites a body, unless it is refused anyway") {
  Bench bench;
  CHECK(bench.loop.run(test_continue(bench)));
}

async::Task<> test_refusals(Bench& bench) {
  struct Row {
    std::string request;
    int status;
  };
  const Row rows[] = {
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nGET /smuggled "
       "HTTP/1.1\r\nHost: x\r\n\r\n",
       400},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\nGET /smuggled "
       "HTTP/1.1\r\nHost: x\r\n\r\n",
       501},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\nGET "
       "/smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
       400},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(17 * 1024, 'x') + "\r\n\r\n", 431},
      {"GET /" + std::string(8192, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388609\r\n\r\nabc", 413},
      {std::string(100'000, 'z'), 431},
  };
  for (const Row& row : rows) {
    INFO(row.request.substr(0, 100));
    RawSocket client = co_await bench.connect();
    co_await client.send(row.request);
    const std::string answer = co_await client.read_to_end();
    CHECK(status_of(answer) == row.status);
    CHECK(answer.find("connection: close\r\n") != std::string::npos);
    CHECK(answer.find("\"code\":\"WR11") != std::string::npos);
    CHECK(answer.find("HTTP/1.1", 9) == std::string::npos);  // exactly one answer
    client.close();
  }
  CHECK(bench.seen.empty());
  CHECK(bench.server.counts().refused == std::size(rows));
  co_await bench.end();
}

TEST_CASE("a malformed request gets one problem and the end of the connection") {
  Bench bench;
  CHECK(bench.loop.run(test_refusals(bench)));
}

HttpServerOptions hurried() {
  HttpServerOptions options;
  options.header_timeout = 80ms;
  options.body_grace = 80ms;
  options.idle_timeout = 80ms;
  options.write_grace = 80ms;
  options.linger = 50ms;
  options.body_rate_min = 1'000'000'000;
  options.sweep_interval = 10ms;
  return options;
}

async::Task<> test_slow_header(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 3; ++i) {
    co_await bench.loop.pause(20ms);
    co_await client.send("X: y\r\n");  // each byte that comes does not buy more time
  }
  CHECK(status_of(co_await client.read_to_end()) == 408);
  RawSocket mute = co_await bench.connect();
  CHECK(co_await mute.read_to_end() == "");
  CHECK(bench.seen.empty());
  co_await bench.end();
}

TEST_CASE("a header that drips is cut off") {
  Bench bench(hurried());
  CHECK(bench.loop.run(test_slow_header(bench)));
}

async::Task<> test_slow_body(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
  for (int i = 0; i < 3; ++i) {
    co_await bench.loop.pause(20ms);
    co_await client.send("x");
  }
  const std::string answer = co_await client.read_to_end();
  CHECK(status_of(answer) == 408);
  CHECK(answer.find("\"retryable\":true") != std::string::npos);
  co_await bench.end();
}

TEST_CASE("a body below the minimum rate is cut off") {
  Bench bench(hurried());
  CHECK(bench.loop.run(test_slow_body(bench)));
}

async::Task<> test_rate(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send("POST /r HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n");
  for (int i = 0; i < 4; ++i) {
    co_await bench.loop.pause(40ms);  // 160 ms in all, but 2,500 bytes/s
    co_await client.send(std::string(100, 'x'));
  }
  CHECK(status_of(co_await client.read_until("x")) == 200);
  client.close();
  co_await bench.end();
}

TEST_CASE("a slow body at an honest rate is waited for") {
  HttpServerOptions options = hurried();
  options.body_rate_min = 1000;
  Bench bench(options);
  CHECK(bench.loop.run(test_rate(bench)));
}

async::Task<> test_idle(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send(kGet);
  co_await client.read_until("GET /a ");
  CHECK(co_await client.read_to_end() == "");  // closed without a word
  RawSocket lazy = co_await bench.connect();
  co_await lazy.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");  // and never read
  co_await bench.loop.pause(180ms);
  CHECK(bench.server.counts().open == 0);
  co_await bench.end();
}

TEST_CASE("idle connections and clients that do not read are dropped") {
  Bench bench(hurried());
  CHECK(bench.loop.run(test_idle(bench)));
}

async::Task<> test_cap(Bench& bench) {
  RawSocket one = co_await bench.connect();
  RawSocket two = co_await bench.connect();
  co_await one.send(kGet);
  co_await one.read_until("GET /a ");
  RawSocket three = co_await bench.connect();
  const std::string away = co_await three.read_to_end();
  CHECK(status_of(away) == 503);
  CHECK(away.find("WR1603") != std::string::npos);
  CHECK(away.find("retry-after: 1\r\n") != std::string::npos);
  CHECK(bench.server.counts().turned_away == 1);
  CHECK(bench.server.counts().open == 2);
  two.close();
  co_await bench.loop.pause(20ms);
  RawSocket four = co_await bench.connect();
  co_await four.send(kGet);
  CHECK(status_of(co_await four.read_until("GET /a ")) == 200);
  co_await bench.end();
}

TEST_CASE("connections above the cap are turned away") {
  HttpServerOptions options = hurried();
  options.connections = 2;
  options.idle_timeout = 5s;
  options.header_timeout = 5s;
  Bench bench(options);
  CHECK(bench.loop.run(test_cap(bench)));
}

async::Task<> test_update(Bench& bench) {
  RawSocket old = co_await bench.connect();
  co_await old.send(kGet);
  co_await old.read_until("GET /a ");
  HttpServerOptions options = hurried();
  options.connections = 2;
  options.idle_timeout = 5s;
  options.header_timeout = 5s;
  options.request.body_bytes = 10;
  bench.server.update(options);
  const std::string eleven = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n01234567890";
  co_await old.send(eleven);  // goes on as it began
  co_await old.read_until("POST /a 01234567890");
  RawSocket fresh = co_await bench.connect();
  co_await fresh.send(eleven);
  CHECK(status_of(co_await fresh.read_until("\r\n\r\n")) == 413);
  RawSocket third = co_await bench.connect();
  const std::string away = co_await third.read_to_end();
  CHECK(status_of(away) == 503);
  CHECK(away.find("more than 2 connections") != std::string::npos);
  co_await bench.end();
}

TEST_CASE("new limits count from the next connection on") {
  HttpServerOptions options = hurried();
  options.idle_timeout = 5s;
  options.header_timeout = 5s;
  options.linger = 5s;
  Bench bench(options);
  CHECK(bench.loop.run(test_update(bench)));
}

async::Task<> test_bodies(Bench& bench) {
  const std::string head = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n";
  RawSocket one = co_await bench.connect();
  co_await one.send(head + std::string(40'000, 'a'));
  while (bench.server.counts().bodies_bytes < 40'000) co_await bench.loop.pause(1ms);
  RawSocket two = co_await bench.connect();
  co_await two.send(head + std::string(40'000, 'b'));
  const std::string refused = co_await two.read_to_end();
  CHECK(status_of(refused) == 503);
  CHECK(refused.find("WR1006") != std::string::npos);
  CHECK(refused.find("retry-after: 1\r\n") != std::string::npos);
  co_await one.send(std::string(20'000, 'a'));
  CHECK(status_of(co_await one.read_until("aaa")) == 200);
  while (bench.server.counts().bodies_bytes > 0) co_await bench.loop.pause(1ms);
  RawSocket three = co_await bench.connect();
  co_await three.send(head + std::string(60'000, 'c'));
  CHECK(status_of(co_await three.read_until("ccc")) == 200);
  co_await bench.end();
}

TEST_CASE("what arrives at once is bounded over all connections") {
  HttpServerOptions options;
  options.bodies_bytes = 70'000;
  Bench bench(options);
  CHECK(bench.loop.run(test_bodies(bench)));
}

async::Task<> call_held(Bench& bench, std::string& answer) {
  RawSocket client = co_await bench.connect();
  co_await client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  answer = co_await client.read_to_end();
}

async::Task<> open_gate_later(Bench& bench) {
  co_await bench.loop.pause(20ms);
  CHECK(bench.server.counts().running == 1);
  bench.gate.notify();
}

async::Task<> test_drain(Bench& bench) {
  const std::uint16_t port = bench.server.port();
  std::string answer;
  RawSocket idle = co_await bench.connect();
  co_await idle.send(kGet);
  co_await idle.read_until("GET /a ");
  bench.loop.spawn(call_held(bench, answer));
  while (bench.server.counts().running == 0) co_await bench.loop.pause(1ms);
  bench.loop.spawn(open_gate_later(bench));
  co_await bench.server.drain(bench.loop.clock().mono() + 5s);
  CHECK(bench.server.counts().open == 0);
  CHECK(co_await idle.read_to_end() == "");
  co_await bench.loop.pause(5ms);
  CHECK(status_of(answer) == 200);
  CHECK(answer.find("connection: close\r\n") != std::string::npos);
  RawSocket late = co_await RawSocket::connect(bench.loop, port);
  CHECK_FALSE(co_await late.send(kGet));
}

TEST_CASE("draining finishes what runs and takes nothing new") {
  Bench bench;
  CHECK(bench.loop.run(test_drain(bench)));
}

async::Task<> test_drain_deadline(Bench& bench) {
  RawSocket slow = co_await bench.connect();
  co_await slow.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  co_await bench.loop.pause(5ms);
  const MonoTime start = bench.loop.clock().mono();
  co_await bench.server.drain(start + 30ms);
  CHECK(bench.loop.clock().mono() - start >= 30ms);
  CHECK(bench.server.counts().open == 0);
  CHECK(bench.seen.empty());
}

TEST_CASE("draining ends at its deadline") {
  HttpServerOptions options;
  options.sweep_interval = 5ms;
  Bench bench(options);
  CHECK(bench.loop.run(test_drain_deadline(bench)));
}

async::Task<> test_client_gone(Bench& bench) {
  RawSocket client = co_await bench.connect();
  co_await client.send("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
  while (bench.server.counts().running == 0) co_await bench.loop.pause(1ms);
  client.reset();
  bench.gate.notify();
  while (bench.server.counts().open != 0) co_await bench.loop.pause(1ms);
  RawSocket half = co_await bench.connect();
  co_await half.send(kGet);
  half.half_close();
  CHECK(status_of(co_await half.read_to_end()) == 200);
  co_await bench.end();
}

TEST_CASE("a client that goes away takes nothing with it") {
  Bench bench;
  CHECK(bench.loop.run(test_client_gone(bench)));
}

async::Task<> test_descriptors(Bench& bench) {
  std::vector<RawSocket> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(co_await bench.connect());
  co_await clients[0].send(kGet);
  co_await clients[0].read_until("GET /a ");
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const int lowest_free = ::dup(0);
  ::close(lowest_free);
  rlimit one_left = before;
  one_left.rlim_cur = static_cast<rlim_t>(lowest_free) +
                      1;  // for the client's end; none for the server's
  REQUIRE(setrlimit(RLIMIT_NOFILE, &one_left) == 0);
  clients.push_back(co_await bench.connect());
  co_await bench.loop.pause(100ms);
  const std::uint64_t failures = bench.server.counts().accept_failures;
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(failures >= 1);
  CHECK(failures <= 2);            // asked seldom, not in a loop
  co_await clients[0].send(kGet);  // those who are in are served
  CHECK(status_of(co_await clients[0].read_until("GET /a ")) == 200);
  co_await clients[3].send(kGet);
  CHECK(status_of(co_await clients[3].read_until("GET /a ")) == 200);
  co_await bench.end();
}

TEST_CASE("without descriptors the server waits instead of spinning") {
  Bench bench;
  CHECK(bench.loop.run(test_descriptors(bench)));
}

async::Task<> drain_both(Bench& bench) { co_await bench.end(); }

TEST_CASE("an address in use is an error that says so") {
  Bench bench;
  HttpServer second(bench.loop.executor(), bench.loop.clock(), {}, nullptr);
  const auto taken = second.listen("127.0.0.1", bench.server.port());
  REQUIRE_FALSE(taken.ok());
  CHECK(taken.error().code == Code::address_in_use);
  CHECK(taken.error().detail.find(std::to_string(bench.server.port())) != std::string::npos);
  CHECK_FALSE(taken.error().hint.empty());
  CHECK(second.listen("nowhere", 0).error().code == Code::invalid_argument);
  CHECK(second.listen("203.0.113.1", 0).error().code == Code::invalid_argument);
  CHECK(bench.loop.run(drain_both(bench)));
}

}  // namespace
}  // namespace weir::net
