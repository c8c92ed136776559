// SPDX-License-Identifier: Apache-2.0
#include "sim/under_policy.h"

#include <doctest/doctest.h>

namespace weir::sim {
namespace {

Scenario scenario(std::string policy, std::uint32_t attempts, double declared) {
  Scenario made{.name = policy, .policy = policy};
  FlowPlan flow{.load = {.rate = 280}};
  flow.spec.name = "orders";
  flow.spec.policy.retry.max_attempts = attempts;
  made.flows = {flow};
  DependencyPlan dependency{.server = {.workers = 3}};
  dependency.spec.name = "tracker";
  dependency.spec.capacity_per_second = declared;
  made.dependencies = {dependency};
  return made;
}

TEST_CASE("a scenario under another policy keeps its load, its servers and its faults") {
  Scenario mine = scenario("mine", 2, 0);
  mine.faults = {{.kind = FaultKind::pause, .lasts = std::chrono::seconds{10}}};
  Scenario other = scenario("theirs", 5, 300);
  other.flows[0].load.rate = 1;
  other.dependencies[0].server.workers = 1;
  const auto changed = under_policy(mine, other);
  REQUIRE(changed.ok());
  CHECK(changed->name == "mine");
  CHECK(changed->policy == "theirs");
  CHECK(changed->flows[0].load.rate == 280);
  CHECK(changed->flows[0].spec.policy.retry.max_attempts == 5);
  CHECK(changed->dependencies[0].server.workers == 3);
  CHECK(changed->dependencies[0].spec.capacity_per_second == 300);
  CHECK(changed->faults.size() == 1);
}

TEST_CASE("another side that lacks a name is refused, with the nearest one") {
  Scenario other = scenario("theirs", 5, 300);
  other.dependencies[0].spec.name = "traker";
  const auto changed = under_policy(scenario("mine", 2, 0), other);
  REQUIRE_FALSE(changed.ok());
  CHECK(changed.error().detail == "the other side has no dependency 'tracker'");
  CHECK(changed.error().hint == "did you mean 'traker'?");
}

}  // namespace
}  // namespace weir::sim
