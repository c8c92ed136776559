// SPDX-License-Identifier: Apache-2.0
// RawServer keeps each lambda until its coroutines have ended.
// NOLINTBEGIN(cppcoreguidelines-avoid-capturing-lambda-coroutines)
#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/testing/client_calls.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::kNoContent;
using testing::Loop;
using testing::open_pool;
using testing::post;
using testing::RawServer;
using testing::RawSocket;
using testing::to_port;

struct Crowd {
  int running = 0;
  int most = 0;
  std::vector<std::string> order;
  std::vector<Outcome> outcomes;
};

async::Task<> crowd_call(Loop& loop, HttpClientPool& pool, Crowd& crowd, int number,
                         Duration time) {
  Outcome outcome = co_await post(loop, pool, std::to_string(number), time);
  crowd.outcomes.push_back(std::move(outcome));
}

RawServer::Script slowly(Loop& loop, Crowd& crowd) {
  return [&loop, &crowd](RawSocket socket) -> async::Task<> {
    while (true) {
      const std::string request = co_await socket.read_request();
      if (request.empty()) co_return;
      crowd.order.push_back(request.substr(request.find("\r\n\r\n") + 4));
      crowd.most = std::max(crowd.most, ++crowd.running);
      co_await loop.pause(10ms);
      --crowd.running;
      co_await socket.send(kNoContent);
    }
  };
}

async::Task<> test_crowd(Loop& loop, RawServer& server, Crowd& crowd) {
  HttpClientOptions options = to_port(server.port());
  options.connections = 2;
  options.waiting = 6;
  auto pool = open_pool(loop, options);
  for (int i = 0; i < 9; ++i) loop.spawn(crowd_call(loop, *pool, crowd, i, 5s));
  while (crowd.outcomes.size() < 9) co_await loop.pause(2ms);
  CHECK(crowd.most == 2);
  CHECK(server.connections() == 2);
  CHECK(crowd.outcomes[0].fault == Fault::cancelled);  // the ninth: the line was full
  CHECK(crowd.outcomes[0].phase == Phase::notSent);
  for (std::size_t i = 1; i < 9; ++i) CHECK(crowd.outcomes[i].status == 204);
  const std::vector<std::string> late(crowd.order.begin() + 2, crowd.order.end());
  CHECK(late ==
        std::vector<std::string>{"2", "3", "4", "5", "6", "7"});  // first come, first served
  CHECK(pool->counts().busy == 0);
  CHECK(pool->counts().waiting == 0);
  server.stop();
  co_await pool->close();
}

TEST_CASE("never more connections than the cap; the line is bounded and fair") {
  Loop loop;
  Crowd crowd;
  RawServer server(loop, slowly(loop, crowd));
  CHECK(loop.run(test_crowd(loop, server, crowd)));
}

async::Task<> test_line_deadline(Loop& loop, RawServer& server, Crowd& crowd) {
  HttpClientOptions options = to_port(server.port());
  options.connections = 1;
  auto pool = open_pool(loop, options);
  loop.spawn(crowd_call(loop, *pool, crowd, 0, 120ms));
  loop.spawn(crowd_call(loop, *pool, crowd, 1, 30ms));
  while (crowd.outcomes.size() < 2) co_await loop.pause(2ms);
  CHECK(crowd.outcomes[0].fault == Fault::timeout);
  CHECK(crowd.outcomes[0].phase == Phase::notSent);
  CHECK(crowd.outcomes[1].fault == Fault::timeout);
  CHECK(crowd.outcomes[1].phase == Phase::maybeSeen);
  server.stop();
  co_await pool->close();
}

RawServer::Script silent() {
  return [](RawSocket socket) -> async::Task<> { co_await socket.read_to_end(); };
}

TEST_CASE("a call whose time runs out in line was not sent") {
  Loop loop;
  Crowd crowd;
  RawServer server(loop, silent());
  CHECK(loop.run(test_line_deadline(loop, server, crowd)));
}

async::Task<> test_close(Loop& loop, RawServer& server, Crowd& crowd) {
  HttpClientOptions options = to_port(server.port());
  options.connections = 1;
  auto pool = open_pool(loop, options);
  loop.spawn(crowd_call(loop, *pool, crowd, 0, 5s));
  loop.spawn(crowd_call(loop, *pool, crowd, 1, 5s));
  while (pool->counts().waiting == 0 || server.connections() == 0) co_await loop.pause(2ms);
  co_await loop.pause(5ms);
  co_await pool->close();
  CHECK(pool->counts().busy == 0);
  while (crowd.outcomes.size() < 2) co_await loop.pause(1ms);
  int sent = 0;
  for (const Outcome& outcome : crowd.outcomes) {
    CHECK(outcome.fault == Fault::cancelled);
    sent += outcome.phase == Phase::maybeSeen ? 1 : 0;
  }
  CHECK(sent == 1);
  CHECK((co_await post(loop, *pool)).fault == Fault::cancelled);
  server.stop();
}

TEST_CASE("closing ends running and waiting calls") {
  Loop loop;
  Crowd crowd;
  RawServer server(loop, silent());
  CHECK(loop.run(test_close(loop, server, crowd)));
}

}  // namespace
}  // namespace weir::net
// NOLINTEND(cppcoreguidelines-avoid-capturing-lambda-coroutines)
