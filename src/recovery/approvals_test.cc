// SPDX-License-Identifier: Apache-2.0
#include "recovery/approvals.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct ApprovalDesk {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  ExplainDesk desk{[this](async::Executor executor) {
    return store::memory::open(std::move(executor), {.faults = faults});
  }};
  ApprovalsSpec spec{.discard_deliveries = 1};
  bool good = true;  // what bob came with
  Approvals approvals{desk.bench.store(), desk.live};
  WallTime now = kNow;

  ApprovalDesk() {
    desk.live.approvals = [this]() -> const ApprovalsSpec& { return spec; };
    desk.live.may_approve = [this](const std::string&, const std::string&) { return good; };
  }
  static Wish wish(std::string hash = "h1") {
    return {.act = {.act = ApprovalAct::discard,
                    .target = "quarantine",
                    .hash = std::move(hash),
                    .makers = {"anna"}},
            .what = "discard of 3 deliveries",
            .why = "3 deliveries, more than 1"};
  }
  Result<ports::Consent> consent(Doer doer = {.actor = "anna", .subject = "anna"},
                                 std::string hash = "h1") {
    return desk.bench.run(approvals.consent(wish(std::move(hash)), std::move(doer), now));
  }
  Result<Approval> grant(ApprovalId id = ApprovalId{1}) {
    return desk.bench.run(approvals.grant(
        id, {.actor = "bob", .subject = "bob", .with = "t3", .reason = "looked", .hash = "h1"},
        now));
  }
  std::vector<Approval> all() { return *desk.bench.run(approvals.list()); }
  std::size_t entries() {
    return desk.bench.run(desk.bench.store().recovery().audit(~0ull >> 1, 10))->size();
  }
  // Whether what goes with the act could be written.
  bool act(const ports::Consent& consent) {
    ports::WriteBatch batch{.lane = ports::Lane::operate};
    ports::add_to(batch, consent);
    return desk.bench.try_commit(std::move(batch))->applied;
  }
};

TEST_CASE("without a yes there is one request, however often it is tried") {
  ApprovalDesk desk;
  CHECK(desk.consent().error().code == Code::approval_required);
  CHECK(desk.consent().error().code == Code::approval_required);
  REQUIRE(desk.all().size() == 1);
  CHECK(desk.entries() == 1);
  CHECK(desk.consent({.actor = "anna"}, "h2").error().code == Code::approval_required);
  CHECK(desk.all().size() == 2);
}

TEST_CASE("a reason has a bound") {
  ApprovalDesk desk;
  const std::string most(kApprovalReasonMax, 'x');
  CHECK(desk.consent({.actor = "anna", .reason = most + "x"}).error().code ==
        Code::invalid_argument);
  CHECK(desk.all().empty());
  CHECK(desk.consent({.actor = "anna", .reason = most}).error().code == Code::approval_required);
}

TEST_CASE("of two who take the same yes one can write it") {
  ApprovalDesk desk;
  (void)desk.consent();
  REQUIRE(desk.grant().ok());
  const auto first = desk.consent();
  const auto second = desk.consent();
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(desk.act(*first));
  CHECK_FALSE(desk.act(*second));
  CHECK(desk.all().front().state(desk.now) == ApprovalState::used);
  const auto third = desk.consent();
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().code == Code::approval_required);
}

TEST_CASE("a yes is asked for again when it is used") {
  ApprovalDesk desk;
  (void)desk.consent();
  REQUIRE(desk.grant().ok());
  CHECK(desk.grant().error().code == Code::approval_over);
  desk.good = false;
  CHECK(desk.consent().error().detail.find("may not approve any more") != std::string::npos);
  desk.good = true;
  desk.now += desk.spec.expires;
  CHECK(desk.consent().error().code == Code::approval_required);
}

TEST_CASE("what cannot be written was neither asked for nor granted") {
  ApprovalDesk desk;
  SUBCASE("a request") {
    desk.faults->fail_next_commit = true;
    CHECK(desk.consent().error().code == Code::store_failed);
    CHECK(desk.all().empty());
    CHECK(desk.entries() == 0);
  }
  SUBCASE("a yes") {
    (void)desk.consent();
    desk.faults->fail_next_commit = true;
    CHECK(desk.grant().error().code == Code::store_failed);
    REQUIRE(desk.all().size() == 1);
    CHECK(desk.all().front().state(desk.now) == ApprovalState::pending);
    CHECK(desk.entries() == 1);
  }
}

TEST_CASE("broken glass needs a reason, and is there once the act is") {
  ApprovalDesk desk;
  CHECK(desk.consent({.actor = "anna", .break_glass = true}).error().code == Code::reason_required);
  const auto broken = desk.consent({.actor = "anna", .reason = "fire", .break_glass = true});
  REQUIRE(broken.ok());
  CHECK(desk.all().empty());
  CHECK(desk.act(*broken));
  CHECK(desk.all().front().break_glass);
}

TEST_CASE("one person has so many requests and no more, in any spelling; others have theirs") {
  ApprovalDesk desk;
  for (std::size_t i = 0; i < kPendingPerAsker; ++i)
    CHECK(desk.consent({.subject = "anna"}, std::to_string(i)).error().code ==
          Code::approval_required);
  CHECK(desk.consent({.subject = "ANNA"}, "more").error().code == Code::too_many_approvals);
  CHECK(desk.consent({.subject = "anna"}, "1").error().code == Code::approval_required);
  CHECK(desk.all().size() == kPendingPerAsker);
  CHECK(desk.consent({.subject = "carol"}, "more").error().code == Code::approval_required);
  desk.now += desk.spec.expires;
  CHECK(desk.consent({.subject = "anna"}, "more").error().code == Code::approval_required);
}

// So many people that nobody is above their share.
void fill_approvals(ApprovalDesk& desk) {
  for (std::size_t i = 0; i < kApprovalsMax; ++i)
    (void)desk.consent({.subject = "p" + std::to_string(i / kPendingPerAsker)}, std::to_string(i));
  REQUIRE(desk.all().size() == kApprovalsMax);
}

TEST_CASE("broken glass needs no room: what waits longest goes, and the trail says so") {
  ApprovalDesk desk;
  fill_approvals(desk);
  const auto broken = desk.consent(
      {.actor = "root", .subject = "root", .reason = "fire", .break_glass = true});
  REQUIRE(broken.ok());
  CHECK(desk.act(*broken));
  const auto all = desk.all();
  CHECK(all.size() == kApprovalsMax);
  CHECK(all.front().id == ApprovalId{2});
  CHECK(all.back().break_glass);
  const auto trail = *desk.desk.bench.run(
      desk.desk.bench.store().recovery().audit(~0ull >> 1, kApprovalsMax));
  CHECK(std::ranges::count(trail, "approval.void", &AuditEntry::action) == 1);
}

TEST_CASE("what an admin takes back is void, and nobody can say yes to it") {
  ApprovalDesk desk;
  (void)desk.consent();
  const Doer root{.actor = "root", .subject = "root", .reason = "a flood"};
  const auto voids = [&](ApprovalId id) {
    return desk.desk.bench.run(desk.approvals.make_void(id, root, desk.now));
  };
  CHECK(voids(ApprovalId{9}).error().code == Code::unknown_approval);
  SUBCASE("a request") {}
  SUBCASE("a yes") { REQUIRE(desk.grant().ok()); }
  REQUIRE(voids(ApprovalId{1}).ok());
  CHECK(desk.all().front().state(desk.now) == ApprovalState::voided);
  CHECK(voids(ApprovalId{1}).error().code == Code::approval_over);
  CHECK(desk.grant().error().code == Code::approval_over);
  CHECK(desk.consent().error().code == Code::approval_required);
}

TEST_CASE("who goes on inherits the yes of another person, and no broken glass") {
  ApprovalDesk desk;
  const Doer anna{.actor = "anna", .subject = "anna", .reason = "again", .goes_on = true};
  SUBCASE("a yes") {
    (void)desk.consent();
    REQUIRE(desk.grant().ok());
    CHECK(desk.act(*desk.consent()));
    CHECK(desk.consent(anna).ok());
  }
  SUBCASE("broken glass") {
    const Doer root{.actor = "root", .subject = "root", .reason = "fire", .break_glass = true};
    CHECK(desk.act(*desk.consent(root)));
    CHECK(desk.consent(anna).error().code == Code::approval_required);
  }
}

TEST_CASE("there are so many requests and no more; what is over makes room") {
  ApprovalDesk desk;
  fill_approvals(desk);
  CHECK(desk.consent({.subject = "more"}, "more").error().code == Code::too_many_approvals);
  desk.now += desk.spec.expires;
  CHECK(desk.consent({.subject = "more"}, "more").error().code == Code::approval_required);
  CHECK(desk.all().size() == kApprovalsMax);
  CHECK(desk.all().back().id == ApprovalId{kApprovalsMax + 1});
}

}  // namespace
}  // namespace weir::recovery::testing
