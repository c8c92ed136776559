// SPDX-License-Identifier: Apache-2.0
#include "net/client_connection.h"

#include <doctest/doctest.h>

#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

// Moves only when a scripted step takes time.
class StillClock final : public async::Clock {
 public:
  MonoTime mono() override { return now; }
  WallTime wall() override { return {}; }
  async::Task<> sleep_until(MonoTime) override { co_return; }
  void cancel_sleeps() override {}
  MonoTime now{std::chrono::hours{1}};
};

constexpr Duration kReadTime = std::chrono::milliseconds{40};
constexpr Duration kConnectTime = std::chrono::milliseconds{7};

// A stream of which every step is laid down; nothing real can be made to fail at exactly these
// points.
struct Script {
  Transfer now;   // of write_now()
  Transfer rest;  // of write()
  std::vector<std::pair<std::string, StreamEnd>> reads;
  std::vector<std::string> refused;  // addresses that refuse
  std::vector<std::string> tried;
  std::string written;  // what write() was given
  StillClock clock;     // every connect and read takes its time
};

class ScriptedStream final : public Stream {
 public:
  explicit ScriptedStream(Script& script) : script_(script) {}
  async::Task<ConnectResult> connect(IpAddress address) override {
    script_.tried.push_back(address.text);
    script_.clock.now += kConnectTime;
    for (const std::string& refused : script_.refused) {
      if (refused == address.text) co_return ConnectResult{Fault::refused, "refused by " + refused};
    }
    co_return ConnectResult{};
  }
  Transfer write_now(std::string_view, std::string_view) override { return script_.now; }
  async::Task<Transfer> write(std::string_view head, std::string_view body) override {
    script_.written = std::string(head) + "|" + std::string(body);
    co_return script_.rest;
  }
  async::Task<Transfer> read_some(std::span<char> into) override {
    script_.clock.now += kReadTime;
    if (script_.reads.empty()) co_return Transfer{0, StreamEnd::broken, "reset"};
    const auto [bytes, end] = script_.reads.front();
    script_.reads.erase(script_.reads.begin());
    std::ranges::copy(bytes, into.begin());
    co_return Transfer{bytes.size(), end, ""};
  }
  bool is_quiet() override { return true; }
  void close() override {}

 private:
  Script& script_;
};

async::Task<> exchange(Script& script, AnswerLimits limits, Outcome& outcome) {
  ClientConnection connection(std::make_unique<ScriptedStream>(script), limits, script.clock);
  outcome = co_await connection.exchange("HEAD", "BODY");
  if (outcome.body_left_out) CHECK_FALSE(connection.is_reusable());
}

Outcome outcome_of(Script script, std::string* written = nullptr, AnswerLimits limits = {}) {
  testing::Loop loop;
  Outcome outcome;
  REQUIRE(loop.run(exchange(script, limits, outcome)));
  if (written != nullptr) *written = script.written;
  return outcome;
}

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

TEST_CASE("how far the request got is told apart") {
  const Transfer none{0, StreamEnd::broken, "broken pipe"};
  const Outcome untouched = outcome_of({.now = none});
  CHECK(untouched.fault == Fault::sendFailed);
  CHECK(untouched.phase == Phase::notSent);

  const Outcome blocked = outcome_of({.now = {}, .rest = none});
  CHECK(blocked.fault == Fault::sendFailed);
  CHECK(blocked.phase == Phase::notSent);

  const Outcome partly = outcome_of({.now = {3, StreamEnd::none, ""}, .rest = none});
  CHECK(partly.fault == Fault::sendFailed);
  CHECK(partly.phase == Phase::maybeSeen);

  const Outcome whole = outcome_of({.now = {8, StreamEnd::none, ""}});
  CHECK(whole.fault == Fault::connectionClosed);
  CHECK(whole.phase == Phase::maybeSeen);

  // An answer to a part of the request is an answer.
  const Outcome answered = outcome_of(
      {.now = {3, StreamEnd::none, ""}, .rest = none, .reads = {{kOk, StreamEnd::none}}});
  CHECK(answered.fault == Fault::none);
  CHECK(answered.status == 200);
}

TEST_CASE("an answer without its large body is an answer, however much of the body is there") {
  const std::string start = "HTTP/1.1 201 X\r\nLocation: /1\r\nContent-Length: 5\r\n\r\n";
  for (const std::string body : {"", "ab", "abcde", "abcdefgh"}) {
    CAPTURE(body);
    const Outcome outcome = outcome_of(
        {.now = {8, StreamEnd::none, ""}, .reads = {{start + body, StreamEnd::none}}}, nullptr,
        {.body_bytes = 4, .leave_out_large = true});
    CHECK(outcome.fault == Fault::none);
    CHECK(outcome.status == 201);
    CHECK(outcome.body_left_out);
    CHECK(outcome.headers.size() == 2);
    CHECK(outcome.body.empty());
  }
}

TEST_CASE("what the kernel did not take at once is sent from there on") {
  std::string written;
  outcome_of({.now = {2, StreamEnd::none, ""},
              .rest = {6, StreamEnd::none, ""},
              .reads = {{kOk, StreamEnd::none}}},
             &written);
  CHECK(written == "AD|BODY");
  outcome_of({.now = {5, StreamEnd::none, ""},
              .rest = {3, StreamEnd::none, ""},
              .reads = {{kOk, StreamEnd::none}}},
             &written);
  CHECK(written == "|ODY");
}

TEST_CASE("an answer until the end needs an orderly end") {
  const Transfer all{8, StreamEnd::none, ""};
  const std::string start = "HTTP/1.1 500 X\r\n\r\nabc";
  const Outcome orderly = outcome_of(
      {.now = all, .reads = {{start, StreamEnd::none}, {"", StreamEnd::eof}}});
  CHECK(orderly.status == 500);
  CHECK(orderly.body == "abc");
  const Outcome cut = outcome_of(
      {.now = all, .reads = {{start, StreamEnd::none}, {"", StreamEnd::broken}}});
  CHECK(cut.fault == Fault::connectionClosed);
}

TEST_CASE("waiting for the peer is measured from the request's last byte") {
  const std::string_view ok = kOk;
  const std::string half(ok.substr(0, 20));
  const std::string rest(ok.substr(20));
  const Transfer all{8, StreamEnd::none, ""};
  const Outcome two_reads = outcome_of(
      {.now = all, .reads = {{half, StreamEnd::none}, {rest, StreamEnd::none}}});
  CHECK(two_reads.status == 200);
  CHECK(two_reads.waited == 2 * kReadTime);
  CHECK(outcome_of({.now = all, .reads = {{"", StreamEnd::eof}}}).waited == kReadTime);
  CHECK(outcome_of({.now = {0, StreamEnd::broken, "broken pipe"}}).waited == Duration::zero());
}

async::Task<> connect(Script& script, Outcome& outcome) {
  ClientConnection connection(std::make_unique<ScriptedStream>(script), {}, script.clock);
  outcome = co_await connection.connect({{"192.0.2.1", 80}, {"192.0.2.2", 80}});
}

TEST_CASE("addresses are tried in turn") {
  testing::Loop loop;
  Outcome outcome;
  Script second{.refused = {"192.0.2.1"}};
  REQUIRE(loop.run(connect(second, outcome)));
  CHECK(outcome.fault == Fault::none);
  CHECK(second.tried == std::vector<std::string>{"192.0.2.1", "192.0.2.2"});
  Script neither{.refused = {"192.0.2.1", "192.0.2.2"}};
  REQUIRE(loop.run(connect(neither, outcome)));
  CHECK(outcome.fault == Fault::refused);
  CHECK(outcome.fault_detail == "refused by 192.0.2.2");
}

}  // namespace
}  // namespace weir::net
