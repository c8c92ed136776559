// SPDX-License-Identifier: Apache-2.0
// Keys under stress: rows that stand in line, memory that held events let go, filters that change.
#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BenchTop;

}  // namespace

TEST_CASE("onFailure continue: a retry that comes due while its key is busy loses nobody") {
  BenchTop top([](const std::string& id, std::uint32_t attempt) {
    return id == "m1" && attempt == 1 ? 503 : 200;
  });
  top.takes = [](const std::string& id, std::uint32_t) {
    return id == "m2" ? Duration{seconds{20}} : Duration{milliseconds{1}};
  };
  Config config = BenchTop::config("subject");
  config.flows[0].on_failure = OnFailure::proceed;
  config.flows[0].policy.timeouts.attempt = seconds{30};
  top.start(config);
  for (const std::string id : {"m1", "m2", "m3", "m4", "m5"}) top.publish(id, "m");
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"m1", "m2", "m1", "m3", "m4", "m5"});
  CHECK(top.floor() == 6);
}

TEST_CASE("a replay of several deliveries of one key calls them one after the other, in order") {
  bool broken = true;
  BenchTop top([&](const std::string&, std::uint32_t) { return broken ? 422 : 200; });
  Config config = BenchTop::config("subject");
  config.flows[0].on_failure = OnFailure::proceed;
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{700}}; };
  top.start(config);
  for (const std::string id : {"m1", "m2", "m3", "m4"}) top.publish(id, "m");
  top.settle();
  broken = false;
  auto rows = top.wait(top.store->deliveries().list({.state = DeliveryState::quarantined}));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 4);
  std::vector<DeliveryRef> refs;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (Delivery& row : *rows) {
    row.state = DeliveryState::ready;
    refs.push_back(row.ref);
    batch.mutations.emplace_back(ports::PutDelivery{row});
  }
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.log.clear();
  for (const int last_first : {3, 1, 2, 0})
    top.engine->release({refs[static_cast<std::size_t>(last_first)]}, ReplayId{});
  top.settle();
  std::vector<std::string> served = top.served();
  CHECK(served.size() == 4);
  std::ranges::sort(served);
  CHECK(served == std::vector<std::string>{"m1", "m2", "m3", "m4"});
}

TEST_CASE("what is held behind a key takes no memory from its neighbours") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "a0" ? 422 : 200; });
  top.takes = [](const std::string& id, std::uint32_t) {
    return id == "a0" ? Duration{seconds{1}} : Duration{};
  };
  top.start(BenchTop::config("subject"));
  const std::size_t each = kWindowBytesMax / 16;
  for (int i = 0; i < 40; ++i) top.publish(fmt::format("a{}", i), "a", each);
  for (int i = 0; i < 40; ++i) top.publish(fmt::format("b{}", i), "b", each);
  top.settle();
  CHECK(top.log.size() == 41);
  CHECK(top.engine->flow_views().front().held == 39);
}

TEST_CASE("decorrelated jitter goes by the delay before") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  Config config = BenchTop::config("");
  auto& retry = config.flows[0].policy.retry;
  retry.max_attempts = 40;
  retry.back_off = {
      .base_interval = seconds{1}, .max_interval = seconds{1000}, .jitter = Jitter::decorrelated};
  config.dependencies[0].policy.retry_constraint.min_retry_count = 1000;
  top.start(config);
  top.publish("e", "");
  top.settle(std::chrono::hours{5});
  auto rows = top.wait(top.store->deliveries().list({}));
  REQUIRE(rows.ok());
  REQUIRE(rows->size() == 1);
  Duration longest{};
  const auto& history = rows->front().history;
  for (std::size_t i = 1; i < history.size(); ++i)
    longest = std::max(longest, history[i].at - history[i - 1].at);
  CHECK(longest > seconds{10});  // without it every delay is the base
}

}  // namespace weir::delivery
