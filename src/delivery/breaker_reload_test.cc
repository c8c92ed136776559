// SPDX-License-Identifier: Apache-2.0
// Breakers over a reload that takes away what they were for.
#include <doctest/doctest.h>

#include "delivery/engine.h"
#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::BenchTop;
using State = policy::Breaker::State;

Config config_with_paths() {
  Config config = BenchTop::config("");
  config.flows[0].path = "/bad";
  config.flows[0].where = R"({"id":[{"prefix":"x"}]})";
  config.flows.push_back(config.flows[0]);
  config.flows[1].name = "g";
  config.flows[1].path = "/good";
  config.flows[1].where = R"({"id":[{"prefix":"ok"}]})";
  auto& breaker = config.dependencies[0].policy.circuit_breaker;
  breaker.enabled = true;
  breaker.per_path = true;
  return config;
}

}  // namespace

TEST_CASE("the breaker of a path that nobody calls any more alarms nobody") {
  BenchTop top([](const std::string& id, std::uint32_t) { return id[0] == 'x' ? 503 : 200; });
  Config config = config_with_paths();
  top.start(config);
  for (int i = 0; i < 40; ++i) top.publish("x" + std::to_string(i), "");
  top.settle(milliseconds{500});
  auto& rails = top.engine->find_dispatcher("d")->guardrails();
  REQUIRE(rails.worst_breaker(top.clock->mono()).state(top.clock->mono()) == State::open);

  Config without = config;
  without.flows.erase(without.flows.begin());
  REQUIRE(top.wait(top.engine->apply(without)).ok());
  CHECK(rails.worst_breaker(top.clock->mono()).state(top.clock->mono()) == State::closed);
  top.settle(seconds{60});
  CHECK(rails.worst_breaker(top.clock->mono()).state(top.clock->mono()) == State::closed);

  REQUIRE(top.wait(top.engine->apply(config)).ok());  // back again
  top.settle(seconds{60});
  CHECK(rails.breaker("/bad").state(top.clock->mono()) != State::closed);
}

TEST_CASE("effects have a breaker of their own where some flow has any") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  Config config = config_with_paths();
  config.dependencies.push_back(config.dependencies[0]);
  config.dependencies[1].name = "bank";
  config.flows[0].effects = {"bank"};
  top.start(config);
  const auto paths = [&](std::string_view dependency) {
    std::string all;
    for (const auto& one : top.engine->find_dispatcher(dependency)->guardrails().breakers())
      all += one.path + " ";
    return all;
  };
  CHECK(paths("bank") == " (effects) ");
  CHECK(paths("d") == " /bad /good ");
}

TEST_CASE("a path that comes back is under the order that still stands") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  const Config config = config_with_paths();
  top.start(config);
  auto& rails = top.engine->find_dispatcher("d")->guardrails();
  CHECK(rails.breakers().size() == 3);  // known before anybody has called
  top.publish("x1", "");
  top.settle(seconds{1});
  Config without = config;
  without.flows.erase(without.flows.begin());
  const BreakerControl open{.order = BreakerOrder::open,
                            .until = top.clock->wall() + seconds{600},
                            .actor = "ana",
                            .reason = "a test"};
  REQUIRE(top.wait(top.engine->control_breaker("d", open)).ok());
  CHECK(rails.worst_breaker(top.clock->mono()).state(top.clock->mono()) == State::open);
  REQUIRE(top.wait(top.engine->apply(without)).ok());
  REQUIRE(top.wait(top.engine->apply(config)).ok());
  top.publish("x2", "");
  top.settle(seconds{60});
  CHECK(top.served() == std::vector<std::string>{"x1"});
}

TEST_CASE("a dependency that left the configuration is unknown") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  const Config config = BenchTop::config("");
  top.start(config);
  Config other = config;
  other.dependencies[0].name = "e";
  other.flows[0].dependency = "e";
  REQUIRE(top.wait(top.engine->apply(other)).ok());
  CHECK(top.engine->find_dispatcher("d") == nullptr);
  const auto refused = top.wait(
      top.engine->control_breaker("d", {.order = BreakerOrder::open, .reason = "a test"}));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::unknown_dependency);
  CHECK(refused.error().hint == "did you mean 'e'?");
}

}  // namespace weir::delivery
