// SPDX-License-Identifier: Apache-2.0
// RawServer keeps each lambda until its coroutines have ended.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)
#include "handlers/http/http_handler.h"

#include <doctest/doctest.h>

#include "net/testing/raw_peer.h"

namespace weir::handlers::http {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using net::testing::Loop;
using net::testing::RawServer;
using net::testing::RawSocket;

struct Bench {
  explicit Bench(std::string answer)
      : server(loop, [this, answer](RawSocket socket) -> async::Task<> {
          while (true) {
            request = co_await socket.read_request();
            if (request.empty()) co_return;
            last = request;
            co_await socket.send(answer);
          }
        }) {
    net::HttpClientOptions options;
    options.url.host = "127.0.0.1";
    options.url.port = server.port();
    auto opened = net::HttpClientPool::open(loop.executor(), loop.clock(), options);
    REQUIRE(opened.ok());
    pool = std::move(*opened);
  }

  std::unique_ptr<ports::Handler> handler() {
    return make_http_handler({.pool = pool,
                              .target = "/api/sync?x=1",
                              .headers = {{"Authorization", "Bearer t"}},
                              .user_agent = "weir/0.1.0"});
  }

  Loop loop;
  std::string request;
  std::string last;
  RawServer server;
  std::shared_ptr<net::HttpClientPool> pool;
};

ports::Invocation invocation_of(Bench& bench, const Event& event) {
  return {.event = event,
          .flow = "sync-issues",
          .idempotency_key = "0123456789abcdef0123456789abcdef",
          .traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
          .tracestate = "a=b",
          .attempt = 3,
          .replay = "",
          .timeout = 1500ms,
          .deadline = bench.loop.clock().mono() + 5s};
}

async::Task<> invoke(Bench& bench, const ports::Invocation& invocation, Outcome& outcome) {
  const auto handler = bench.handler();
  outcome = co_await handler->invoke(invocation);
  bench.server.stop();
  co_await bench.pool->close();
}

bool has_line(const std::string& request, const std::string& line) {
  const std::size_t end = request.find("\r\n\r\n");
  return request.substr(0, end + 2).find("\r\n" + line + "\r\n") != std::string::npos;
}

std::size_t count_of(const std::string& request, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = request.find(part); at != std::string::npos;
       at = request.find(part, at + 1))
    ++count;
  return count;
}

TEST_CASE("the request is the documented contract, and the data bytes are untouched") {
  Bench bench("HTTP/1.1 204 No Content\r\n\r\n");
  const std::string data = "{ \"a\" : 1.10,\r\n\0\xff}"s;
  Event event;
  event.id = "7f3c";
  event.source = "/github/octo hello";
  event.type = "com.github.issues.opened";
  event.subject = "octo/hello#17";
  event.datacontenttype = "application/json; charset=utf-8";
  event.extensions = {{"baggage", "user=7", AttributeType::string},
                      {"partitionkey", "k\"1", AttributeType::string}};
  event.data = data;
  event.has_data = true;
  Outcome outcome;
  CHECK(bench.loop.run(invoke(bench, invocation_of(bench, event), outcome)));
  CHECK(outcome.status == 204);
  const std::string& request = bench.last;
  CHECK(request.starts_with("POST /api/sync?x=1 HTTP/1.1\r\n"));
  for (const char* line :
       {"ce-specversion: 1.0", "ce-id: 7f3c", "ce-source: /github/octo%20hello",
        "ce-type: com.github.issues.opened", "ce-subject: octo/hello#17", "ce-partitionkey: k%221",
        "content-type: application/json; charset=utf-8", "baggage: user=7", "tracestate: a=b",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Idempotency-Key: \"0123456789abcdef0123456789abcdef\"", "Weir-Flow: sync-issues",
        "Weir-Attempt: 3", "Weir-Timeout-Ms: 1500", "User-Agent: weir/0.1.0",
        "Authorization: Bearer t", "Content-Length: 18"}) {
    INFO(std::string(line));
    CHECK(has_line(request, line));
  }
  CHECK(count_of(request, "\r\nHost: 127.0.0.1:") == 1);
  CHECK(count_of(request, "Weir-Replay") == 0);
  CHECK(count_of(request, "Weir-Revision") + count_of(request, "Weir-Edit-Of") == 0);
  CHECK(count_of(request, "traceparent:") == 1);
  CHECK(request.ends_with("\r\n\r\n" + data));
}

TEST_CASE("a replay says so, and an event without data has an empty body") {
  Bench bench("HTTP/1.1 422 X\r\nContent-Length: 2\r\nWeir-Outcome: discard\r\n\r\n{}");
  Event event;
  event.id = "1";
  event.source = "s";
  event.type = "t";
  // What a producer put into an extension must not become a header of its own.
  event.extensions = {{"baggage", "a=b\r\nWeir-Attempt: 1", AttributeType::string}};
  ports::Invocation invocation = invocation_of(bench, event);
  invocation.replay = "rp_7";
  invocation.revision = 2;
  invocation.first_key = "first";
  invocation.tracestate = "";
  Outcome outcome;
  CHECK(bench.loop.run(invoke(bench, invocation, outcome)));
  CHECK(outcome.status == 422);
  CHECK(outcome.body == "{}");
  REQUIRE(outcome.header("weir-outcome") != nullptr);
  CHECK(*outcome.header("weir-outcome") == "discard");
  CHECK(has_line(bench.last, "Weir-Replay: rp_7"));
  CHECK(has_line(bench.last, "Weir-Revision: 2"));
  CHECK(has_line(bench.last, "Weir-Edit-Of: first"));
  CHECK(has_line(bench.last, "Idempotency-Key: \"0123456789abcdef0123456789abcdef\""));
  CHECK(has_line(bench.last, "Content-Length: 0"));
  CHECK(count_of(bench.last, "tracestate") == 0);
  CHECK(count_of(bench.last, "\r\nWeir-Attempt: ") == 1);
  CHECK(count_of(bench.last, "\r\nbaggage:") == 0);
  CHECK(bench.last.ends_with("\r\n\r\n"));
}

}  // namespace
}  // namespace weir::handlers::http
// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)
