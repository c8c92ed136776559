// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_hash.h"

#include <doctest/doctest.h>

namespace weir::policy {

TEST_CASE("whatever a plan will do is in its hash") {
  struct Row {
    const char* what;
    void (*change)(ReplayPlan&);
  };
  const Row rows[] = {
      {"selection", [](ReplayPlan& plan) { plan.selection.flow = "other"; }},
      {"preconditions", [](ReplayPlan& plan) { plan.preconditions.emplace_back(); }},
      {"rate", [](ReplayPlan& plan) { plan.rate.max_per_second *= 2; }},
      {"canary", [](ReplayPlan& plan) { plan.canary.count += 1; }},
      {"verification", [](ReplayPlan& plan) { plan.verify.checks.emplace_back(); }},
      {"stop conditions", [](ReplayPlan& plan) { plan.stop.failure_share.limit += 1; }},
      {"staleness", [](ReplayPlan& plan) { plan.staleness.expired = Stale::skip; }},
      {"terms", [](ReplayPlan& plan) { plan.terms.attempts += 1; }},
  };
  const ReplayPlan plan;
  for (const Row& row : rows) {
    CAPTURE(row.what);
    ReplayPlan other = plan;
    row.change(other);
    CHECK(plan_hash(other) != plan_hash(plan));
  }
}

TEST_CASE("who made a plan, and why, is not in its hash") {
  const ReplayPlan plan;
  ReplayPlan other = plan;
  other.actor = "anna";
  other.reason = "service v2";
  other.makers = {"anna"};
  CHECK(plan_hash(other) == plan_hash(plan));
}

}  // namespace weir::policy
