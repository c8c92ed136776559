// SPDX-License-Identifier: Apache-2.0
#include "delivery/engine.h"

#include <set>

#include <doctest/doctest.h>

#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using testing::BenchTop;

int always_ok(const std::string&, std::uint32_t) { return 200; }

ports::FlowCounts counts(BenchTop& top) {
  auto all = top.wait(top.store->flows().counts());
  REQUIRE(all.ok());
  return all->empty() ? ports::FlowCounts{} : all->front();
}

}  // namespace

TEST_CASE("every event is delivered once, and the cursor ends behind the last") {
  BenchTop top(always_ok);
  top.start(BenchTop::config(""));
  for (int i = 0; i < 300; ++i) top.publish(fmt::format("e{}", i), "");
  top.settle();
  CHECK(top.log.size() == 300);
  CHECK(top.served().back() == "e299");
  CHECK(top.engine->flow_views().front().floor == 301);
  CHECK(counts(top).waiting == 0);
}

namespace {

// How long the oldest unsettled event of the flow has waited; nullopt without one.
std::optional<Duration> oldest_age(BenchTop& top) {
  top.wait([](BenchTop& bench, std::vector<ports::FlowCounts> all) -> async::Task<bool> {
    co_await bench.engine->look_at_ages(std::move(all));
    co_return true;
  }(top, {counts(top)}));
  const WallTime oldest = top.engine->flow_views().front().oldest_unsettled;
  if (oldest == WallTime{}) return std::nullopt;
  return top.clock->wall() - oldest;
}

}  // namespace

TEST_CASE("the age of the oldest event counts while the flow is paused") {
  BenchTop top(always_ok);
  top.start(BenchTop::config(""));
  CHECK_FALSE(oldest_age(top));
  top.publish("done", "");
  top.settle();
  CHECK_FALSE(oldest_age(top));
  CHECK(top.wait(top.engine->pause("f", "test", "local:test")).ok());
  top.publish("e1", "");
  top.pass(std::chrono::minutes{5});
  top.publish("e2", "");
  CHECK(oldest_age(top) == std::chrono::minutes{5});
  CHECK(top.wait(top.engine->resume("f", "test", "local:test")).ok());
  top.settle();
  CHECK_FALSE(oldest_age(top));
}

TEST_CASE("the age of the oldest event counts retries and what is held, but not the quarantine") {
  int status = 503;
  BenchTop top([&](const std::string& id, std::uint32_t) { return id[0] == 'a' ? status : 200; });
  Config config = BenchTop::config("subject");
  config.flows[0].policy.retry.max_attempts = 100;
  config.flows[0].policy.retry.back_off.max_interval = std::chrono::minutes{10};
  config.flows[0].policy.retry.back_off.base_interval = std::chrono::minutes{10};
  top.start(config);
  top.publish("a1", "a");
  top.settle(std::chrono::milliseconds{1});
  top.pass(std::chrono::minutes{1});
  top.publish("b1", "b");
  top.publish("a2", "a");
  top.settle(std::chrono::milliseconds{1});
  CHECK(top.engine->flow_views().front().oldest_ready == WallTime{});
  const auto waiting = oldest_age(top);
  REQUIRE(waiting);
  CHECK(*waiting >= std::chrono::minutes{1});  // a1 waits for its retry
  status = 422;
  top.settle(std::chrono::minutes{30});
  CHECK(top.quarantined().size() == 1);
  const auto held = oldest_age(top);
  REQUIRE(held);
  const Delivery row = top.quarantined().front();
  CHECK(*held > Duration{});  // a2 is held
  status = 200;
  top.engine->settled_elsewhere(row.ref, row.key);
  top.settle();
  CHECK(top.served().back() == "a2");
  CHECK_FALSE(oldest_age(top));
}

TEST_CASE("nothing is sent twice by a clean restart") {
  BenchTop top(always_ok);
  top.start(BenchTop::config("subject"));
  for (int i = 0; i < 50; ++i) top.publish(fmt::format("e{}", i), fmt::format("k{}", i % 5));
  top.settle();
  top.start(BenchTop::config("subject"));
  top.settle();
  CHECK(top.log.size() == 50);
}

TEST_CASE("a failing key parks itself and not its neighbours, and goes on in order") {
  bool broken = true;
  BenchTop top(
      [&](const std::string& id, std::uint32_t) { return broken && id == "a1" ? 503 : 200; });
  top.start(BenchTop::config("subject"));
  for (const std::string id : {"a1", "b1", "a2", "b2", "a3"}) top.publish(id, id.substr(0, 1));
  top.settle(std::chrono::milliseconds{1});
  CHECK(top.engine->flow_views().front().held == 2);
  broken = false;
  top.settle();
  std::vector<std::string> of_a;
  for (const std::string& id : top.served()) {
    if (id[0] == 'a' && (of_a.empty() || of_a.back() != id)) of_a.push_back(id);
  }
  CHECK(of_a == std::vector<std::string>{"a1", "a2", "a3"});
  CHECK(top.engine->flow_views().front().held == 0);
}

TEST_CASE(
    "after the last attempt a delivery is quarantined with its history and its key stays held") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "a1" ? 500 : 200; });
  top.start(BenchTop::config("subject"));
  for (const std::string id : {"a1", "a2", "b1"}) top.publish(id, id.substr(0, 1));
  top.settle();
  const auto rows = top.quarantined();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].event_id == "a1");
  CHECK(rows[0].attempts == 3);
  CHECK(rows[0].history.size() == 3);
  CHECK(rows[0].group);
  CHECK(top.engine->flow_views().front().held == 1);
  CHECK(std::ranges::count(top.served(), "a2") == 0);
}

TEST_CASE("a restart keeps holds, and settling the holder by hand lets the key go on") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "a1" ? 422 : 200; });
  const Config config = BenchTop::config("subject");
  top.start(config);
  for (const std::string id : {"a1", "a2", "a3"}) top.publish(id, "a");
  top.settle();
  top.start(config);
  top.settle();
  CHECK(top.log.size() == 1);
  Delivery row = top.quarantined().at(0);
  row.state = DeliveryState::resolved;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutDelivery{row});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.engine->settled_elsewhere(row.ref, row.key);
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"a1", "a2", "a3"});
}

TEST_CASE("a holder settled while Weir was down lets its key go on at the next start") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "a1" ? 422 : 200; });
  const Config config = BenchTop::config("subject");
  top.start(config);
  for (const std::string id : {"a1", "a2"}) top.publish(id, "a");
  top.settle();
  Delivery row = top.quarantined().at(0);
  row.state = DeliveryState::discarded;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutDelivery{row});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.start(config);
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"a1", "a2"});
}

TEST_CASE(
    "the idempotency key of a delivery is the same at every attempt and differs between "
    "deliveries") {
  BenchTop top([](const std::string& id, std::uint32_t attempt) {
    return id == "x" && attempt < 3 ? 503 : 200;
  });
  top.start(BenchTop::config(""));
  top.publish("x", "");
  top.publish("y", "");
  top.settle();
  std::map<std::string, std::set<std::string>> keys;
  for (const auto& served : top.log) keys[served.id].insert(served.key);
  CHECK(keys["x"].size() == 1);
  CHECK(keys["x"] != keys["y"]);
  CHECK(top.log.size() == 4);
}

TEST_CASE("events that the pattern does not match are settled without a call") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("");
  config.flows[0].where = R"({"subject": ["wanted"]})";
  top.start(config);
  top.publish("e1", "other");
  top.publish("e2", "wanted");
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"e2"});
  CHECK(top.engine->flow_views().front().floor == 3);
}

TEST_CASE("a paused flow sends nothing and goes on where it stood") {
  BenchTop top(always_ok);
  top.start(BenchTop::config(""));
  REQUIRE(top.wait(top.engine->pause("f", "because", "local:test")).ok());
  top.publish("e1", "");
  top.settle();
  CHECK(top.log.empty());
  REQUIRE(top.wait(top.engine->resume("f", "again", "local:test")).ok());
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"e1"});
  CHECK_FALSE(top.wait(top.engine->pause("fx", "because", "local:test")).ok());
}

TEST_CASE("a renamed flow keeps its place and its idempotency keys") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("");
  top.start(config);
  top.publish("e1", "");
  top.settle();
  config.flows[0].name = "g";
  config.flows[0].renamed_from = "f";
  top.start(config);
  top.publish("e2", "");
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"e1", "e2"});
  CHECK(top.engine->find_flow("g")->record().identity == "f");
}

TEST_CASE("a renaming that is taken back delivers nothing again") {
  BenchTop top(always_ok);
  Config config = BenchTop::config("");
  top.start(config);
  const Config before = config;
  top.publish("e1", "");
  top.settle();
  config.flows[0].name = "g";
  config.flows[0].renamed_from = "f";
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.publish("e2", "");
  top.settle();
  const FlowId id = top.engine->find_flow("g")->id();
  REQUIRE(top.wait(top.engine->apply(before)).ok());
  top.publish("e3", "");
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"e1", "e2", "e3"});
  CHECK(top.engine->find_flow("f")->id() == id);
  CHECK(top.engine->find_flow("g") == nullptr);

  // A flow of that name beside the renamed one is a new one.
  Config both = config;
  both.flows.push_back(before.flows[0]);
  both.flows[0].renamed_from.clear();
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  REQUIRE(top.wait(top.engine->apply(both)).ok());
  CHECK(top.engine->find_flow("g")->id() == id);
  CHECK(top.engine->find_flow("f")->id() != id);
}

TEST_CASE("retention takes what is settled and keeps what a quarantined delivery needs") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "a1" ? 422 : 200; });
  Config config = BenchTop::config("subject");
  config.streams[0].retention = std::chrono::seconds{1};
  top.start(config);
  for (const std::string id : {"a1", "a2", "b1"}) top.publish(id, id.substr(0, 1));
  top.settle();
  top.pass(std::chrono::seconds{10});
  while (top.wait(top.engine->trim_step())) {
  }
  const FlowId flow = top.engine->find_flow("f")->id();
  const StreamId stream = top.engine->find_stream("s")->id;
  const auto kept = [&](std::uint64_t seq) {
    return !top.wait(top.store->events().fetch({{flow, Position{stream, 0, seq}}}))->empty();
  };
  CHECK(kept(1));
  CHECK(kept(2));
  CHECK_FALSE(kept(3));
}

}  // namespace weir::delivery
