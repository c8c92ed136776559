// SPDX-License-Identifier: Apache-2.0
#include "recovery/plan_edits.h"

#include <set>

#include <doctest/doctest.h>

#include "policy/plan_hash.h"
#include "recovery/replay_plan.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct PlanEditsDesk {
  ExplainDesk desk{
      [](async::Executor executor) { return store::memory::open(std::move(executor)); }};

  PlanEditsDesk() {
    desk.publish(2);
    desk.quarantine(1, ago(60));
    desk.quarantine(2, ago(50));
  }
  void edit(std::uint32_t number, const std::string& subject) {
    desk.bench.commit({ports::PutRevision{{.ref = ref(2),
                                           .number = number,
                                           .at = ago(40 - number),
                                           .editor = subject + " (token t1)",
                                           .subject = subject,
                                           .reason = "typo",
                                           .record = "r"}}});
  }
  // Of both deliveries, and gone again.
  ReplayPlan plan() {
    ReplayPlan wanted{.selection = {.flow = "sync-issues"}, .reason = "again", .makers = {"anna"}};
    auto made = desk.bench.run(make_plan(desk.bench.store(), desk.clock, desk.live, wanted));
    REQUIRE(made.ok());
    made->state = ReplayState::aborted;
    desk.bench.commit({ports::PutReplay{*made}});
    CHECK(made->counts.planned == 2);
    return made->plan;
  }
};

TEST_CASE("who edited an event of a plan is one of its makers, and the hash is of that revision") {
  PlanEditsDesk desk;
  const ReplayPlan before = desk.plan();
  CHECK(before.edited == 0);
  CHECK(before.revisions.empty());
  CHECK(before.makers == std::vector<std::string>{"anna"});
  desk.edit(2, "ben");
  const ReplayPlan once = desk.plan();
  desk.edit(3, "ANNA");
  const ReplayPlan twice = desk.plan();
  CHECK(once.edited == 1);
  CHECK(twice.edited == 1);
  CHECK(twice.makers == std::vector<std::string>{"anna", "ben"});
  const std::set<std::string> hashes{policy::plan_hash(before, {}), policy::plan_hash(once, {}),
                                     policy::plan_hash(twice, {})};
  CHECK(hashes.size() == 3);
  CHECK(policy::plan_hash(desk.plan(), {}) == policy::plan_hash(twice, {}));
}

}  // namespace
}  // namespace weir::recovery::testing
