// SPDX-License-Identifier: Apache-2.0
#include "policy/approval.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

const WallTime kApprovalNow = from_micros(1'000'000'000);
constexpr Duration kHour = std::chrono::hours{1};

ActNow act_of_anna() {
  return {.act = ApprovalAct::replay, .target = "r7", .hash = "h1", .makers = {"anna"}};
}

Approval granted_by_bob() {
  return {.id = ApprovalId{3},
          .act = ApprovalAct::replay,
          .target = "r7",
          .hash = "h1",
          .what = "replay r7",
          .makers = {"anna"},
          .requested = kApprovalNow - kHour,
          .expires = kApprovalNow + kHour,
          .approver = "bob",
          .with = "t3",
          .granted = kApprovalNow - kHour};
}

}  // namespace

TEST_CASE("what needs an approval is what the configuration says") {
  const ApprovalsSpec none;
  CHECK(why_plan_needs_approval(none, {1'000'000, true, true}).empty());
  CHECK(why_settling_needs_approval(none, {1'000'000, true}).empty());
  CHECK(why_effect_needs_approval(none).empty());
  ApprovalsSpec spec{.replay_deliveries = 1000, .discard_deliveries = 0};
  CHECK(why_plan_needs_approval(spec, {1000, true, true}).empty());
  CHECK(why_plan_needs_approval(spec, {1001}) == "1001 deliveries, more than 1000");
  CHECK(why_settling_needs_approval(spec, {0}).empty());
  CHECK(why_settling_needs_approval(spec, {1}) == "1 deliveries, more than 0");
  CHECK(why_settling_needs_approval({.discard_deliveries = 5}, {1, true}).empty());
  CHECK(why_settling_needs_approval({.discard_in_doubt = true}, {1}).empty());
  CHECK(why_settling_needs_approval({.discard_in_doubt = true}, {1, true}) ==
        "some of it is in doubt");
  spec.replay_in_doubt = spec.replay_delivered = spec.effects_resolve = true;
  CHECK(why_plan_needs_approval(spec, {1}).empty());
  CHECK(why_plan_needs_approval(spec, {1, true}) == "some of it is in doubt");
  CHECK(why_plan_needs_approval(spec, {1, false, true}) == "it delivers again what was delivered");
  CHECK(why_plan_needs_approval(spec, {1, false, false, 1}).empty());
  spec.replay_edited = true;
  CHECK(why_plan_needs_approval(spec, {1, false, false, 1}) == "some of its events were edited");
  CHECK_FALSE(why_effect_needs_approval(spec).empty());
}

TEST_CASE("a person is a subject, whatever they came with") {
  CHECK(same_person("Anna@Example.org", "anna@example.org"));
  CHECK_FALSE(same_person("anna", "anna2"));
  std::vector<std::string> makers{"anna"};
  add_maker(makers, "ANNA");
  add_maker(makers, "bert");
  CHECK(makers == std::vector<std::string>{"anna", "bert"});
}

TEST_CASE("a yes is good for one act, once, in time, from another person who may still say it") {
  struct Row {
    const char* what;
    void (*change)(Approval&, ActNow&);
    bool still = true;
    bool good = false;
  };
  const Row rows[] = {
      {"as it was granted", [](Approval&, ActNow&) {}, true, true},
      {"may not approve any more", [](Approval&, ActNow&) {}, false},
      {"another act", [](Approval&, ActNow& a) { a.act = ApprovalAct::discard; }},
      {"another target", [](Approval&, ActNow& a) { a.target = "r8"; }},
      {"another hash", [](Approval&, ActNow& a) { a.hash = "h2"; }},
      {"not granted", [](Approval& y, ActNow&) { y.granted = {}; }},
      {"used", [](Approval& y, ActNow&) { y.used = kApprovalNow; }},
      {"void", [](Approval& y, ActNow&) { y.voided = kApprovalNow; }},
      {"expires now", [](Approval& y, ActNow&) { y.expires = kApprovalNow; }},
      {"about to expire", [](Approval& y, ActNow&) { y.expires = kApprovalNow + Duration{1}; },
       true, true},
      {"the approver does it", [](Approval&, ActNow& a) { a.makers = {"Bob"}; }},
      {"the approver changed it", [](Approval&, ActNow& a) { a.makers = {"anna", "BOB"}; }},
      {"the approver asked", [](Approval& y, ActNow&) { y.makers = {"bob"}; }},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Approval yes = granted_by_bob();
    ActNow act = act_of_anna();
    row.change(yes, act);
    CHECK(why_no_good(yes, act, row.still, kApprovalNow).empty() == row.good);
  }
}

TEST_CASE("a run goes on while its plan and its approver are what they were") {
  Approval used = granted_by_bob();
  used.used = kApprovalNow;
  CHECK(why_not_on(used, "h1", true).empty());
  CHECK(why_not_on(used, "h2", true) == "the plan is not the one that was approved");
  CHECK(why_not_on(used, "h1", false) == "bob, who approved it with t3, may not approve any more");
  used.break_glass = true;
  CHECK(why_not_on(used, "h1", false).empty());
  CHECK_FALSE(why_not_on(used, "h2", false).empty());
}

TEST_CASE("a yes is said by another person, to what is pending and was read") {
  Approval asked = granted_by_bob();
  asked.granted = {};
  CHECK(may_grant(asked, "bob", "", kApprovalNow).error().code == Code::plan_changed);
  CHECK(may_grant(asked, "bob", "h", kApprovalNow).error().code == Code::plan_changed);
  CHECK(may_grant(asked, "bob", "h1", kApprovalNow).ok());
  const auto refused = [](const Result<>& may, Code why) {
    return !may.ok() && may.error().code == why;
  };
  CHECK(refused(may_grant(asked, "bob", "h2", kApprovalNow), Code::plan_changed));
  CHECK(refused(may_grant(asked, "ANNA", "h1", kApprovalNow), Code::self_approval));
  CHECK(refused(may_grant(asked, "bob", "", asked.expires), Code::approval_over));
  CHECK(refused(may_grant(granted_by_bob(), "carol", "", kApprovalNow), Code::approval_over));
}

}  // namespace weir::policy
