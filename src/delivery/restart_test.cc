// SPDX-License-Identifier: Apache-2.0
// What a restart counts as an interruption, and what waiting for a guardrail costs: nothing that
// was not sent is ever charged for it.
#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BenchTop;

// One call a second, and no second chance: an interruption would be a quarantine in doubt.
Config slow_and_strict(std::string ordering_key) {
  Config config = BenchTop::config(std::move(ordering_key));
  config.dependencies[0].policy.rate_limit = {.enabled = true, .per_second = 1, .burst = 1};
  config.flows[0].idempotent = false;
  return config;
}

std::vector<Delivery> rows(BenchTop& top) {
  auto all = top.wait(top.store->deliveries().list({}));
  REQUIRE(all.ok());
  return *all;
}

int always_ok(const std::string&, std::uint32_t) { return 200; }

// The process was killed while the row's call was on its way.
void kill_during_call(BenchTop& top, const Config& config) {
  Delivery row = rows(top).at(0);
  row.state = DeliveryState::inFlight;
  ports::WriteBatch batch{.lane = ports::Lane::settle};
  batch.mutations.emplace_back(ports::PutDelivery{row});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.start(config);
}

}  // namespace

TEST_CASE("a clean drain leaves no interruption behind: unsent events of one key were never sent") {
  BenchTop top(always_ok);
  const Config config = slow_and_strict("subject");
  top.start(config);
  for (const std::string id : {"a1", "a2", "a3", "b1"}) top.publish(id, id.substr(0, 1));
  top.settle(milliseconds{1});
  REQUIRE(top.log.size() == 1);
  top.start(config);
  top.settle(seconds{10});
  CHECK(rows(top).empty());
  CHECK(top.served().size() == 4);
}

TEST_CASE("a clean drain leaves no interruption behind: unsent events without a key") {
  BenchTop top(always_ok);
  const Config config = slow_and_strict("");
  top.start(config);
  for (const std::string id : {"e1", "e2", "e3"}) top.publish(id, "");
  top.settle(milliseconds{1});
  REQUIRE(top.log.size() == 1);
  top.start(config);
  top.settle(seconds{10});
  CHECK(rows(top).empty());
  CHECK(top.served() == std::vector<std::string>{"e1", "e2", "e3"});
}

TEST_CASE("a clean drain leaves no interruption behind: events past a hold, and the next of it") {
  BenchTop top([](const std::string& id, std::uint32_t attempt) {
    return id == "a1" && attempt == 1 ? 503 : 200;
  });
  Config config = slow_and_strict("subject");
  config.flows[0].idempotent = true;
  config.flows[0].policy.retry.max_interruptions = 1;
  top.start(config);
  for (const std::string id : {"a1", "a2", "a3", "b1", "b2"}) top.publish(id, id.substr(0, 1));
  // A restart every 300 ms: some find the hold moved on to an event that was not sent yet.
  for (int restarts = 0; restarts < 40; ++restarts) {
    top.settle(milliseconds{300});
    top.pass(milliseconds{300});
    top.start(config);
  }
  top.settle();
  for (const Delivery& row : rows(top)) {
    CHECK(row.event_id == "a1");
    CHECK(row.state == DeliveryState::done);
    CHECK(row.interruptions == 0);
  }
  std::vector<std::string> of_a;
  for (const std::string& id : top.served()) {
    if (id[0] == 'a') of_a.push_back(id);
  }
  CHECK(of_a == std::vector<std::string>{"a1", "a1", "a2", "a3"});
  CHECK(top.log.size() == 6);
}

TEST_CASE("events appended after a crash were not sent before it, however far the mark had run") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("");
  config.flows[0].idempotent = false;
  top.start(config);
  top.publish("e1", "");
  top.settle(milliseconds{100});
  const FlowId flow = top.engine->find_flow("f")->id();
  top.stop();
  ports::WriteBatch killed{.lane = ports::Lane::settle};
  killed.mutations.emplace_back(ports::PutCursor{flow, {.floor = 2, .mark = 34}});
  REQUIRE(top.wait(top.store->writer().commit(std::move(killed))).ok());
  top.start(config);
  for (const std::string id : {"e2", "e3"}) top.publish(id, "");
  top.settle(milliseconds{100});
  CHECK(top.served() == std::vector<std::string>{"e1", "e2", "e3"});
  CHECK(rows(top).empty());
}

TEST_CASE("the mark runs ahead of the stream: a stream that trickles costs few commits") {
  BenchTop top(always_ok);
  top.start(BenchTop::config(""));
  const auto before = top.wait(top.store->info()).commits;
  for (int i = 0; i < 16; ++i) {
    top.publish(fmt::format("e{}", i), "");
    top.settle(milliseconds{0});  // sent and answered, not yet settled
  }
  CHECK(top.log.size() == 16);
  CHECK(top.wait(top.store->info()).commits - before <= 16 + 2);
}

TEST_CASE(
    "an event that keeps interrupting the process is quarantined after its interruptions cap") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  Config config = BenchTop::config("subject");
  config.flows[0].policy.retry.max_interruptions = 2;
  config.flows[0].policy.retry.max_attempts = 10;
  config.flows[0].policy.retry.back_off.jitter = Jitter::none;
  config.flows[0].policy.retry.back_off.base_interval = seconds{30};
  config.flows[0].policy.retry.back_off.max_interval = seconds{30};
  top.start(config);
  top.publish("a1", "a");
  top.publish("a2", "a");
  top.settle(milliseconds{1});
  REQUIRE(top.wait(top.engine->pause("f", "to look at it", "local:test")).ok());
  REQUIRE(rows(top).size() == 1);
  const std::uint32_t attempts = rows(top)[0].attempts;

  kill_during_call(top, config);
  CHECK(rows(top)[0].state == DeliveryState::ready);
  CHECK(rows(top)[0].interruptions == 1);
  kill_during_call(top, config);
  const Delivery row = rows(top).at(0);
  CHECK(row.state == DeliveryState::quarantined);
  CHECK(row.failure == FailureClass::interrupted);
  CHECK(row.interruptions == 2);
  CHECK(row.attempts == attempts);  // an interruption is never an attempt
  CHECK(row.group);
  CHECK(row.history.back().note.find("retry.maxInterruptions") == 0);
  CHECK(top.engine->flow_views().front().held == 1);  // its key stays parked
}

TEST_CASE("a run of retention is audited once, however many steps it takes") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("");
  config.streams[0].retention = std::chrono::hours{1};
  top.start(config);
  for (int i = 0; i < 1600; ++i) top.publish(fmt::format("e{}", i), "");
  top.settle();
  top.pass(std::chrono::hours{2});
  int steps = 1;
  while (top.wait(top.engine->trim_step())) ++steps;
  CHECK(steps > 3);
  CHECK(top.engine->find_stream("s")->first_seq == 1601);
  const auto audit = top.wait(top.store->recovery().audit(UINT64_MAX, 10));
  REQUIRE(audit.ok());
  REQUIRE(audit->size() == 1);
  CHECK(audit->front().detail == "events 1 to 1600");
}

TEST_CASE("a guardrail's refusal costs no attempt and writes nothing before the first attempt") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("subject");
  config.dependencies[0].policy.rate_limit = {.enabled = true, .per_second = 0.1, .burst = 1};
  config.flows[0].policy.retry.max_attempts = 1;
  top.start(config);
  for (const std::string id : {"a1", "a2", "b1"}) top.publish(id, id.substr(0, 1));
  top.settle(milliseconds{100});
  REQUIRE(top.log.size() == 1);
  REQUIRE(top.engine->dispatchers().front()->refusal());
  const auto before = top.wait(top.store->info()).commits;
  top.pass(seconds{9});  // refused again and again
  CHECK(top.log.size() == 1);
  CHECK(top.wait(top.store->info()).commits == before);
  CHECK(rows(top).empty());
  top.settle();
  CHECK(top.log.size() == 3);
  for (const auto& served : top.log) CHECK(served.attempt == 1);
  CHECK(rows(top).empty());
}

}  // namespace weir::delivery
