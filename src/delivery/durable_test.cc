// SPDX-License-Identifier: Apache-2.0
// What has to be durable before what, and what a crash in between is not allowed to lose.
#include <doctest/doctest.h>

#include "delivery/testing/bench_top.h"

namespace weir::delivery::testing {
namespace {

using std::chrono::seconds;
using Ids = std::vector<std::string>;

DeliveryRef first_of(BenchTop& top) {
  return {top.engine->find_flow("f")->id(), {top.engine->find_stream("s")->id, 0, 1}};
}

void commit(BenchTop& top, std::vector<ports::Mutation> mutations) {
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations = std::move(mutations);
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch)))->applied);
}

TEST_CASE("the next of a key does not go before the one in front of it is settled durably") {
  auto faults = std::make_shared<store::memory::Faults>();
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.store = store::memory::open(top.io.get_executor(), {.faults = faults});
  top.takes = [](const std::string&, std::uint32_t) { return Duration{seconds{1}}; };
  top.start(BenchTop::config("subject"));
  top.publish("before", "other");
  top.settle();
  top.publish("a1", "a");
  top.publish("a2", "a");
  REQUIRE(top.served() == Ids{"before", "a1"});
  faults->fail_next_commit = true;
  top.settle();
  CHECK(top.served() == Ids{"before", "a1"});
}

TEST_CASE("what lay below the mark and was not settled is delivered after a crash") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  const Config config = BenchTop::config("");
  top.start(config);
  for (const char* id : {"e1", "e2", "e3"}) top.publish(id, "");
  top.settle();
  const FlowId flow = first_of(top).flow;
  top.stop();
  commit(top, {ports::PutCursor{flow, Cursor{.floor = 2, .mark = 4}}});  // e2 and e3 were under way
  top.log.clear();
  top.start(config);
  top.settle();
  CHECK(top.served() == Ids{"e2", "e3"});
}

TEST_CASE("a retry is known to be in flight while it is called") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  top.takes = [](const std::string&, std::uint32_t attempt) {
    return attempt == 1 ? Duration{} : Duration{seconds{100}};
  };
  top.start(BenchTop::config(""));
  top.publish("e1", "");
  top.settle(seconds{10});
  REQUIRE(top.log.size() == 2);
  const auto row = top.wait(top.store->deliveries().get(first_of(top)));
  CHECK((*row)->state == DeliveryState::inFlight);
}

TEST_CASE("the item of a replayed delivery is settled with it") {
  bool broken = true;
  BenchTop top([&](const std::string&, std::uint32_t) { return broken ? 422 : 200; });
  top.start(BenchTop::config(""));
  top.publish("e1", "");
  top.settle();
  const DeliveryRef ref = first_of(top);
  ports::WriteBatch create{.lane = ports::Lane::operate};
  create.mutations.emplace_back(ports::CreateReplay{});
  const ReplayId replay = top.wait(top.store->writer().commit(std::move(create)))->replay;
  Delivery row = top.quarantined().at(0);
  row.state = DeliveryState::ready;
  row.replay = replay;
  commit(top, {ports::AddReplayItems{replay, {ref}},
               ports::SetReplayItem{replay, ref, ItemState::claimed}, ports::PutDelivery{row}});
  broken = false;
  top.engine->release({ref}, replay);
  top.settle();
  const auto items = top.wait(top.store->recovery().items(replay, std::nullopt, {}, 10));
  REQUIRE(items->size() == 1);
  CHECK(items->front().state == ItemState::succeeded);
}

TEST_CASE("retention leaves what a paused flow has still to deliver") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = BenchTop::config("");
  config.streams[0].retention = seconds{1};
  top.start(config);
  REQUIRE(top.wait(top.engine->pause("f", "to look at it", "local:test")).ok());
  top.publish("e1", "");
  top.settle();
  top.pass(seconds{10});
  while (top.wait(top.engine->trim_step())) {
  }
  REQUIRE(top.wait(top.engine->resume("f", "looked", "local:test")).ok());
  top.settle();
  CHECK(top.served() == Ids{"e1"});
}

}  // namespace
}  // namespace weir::delivery::testing
