// SPDX-License-Identifier: Apache-2.0
// Deadlines of deliveries that the guardrails never admit.
#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::BenchTop;

Config config_expiring_after(Duration event) {
  Config config = BenchTop::config("");
  config.flows[0].policy.timeouts.event = event;
  config.flows[0].policy.dead_letter_brake.enabled = false;
  return config;
}

// Its budget never pays a retry.
Config config_without_retries() {
  Config config = config_expiring_after(minutes{1});
  config.dependencies[0].policy.retry_constraint.percent = 0;
  config.dependencies[0].policy.retry_constraint.min_retry_count = 0;
  return config;
}

BreakerControl opened(BenchTop& top) {
  return {.order = BreakerOrder::open,
          .until = top.clock->wall() + hours{2},
          .actor = "ana",
          .reason = "a test"};
}

void check_expired(const Delivery& row) {
  CHECK(row.failure == FailureClass::expired);
  CHECK(row.changed_at >= row.deadline);
  CHECK(row.changed_at <= row.deadline + seconds{1});
}

}  // namespace

TEST_CASE("a retry that is never admitted expires at its deadline") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  top.start(config_without_retries());
  top.publish("e", "");
  top.settle(seconds{55});
  CHECK(top.quarantined().empty());
  top.settle(seconds{10});
  CHECK(top.log.size() == 1);
  const auto rows = top.quarantined();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].attempts == 1);
  check_expired(rows[0]);
}

TEST_CASE("a restart does not forget the deadline of a retry that is never admitted") {
  BenchTop top([](const std::string&, std::uint32_t) { return 503; });
  top.start(config_without_retries());
  top.publish("e", "");
  top.settle(seconds{30});
  const WallTime before = top.clock->wall();
  top.start(config_without_retries());
  top.settle(hours{1});  // the clock of a new start begins anew
  const auto rows = top.quarantined();
  REQUIRE(rows.size() == 1);
  CHECK(before < rows[0].deadline);
  check_expired(rows[0]);
  CHECK(top.log.size() == 1);
}

TEST_CASE("events behind an open breaker expire without a call") {
  for (const char* const key : {"", "subject"}) {
    BenchTop top([](const std::string&, std::uint32_t) { return 200; });
    Config config = config_expiring_after(minutes{1});
    config.flows[0].ordering_key = key;
    config.dependencies[0].policy.circuit_breaker.enabled = true;
    top.start(config);
    REQUIRE(top.wait(top.engine->control_breaker("d", opened(top))).ok());
    constexpr std::size_t kEvents = 700;  // more than are read ahead
    for (std::size_t i = 0; i < kEvents; ++i)
      top.publish("e" + std::to_string(i), "k" + std::to_string(i));
    top.settle(seconds{50});
    CHECK(top.quarantined().empty());
    top.settle(seconds{20});
    const auto query = ports::DeliveryQuery{.state = DeliveryState::quarantined};
    CHECK(*top.wait(top.store->deliveries().count(query)) == kEvents);
    for (const Delivery& row : top.quarantined()) check_expired(row);

    top.start(config);  // nothing of it is found again
    REQUIRE(top.wait(top.engine->control_breaker("d", {.reason = "a test"})).ok());
    top.settle();
    CHECK(*top.wait(top.store->deliveries().count(query)) == kEvents);
    CHECK(top.log.empty());
  }
}

TEST_CASE("events that a reload gives more time go as soon as the breaker lets them") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = config_expiring_after(seconds{15});
  config.dependencies[0].policy.circuit_breaker.enabled = true;
  config.dependencies[0].policy.rate_limit = {.enabled = true, .per_second = 20, .burst = 1};
  top.start(config);
  REQUIRE(top.wait(top.engine->control_breaker("d", opened(top))).ok());
  for (int i = 0; i < 100; ++i) top.publish("e" + std::to_string(i), "");
  top.settle(seconds{5});
  config.flows[0].policy.timeouts.event = hours{1};
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.settle(seconds{30});
  CHECK(top.quarantined().empty());
  REQUIRE(top.wait(top.engine->control_breaker("d", {.reason = "a test"})).ok());
  top.settle(seconds{7});
  CHECK(top.log.size() == 100);
  CHECK(top.served().front() == "e0");
}

TEST_CASE("what was held behind its key expires without a call, too") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "e0" ? 422 : 200; });
  Config config = config_expiring_after(minutes{1});
  config.flows[0].ordering_key = "subject";
  config.dependencies[0].policy.circuit_breaker.enabled = true;
  top.start(config);
  for (int i = 0; i < 5; ++i) top.publish("e" + std::to_string(i), "k");
  top.settle(seconds{1});
  REQUIRE(top.quarantined().size() == 1);
  REQUIRE(top.wait(top.engine->control_breaker("d", opened(top))).ok());
  const Delivery holder = top.quarantined().front();
  Delivery resolved = holder;
  resolved.state = DeliveryState::resolved;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  batch.mutations.emplace_back(ports::PutDelivery{resolved});
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.engine->settled_elsewhere(holder.ref, holder.key);
  top.settle(seconds{50});
  CHECK(top.quarantined().empty());
  top.settle(seconds{20});
  const auto rows = top.quarantined();  // the next holds the key again, as a failure would
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].event_id == "e1");
  check_expired(rows[0]);
  CHECK(top.log.size() == 1);
}

}  // namespace weir::delivery
