// SPDX-License-Identifier: Apache-2.0
#include "policy/plan_hash.h"

#include <doctest/doctest.h>

#include "wire/digest.h"

namespace weir::policy {
namespace {

std::string plan_hash(const ReplayPlan& plan) { return policy::plan_hash(plan, Redaction()); }

}  // namespace

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

TEST_CASE("nobody finds what a plan asks for by trying, without the secret of its store") {
  ReplayPlan plan;
  plan.selection.where = R"({ data: { iban: [DE02] } })";
  const Redaction here({}, nullptr, "one store");
  const Redaction there({}, nullptr, "another store");
  const std::string hash = policy::plan_hash(plan, here);
  CHECK(hash.size() == 64);
  CHECK(hash == policy::plan_hash(plan, Redaction({}, nullptr, "one store")));  // after a restart
  CHECK(hash != policy::plan_hash(plan, there));
  CHECK(hash != wire::sha256_hex(encode_replay_plan(plan)));
  // Nor by publishing what is hashed, and looking at its tag.
  CHECK(hash != wire::hmac_sha256_hex("one store", encode_replay_plan(plan)));
}

}  // namespace weir::policy
