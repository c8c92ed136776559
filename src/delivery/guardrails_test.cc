// SPDX-License-Identifier: Apache-2.0
// Guardrails at work: what they let through, what they stop, and that nothing gets stuck behind
// them.
#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BenchTop;

FlowRecord record_of(BenchTop& top) { return *top.engine->flow_views().front().record; }

Config config_with_brake(std::uint32_t in_a_row) {
  Config config = BenchTop::config("");
  config.flows[0].policy.dead_letter_brake.consecutive_quarantines = in_a_row;
  config.dependencies[0].policy.concurrency.max_parallel_requests = 4;
  return config;
}

// Two flows of one dependency: events whose id begins with x go to /bad, the others to /good.
Config config_with_paths() {
  Config config = BenchTop::config("");
  config.dependencies[0].policy.circuit_breaker = {
      .enabled = true, .per_path = true, .minimum_number_of_calls = 5};
  config.flows.push_back(config.flows[0]);
  config.flows[0].path = "/bad";
  config.flows[0].where = R"({"id": [{"prefix": "x"}]})";
  config.flows[1].name = "g";
  config.flows[1].path = "/good";
  config.flows[1].where = R"({"id": [{"prefix": "ok"}]})";
  return config;
}

}  // namespace

TEST_CASE("the dead-letter brake pauses a flow whose stream would end in quarantine") {
  bool broken = true;
  BenchTop top([&](const std::string&, std::uint32_t) { return broken ? 422 : 200; });
  const Config config = config_with_brake(10);
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{5}}; };
  top.start(config);
  for (int i = 0; i < 100; ++i) top.publish("e" + std::to_string(i), "");
  top.settle();
  CHECK(record_of(top).status == FlowStatus::paused);
  CHECK(record_of(top).cause == PauseCause::deadLetterBrake);
  CHECK(record_of(top).reason ==
        "dead-letter brake: 10 deliveries in a row went into quarantine, 100 % of 10 in 5 min 0 s");
  const std::size_t lost = top.quarantined().size();
  CHECK(lost >= 10);
  CHECK(lost <= 10 + 2 * 4);  // and what was under way until the pause was durable
  const auto audit = top.wait(top.store->recovery().audit(1000, 10));
  REQUIRE(audit->size() == 1);
  CHECK(audit->front().action == "flow.pause");
  CHECK(audit->front().actor == "weir");

  top.start(config);  // a restart keeps it
  top.settle();
  CHECK(record_of(top).cause == PauseCause::deadLetterBrake);
  CHECK(top.quarantined().size() == lost);

  broken = false;
  REQUIRE(top.wait(top.engine->resume("f", "fixed", "ana")).ok());
  top.settle();
  CHECK(record_of(top).cause == PauseCause::none);
  CHECK(top.quarantined().size() == lost);
  CHECK(top.log.size() == 100);
}

TEST_CASE("what a replay quarantines again does not trip the brake") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id[0] == 'x' ? 422 : 200; });
  top.start(config_with_brake(5));
  for (int i = 0; i < 12; ++i) top.publish((i % 3 == 0 ? "ok" : "x") + std::to_string(i), "");
  top.settle();
  REQUIRE(top.quarantined().size() == 8);
  auto rows = top.wait(top.store->deliveries().list({.state = DeliveryState::quarantined}));
  std::vector<DeliveryRef> refs;
  ports::WriteBatch batch{.lane = ports::Lane::operate};
  for (Delivery& row : *rows) {
    row.state = DeliveryState::ready;
    row.replay = ReplayId{1};
    refs.push_back(row.ref);
    batch.mutations.emplace_back(ports::PutDelivery{row});
  }
  REQUIRE(top.wait(top.store->writer().commit(std::move(batch))).ok());
  top.engine->release(refs, ReplayId{1});
  top.settle();
  CHECK(top.quarantined().size() == 8);
  CHECK(record_of(top).status == FlowStatus::active);
}

TEST_CASE("one failure pauses the flow under onFailure: pauseFlow") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id == "m1" ? 422 : 200; });
  Config config = BenchTop::config("subject");
  config.flows[0].on_failure = OnFailure::pauseFlow;
  top.start(config);
  for (const std::string id : {"m1", "m2", "m3"}) top.publish(id, "m");
  top.settle();
  CHECK(top.served() == std::vector<std::string>{"m1"});
  CHECK(record_of(top).cause == PauseCause::onFailure);
}

TEST_CASE("held keys keep moving by the minimum rate, however few first attempts there are") {
  BenchTop top([](const std::string&, std::uint32_t attempt) { return attempt < 4 ? 500 : 200; });
  Config config = BenchTop::config("subject");
  config.flows[0].policy.retry.max_attempts = 10;
  auto& constraint = config.dependencies[0].policy.retry_constraint;
  constraint = {.percent = 0, .min_retry_count = 1, .min_retry_interval = seconds{1}};
  constraint.tokens = {.capacity = 14, .cost_transient = 14};  // one retry, and then none
  top.start(config);
  for (int key = 0; key < 40; ++key) {
    const std::string name = std::to_string(key);
    top.publish("a" + name, name);
    top.publish("b" + name, name);
  }
  top.settle(seconds{600});
  CHECK(top.quarantined().size() == 0);
  CHECK(top.engine->flow_views().front().floor == 81);
  CHECK(top.engine->flow_views().front().held == 0);
}

TEST_CASE("a breaker per path stops one path and lets the others go on") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id[0] == 'x' ? 500 : 200; });
  top.start(config_with_paths());
  for (int i = 0; i < 50; ++i) {
    top.publish("x" + std::to_string(i), "");
    top.publish("ok" + std::to_string(i), "");
  }
  top.settle(seconds{1});
  const auto served = top.served();
  CHECK(std::ranges::count_if(served, [](const auto& id) { return id[0] == 'o'; }) == 50);
  CHECK(std::ranges::count_if(served, [](const auto& id) { return id[0] == 'x'; }) < 50 + 16);
  auto& rails = top.engine->find_dispatcher("d")->guardrails();
  const MonoTime now = top.clock->mono();
  CHECK(rails.breaker("/bad").state(now) == policy::Breaker::State::open);
  CHECK(rails.breaker("/good").state(now) == policy::Breaker::State::closed);
}

TEST_CASE(
    "a path that recovers beside a busy one comes back step by step, and takes nothing away") {
  bool broken = true;
  std::map<char, int> running;
  std::map<char, int> most;
  BenchTop top([&](const std::string& id, std::uint32_t) {
    --running[id[0]];
    return broken && id[0] == 'x' ? 500 : 200;
  });
  top.takes = [&](const std::string& id, std::uint32_t) {
    ++running[id[0]];
    most[id[0]] = std::max(most[id[0]], running[id[0]]);
    return Duration{milliseconds{50}};
  };
  Config config = config_with_paths();
  config.flows[0].policy.retry.max_attempts = 100;
  config.dependencies[0].policy.concurrency.max_parallel_requests = 20;
  config.dependencies[0].policy.circuit_breaker.wait_in_open_jitter = 0;
  top.start(config);
  for (int i = 0; i < 40; ++i) top.publish("x" + std::to_string(i), "");
  for (int i = 0; i < 4000; ++i) top.publish("ok" + std::to_string(i), "");
  auto& rails = top.engine->find_dispatcher("d")->guardrails();
  const auto state = [&] { return rails.breaker("/bad").state(top.clock->mono()); };
  top.settle(seconds{1});
  REQUIRE(state() == policy::Breaker::State::open);
  CHECK(running['o'] == 20);  // all slots, without those that are refused

  broken = false;
  most.clear();
  for (int i = 0; i < 2000 && state() != policy::Breaker::State::closed; ++i)
    top.pass(milliseconds{10});
  REQUIRE(state() == policy::Breaker::State::closed);
  CHECK(most['x'] == 3);  // the probes
  top.pass(milliseconds{60});
  CHECK(most['x'] <= 6);  // the first batch, or half of the second
  CHECK(rails.limit(top.clock->mono()) == 20);
  const std::size_t before = top.log.size();
  top.pass(seconds{1});
  CHECK(top.log.size() - before >= 380);  // all slots: 20 calls in each 50 ms
  CHECK(rails.breaker("/good").state(top.clock->mono()) == policy::Breaker::State::closed);
  top.settle(seconds{60});
  CHECK(top.quarantined().size() == 0);
  CHECK(top.engine->flow_views()[0].floor == 4041);
  CHECK(top.engine->flow_views()[1].floor == 4041);
}

TEST_CASE("a RateLimit header without calls left holds everybody, and costs no attempt") {
  std::vector<MonoTime> called;
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.takes = [&](const std::string&, std::uint32_t) {
    called.push_back(top.clock->mono());
    return Duration{milliseconds{10}};
  };
  top.headers = [](const std::string& id,
                   std::uint32_t) -> std::vector<std::pair<std::string, std::string>> {
    if (id != "e0") return {};
    return {{"ratelimit-policy", R"("default";q=100;w=60)"},
            {"ratelimit", R"("default";r=0;t=30)"}};
  };
  Config config = BenchTop::config("");
  config.dependencies[0].policy.concurrency.max_parallel_requests = 1;
  top.start(config);
  for (int i = 0; i < 5; ++i) top.publish("e" + std::to_string(i), "");
  top.settle(seconds{20});
  REQUIRE(called.size() == 1);
  const auto& refusal = top.engine->find_dispatcher("d")->refusal();
  REQUIRE(refusal);
  CHECK(refusal->guardrail == Guardrail::rateLimit);
  CHECK(refusal->reason == "the server asked us to wait");
  CHECK(refusal->until == called[0] + milliseconds{10} + seconds{30});
  top.settle(seconds{60});
  REQUIRE(called.size() == 5);
  CHECK(called[1] == called[0] + milliseconds{10} + seconds{30});
  // 100 in 60 s: what the server told of its pace goes on after the hold.
  for (std::size_t i = 2; i < called.size(); ++i)
    CHECK(called[i] - called[i - 1] >= milliseconds{600});
  for (const auto& one : top.log) CHECK(one.attempt == 1);
  CHECK(top.quarantined().size() == 0);
}

TEST_CASE("a breaker in shadow mode stops nothing and counts what it would have stopped") {
  BenchTop top([](const std::string&, std::uint32_t) { return 500; });
  Config config = BenchTop::config("");
  config.flows[0].policy.retry.max_attempts = 1;
  config.dependencies[0].policy.circuit_breaker = {.mode = Mode::shadow,
                                                   .minimum_number_of_calls = 5};
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{10}}; };
  config.dependencies[0].policy.concurrency.max_parallel_requests = 2;
  top.start(config);
  for (int i = 0; i < 40; ++i) top.publish("e" + std::to_string(i), "");
  top.settle(seconds{3});
  CHECK(top.log.size() == 40);
  auto& rails = top.engine->find_dispatcher("d")->guardrails();
  CHECK(rails.denials(Guardrail::breaker) == 0);
  CHECK(rails.shadow_denials(Guardrail::breaker) >= 30);
}

TEST_CASE("calls that are too slow open the breaker") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{900}}; };
  Config config = BenchTop::config("");
  config.dependencies[0].policy.circuit_breaker = {
      .slow_call_rate_threshold = 80,
      .slow_call_duration_threshold = milliseconds{500},
      .minimum_number_of_calls = 5};
  config.dependencies[0].policy.concurrency.max_parallel_requests = 5;
  top.start(config);
  for (int i = 0; i < 40; ++i) top.publish("e" + std::to_string(i), "");
  top.settle(seconds{2});
  CHECK(top.log.size() == 5);
  const auto& refusal = top.engine->find_dispatcher("d")->refusal();
  REQUIRE(refusal);
  CHECK(refusal->reason.find("100 % of 5 calls took longer than 500 ms") != std::string::npos);
  top.settle(seconds{600});
  CHECK(top.log.size() > 5);  // probes
}

TEST_CASE(
    "a breaker opened by hand stays open over a reload and a restart, until its time is over") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = BenchTop::config("");
  top.start(config);
  const BreakerControl control{BreakerOrder::open, top.clock->wall(),
                               top.clock->wall() + std::chrono::minutes{10}, "local:ana", "move"};
  CHECK_FALSE(top.wait(top.engine->control_breaker("x", control)).ok());
  REQUIRE(top.wait(top.engine->control_breaker("d", control)).ok());
  top.publish("a", "");
  top.settle(seconds{5});
  CHECK(top.log.empty());
  config.dependencies[0].policy.circuit_breaker.minimum_number_of_calls = 7;
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.settle(seconds{5});
  CHECK(top.log.empty());
  top.start(config);
  top.settle(seconds{5});
  CHECK(top.log.empty());
  REQUIRE(top.engine->find_dispatcher("d")->control() != nullptr);
  CHECK(*top.engine->find_dispatcher("d")->control() == control);
  const auto audit = top.wait(top.store->recovery().audit(1000, 10));
  REQUIRE(audit->size() == 1);
  CHECK(audit->front().action == "dependency.open");
  top.settle(std::chrono::minutes{11});
  CHECK(top.log.size() == 1);
  CHECK(top.engine->find_dispatcher("d")->control() == nullptr);
}

TEST_CASE("a breaker given back to its calls lets them go at once") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.start(BenchTop::config(""));
  REQUIRE(top.wait(top.engine->control_breaker(
                       "d", {BreakerOrder::open, top.clock->wall(), {}, "local:ana", "move"}))
              .ok());
  top.publish("a", "");
  top.settle(std::chrono::hours{2});
  CHECK(top.log.empty());
  REQUIRE(top.wait(top.engine->control_breaker(
                       "d", {BreakerOrder::automatic, top.clock->wall(), {}, "local:ana", "moved"}))
              .ok());
  top.settle(seconds{1});
  CHECK(top.log.size() == 1);
}

TEST_CASE("a backlog that grew too old during a pause does not trip the brake when it is resumed") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = config_with_brake(5);
  config.flows[0].policy.timeouts.event = seconds{60};
  top.start(config);
  REQUIRE(top.wait(top.engine->pause("f", "night", "ana")).ok());
  for (int i = 0; i < 20; ++i) top.publish("e" + std::to_string(i), "");
  top.pass(seconds{120});
  REQUIRE(top.wait(top.engine->resume("f", "morning", "ana")).ok());
  top.settle();
  CHECK(top.quarantined().size() == 20);
  CHECK(record_of(top).status == FlowStatus::active);
}

}  // namespace weir::delivery
