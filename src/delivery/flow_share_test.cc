// SPDX-License-Identifier: Apache-2.0
// How the flows of one dependency share it, and where one of them stops beginning anything.
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

Config config_of_three_flows() {
  Config config = BenchTop::config("");
  config.dependencies[0].policy.concurrency.max_parallel_requests = 1;
  const FlowSpec one = config.flows[0];
  config.flows.clear();
  for (const Priority priority : {Priority::low, Priority::normal, Priority::high}) {
    FlowSpec flow = one;
    flow.priority = priority;
    flow.name = std::string{"lnh"[static_cast<std::size_t>(priority)]};
    flow.where = R"({"id":[{"prefix":")" + flow.name + R"("}]})";
    config.flows.push_back(flow);
  }
  return config;
}

std::int64_t served(const BenchTop& top, char flow, std::size_t first, std::size_t last) {
  return std::count_if(top.log.begin() + static_cast<std::ptrdiff_t>(first),
                       top.log.begin() + static_cast<std::ptrdiff_t>(last),
                       [flow](const testing::Served& one) { return one.id[0] == flow; });
}

}  // namespace

TEST_CASE("flows share a dependency by their priority, and none starves") {
  BenchTop top([](const std::string&, std::uint32_t) { return 200; });
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{10}}; };
  top.start(config_of_three_flows());
  for (int i = 0; i < 200; ++i) {
    for (const char flow : {'l', 'n', 'h'}) top.publish(flow + std::to_string(i), "");
  }
  top.settle();
  REQUIRE(top.log.size() == 600);
  // The first few went before all were published.
  CHECK(std::abs(served(top, 'l', 3, 213) - 10) <= 2);
  CHECK(std::abs(served(top, 'n', 3, 213) - 40) <= 4);
  CHECK(std::abs(served(top, 'h', 3, 213) - 160) <= 5);
  // Without high ones the others have all of it.
  CHECK(served(top, 'h', 275, 600) == 0);
}

TEST_CASE("a flow with too many waiting retries begins nothing new, says so, and goes on later") {
  bool broken = true;
  BenchTop top([&](const std::string&, std::uint32_t) { return broken ? 503 : 200; });
  Config config = BenchTop::config("");
  config.flows[0].policy.retry.max_waiting = 5;
  config.flows[0].policy.retry.max_attempts = 10;
  config.flows[0].policy.retry.back_off = {
      .base_interval = seconds{30}, .max_interval = seconds{30}, .jitter = Jitter::none};
  config.dependencies[0].policy.retry_constraint.percent = 100;
  config.dependencies[0].policy.concurrency.max_parallel_requests = 2;
  top.takes = [](const std::string&, std::uint32_t) { return Duration{milliseconds{5}}; };
  top.start(config);
  for (int i = 0; i < 50; ++i) top.publish("e" + std::to_string(i), "");
  top.settle(seconds{20});
  const std::size_t begun = top.log.size();
  CHECK(begun >= 5);
  CHECK(begun <= 5 + 2 * 2);  // and what was under way, or on its way to the store
  CHECK(top.engine->flow_views()[0].full_since != WallTime{});
  const auto& refusal = top.engine->find_dispatcher("d")->refusal();
  REQUIRE(refusal.has_value());
  CHECK(refusal->guardrail == Guardrail::memory);
  CHECK(refusal->reason.find("wait for a retry: no first attempts") != std::string::npos);

  broken = false;
  top.settle(hours{1});
  CHECK(top.log.size() == 50 + begun);
  CHECK(top.engine->flow_views()[0].full_since == WallTime{});
  CHECK(top.engine->flow_views()[0].retries == 0);
}

}  // namespace weir::delivery
