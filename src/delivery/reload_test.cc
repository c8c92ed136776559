// SPDX-License-Identifier: Apache-2.0
// What a changed configuration does to a flow that has held keys, running calls or a place in its
// stream.
#include <algorithm>

#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BenchTop;
using Ids = std::vector<std::string>;

std::string ids_starting_with(char first) {
  return std::string(R"({"id": [{"prefix": ")") + first + R"("}]})";
}

// As an operator does it: the row is resolved, then its key goes on.
void resolve(BenchTop& top, const std::string& key) {
  auto rows = top.wait(top.store->deliveries().list({.state = DeliveryState::quarantined}));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  Delivery row = rows->front();
  row.state = DeliveryState::resolved;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutDelivery{row});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.engine->settled_elsewhere(row.ref, key);
}

int h1_is_broken(const std::string& id, std::uint32_t) { return id == "h1" ? 422 : 200; }

// h1 fails and holds the key; x3 and x4 are filtered; h2 and h5 are held.
void hold_two(BenchTop& top, const Config& config) {
  top.start(config);
  for (const std::string id : {"h1", "h2", "x3", "x4", "h5"}) top.publish(id, "k");
  top.settle();
  REQUIRE(top.served() == Ids{"h1"});
  REQUIRE(top.engine->flow_views().front().held == 2);
}

Config only(char first) {
  Config config = BenchTop::config("subject");
  config.flows[0].where = ids_starting_with(first);
  return config;
}

}  // namespace

TEST_CASE("a wider filter neither loses what is held nor delivers what was filtered") {
  BenchTop top(h1_is_broken);
  hold_two(top, only('h'));
  Config wider = BenchTop::config("subject");
  SUBCASE("after a restart") { top.start(wider); }
  SUBCASE("by a reload") { REQUIRE(top.wait(top.engine->apply(wider)).ok()); }
  resolve(top, "k");
  top.publish("x6", "k");
  top.settle();
  CHECK(top.served() == Ids{"h1", "h2", "h5", "x6"});
  CHECK(top.engine->flow_views().front().held == 0);
  CHECK(top.floor() == 7);
}

TEST_CASE("a held event that a narrower filter does not match is filtered, and its key goes on") {
  BenchTop top(h1_is_broken);
  hold_two(top, only('h'));
  Config narrower = only('h');
  narrower.flows[0].where = R"({"id": [{"prefix": "h5"}]})";
  SUBCASE("after a restart") { top.start(narrower); }
  SUBCASE("by a reload") { REQUIRE(top.wait(top.engine->apply(narrower)).ok()); }
  resolve(top, "k");
  top.settle();
  CHECK(top.served() == Ids{"h1", "h5"});
  const auto told = top.wait(top.store->deliveries().settlement(
      FlowId{1}, Position{top.engine->find_stream("s")->id, 0, 2}));
  REQUIRE(told.ok());
  REQUIRE(told->has_value());
  CHECK((*told)->first.status == 0);
}

TEST_CASE("what is held outlives retention, whatever the filter is; what was filtered stays so") {
  struct Row {
    std::string where;
    bool restart;
    Ids served;
  };
  const std::string narrower = R"({"id": [{"prefix": "h5"}]})";
  const Row rows[] = {{narrower, false, {"h1", "h5"}},
                      {narrower, true, {"h1", "h5"}},
                      {"", false, {"h1", "h2", "h5"}},
                      {"", true, {"h1", "h2", "h5"}}};
  for (const Row& row : rows) {
    CAPTURE(row.where);
    CAPTURE(row.restart);
    BenchTop top(h1_is_broken);
    Config config = only('h');
    config.streams[0].retention = hours{1};
    hold_two(top, config);
    config.flows[0].where = row.where;
    REQUIRE(top.wait(top.engine->apply(config)).ok());
    top.pass(hours{2});
    while (top.wait(top.engine->trim_step())) continue;
    REQUIRE(top.engine->find_stream("s")->first_seq == 6);
    if (row.restart) top.start(config);
    resolve(top, "k");
    top.settle();
    CHECK(top.served() == row.served);
    CHECK(top.engine->flow_views().front().held == 0);
    const auto kept = top.wait(top.store->events().read_kept(
        FlowId{1}, Position{top.engine->find_stream("s")->id, 0, 1}, 10));
    REQUIRE(kept.ok());
    for (const StoredEvent& event : *kept) CHECK(event.position.seq == 1);  // that of the row
  }
}

TEST_CASE("the ordering key of a flow with held keys cannot change, its stream never") {
  BenchTop top(h1_is_broken);
  hold_two(top, only('h'));
  Config other_key = only('h');
  other_key.flows[0].ordering_key = "type";
  auto refused = top.wait(top.engine->apply(other_key));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().detail.find("1 held keys, made with ordering.key 'subject'") !=
        std::string::npos);
  Config other_stream = only('h');
  other_stream.streams.push_back({.name = "t"});
  other_stream.flows[0].stream = "t";
  refused = top.wait(top.engine->apply(other_stream));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().detail.find("cannot go over to 't'") != std::string::npos);
  resolve(top, "k");
  top.settle();
  CHECK(top.served() == Ids{"h1", "h2", "h5"});  // under the configuration that it has
  CHECK(top.wait(top.engine->apply(other_key)).ok());
}

TEST_CASE(
    "more is held than is remembered, and restarts fall in between: each goes once, in order") {
  BenchTop top([](const std::string& id, std::uint32_t attempt) {
    return id == "e0" && attempt == 1 ? 503 : 200;
  });
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{1}}; };
  Config config = BenchTop::config("subject");
  config.flows[0].idempotent = true;
  config.flows[0].policy.retry.max_interruptions = 1;
  top.start(config);
  const int count = static_cast<int>(kBehindMax) + 200;
  Ids expected{"e0"};
  for (int i = 0; i < count; ++i) {
    top.publish(fmt::format("e{}", i), "k");
    expected.push_back(fmt::format("e{}", i));
  }
  for (int restarts = 0; restarts < 30; ++restarts) {
    top.settle(milliseconds{100});
    top.start(config);
  }
  top.settle();
  CHECK(top.served() == expected);
  CHECK(top.engine->flow_views().front().held == 0);
}

TEST_CASE("a flow that goes and comes back while a call runs is still one flow") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.takes = [](const std::string&, std::uint32_t) { return Duration{seconds{5}}; };
  Config config = BenchTop::config("subject");
  config.flows[0].idempotent = false;
  config.flows[0].policy.timeouts.attempt = seconds{20};
  top.start(config);
  top.publish("a1", "a");
  top.publish("a2", "a");
  top.settle(milliseconds{100});
  REQUIRE(top.served() == Ids{"a1"});
  Config without = config;
  without.flows.clear();
  REQUIRE(top.wait(top.engine->apply(without)).ok());
  const auto early = top.wait(top.engine->remove(
      {.name = "f", .flow = FlowId{1}, .reason = "gone", .actor = "local:test"}));
  REQUIRE_FALSE(early.ok());
  CHECK(early.error().detail.find("still running") != std::string::npos);
  top.publish("a3", "a");
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.settle();
  CHECK(top.served() == Ids{"a1", "a2", "a3"});
  CHECK(top.floor() == 4);
  CHECK(top.wait(top.store->deliveries().list({}))->empty());
}

TEST_CASE(
    "a flow that is out keeps its place: retention waits, and nothing counts as interrupted") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = BenchTop::config("");
  config.streams[0].retention = hours{1};
  config.flows[0].idempotent = false;
  top.start(config);
  for (int i = 0; i < 40; ++i) top.publish(fmt::format("e{}", i), "");
  top.settle();
  Config without = config;
  without.flows.clear();
  REQUIRE(top.wait(top.engine->apply(without)).ok());
  while (top.wait(top.engine->trim_step())) continue;
  for (int i = 40; i < 60; ++i) top.publish(fmt::format("e{}", i), "");
  top.pass(hours{2});
  while (top.wait(top.engine->trim_step())) continue;
  CHECK(top.engine->find_stream("s")->first_seq == 41);
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.settle();
  CHECK(top.log.size() == 60);
  CHECK(top.wait(top.store->deliveries().list({}))->empty());
  REQUIRE(top.wait(top.engine->apply(without)).ok());
  const FlowId before{1};
  CHECK(top.engine->removable("f").value() == before);
  const auto remove = [&](FlowId id) {
    return top.wait(top.engine->remove(
        {.name = "f", .flow = id, .reason = "not needed", .actor = "local:test", .left = "all"}));
  };
  CHECK(remove(FlowId{2}).error().code == Code::conflict);
  REQUIRE(remove(before).ok());
  CHECK(top.wait(top.store->recovery().audit(~0ull >> 1, 1))->front().detail == "all");
  while (top.wait(top.engine->trim_step())) continue;
  CHECK(top.engine->find_stream("s")->first_seq == 61);
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  CHECK(top.engine->find_flow("f")->id() != before);
}

}  // namespace weir::delivery
