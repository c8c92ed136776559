// SPDX-License-Identifier: Apache-2.0
#include "recovery/hidden_question.h"

#include <doctest/doctest.h>

#include "recovery/quarantine.h"
#include "recovery/replays.h"
#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

const std::string kHit = R"({"subject":["octo/hello#17"]})";
const std::string kMiss = R"({"subject":[{"prefix":"x"}]})";

struct AskedDesk {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  ExplainDesk desk{[this](async::Executor executor) {
    return store::memory::open(std::move(executor), {.faults = faults});
  }};
  Replays replays{desk.bench.executor(), desk.bench.store(), desk.clock, desk.live};

  AskedDesk() {
    desk.redactions = policy::Redactions(
        {.rules = {{.kind = RedactionRule::Kind::attribute, .name = "subject"}}}, {}, "secret");
    desk.config.flows[0].key_is_redacted = true;
    desk.config.flows[0].key_secret = "secret";
    desk.live.settled_elsewhere = [](DeliveryRef, const std::string&) {};
    desk.publish(1);
    desk.quarantine(1, ago(60));
  }
  Result<Forecast> dry_run(Selection selection, std::string reason = "") {
    return desk.bench.run(replays.dry_run(
        {.selection = std::move(selection), .reason = std::move(reason), .actor = "anna"}));
  }
  std::vector<AuditEntry> reveals() {
    auto entries = *desk.bench.run(desk.bench.store().recovery().audit(~0ull >> 1, 50));
    std::erase_if(entries, [](const AuditEntry& one) { return one.action != "event.reveal"; });
    return entries;
  }
};

TEST_CASE("a dry run that asks about what is redacted needs a reason, hit or miss") {
  AskedDesk asked;
  for (const std::string& where : {kHit, kMiss}) {
    const auto refused = asked.dry_run({.flow = "sync-issues", .where = where});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Code::reason_required);
    CHECK(refused.error().detail.find("(subject)") != std::string::npos);
  }
  const auto by_key = asked.dry_run({.flow = "sync-issues", .key = "octo/hello#17"});
  CHECK(by_key.error().code == Code::reason_required);
  CHECK(asked.reveals().empty());
  CHECK(asked.dry_run({.flow = "sync-issues"}).ok());
  CHECK(asked.dry_run({.flow = "sync-issues", .where = R"({"type":["issues.opened"]})"}).ok());
}

TEST_CASE("what it asks about is in the audit with the reason, and the value is not") {
  AskedDesk asked;
  CHECK(asked.dry_run({.flow = "sync-issues", .where = kHit}, "ticket 1").ok());
  CHECK_FALSE(asked.dry_run({.flow = "sync-issues", .where = kMiss}, "ticket 2").ok());
  CHECK_FALSE(asked.desk.bench
                  .run(asked.replays.plan({.selection = {.flow = "sync-issues", .key = "x"},
                                           .reason = "ticket 3",
                                           .actor = "anna"}))
                  .ok());
  const std::vector<AuditEntry> entries = asked.reveals();  // newest first
  REQUIRE(entries.size() == 3);
  for (const AuditEntry& entry : entries) {
    CHECK(entry.actor == "anna");
    CHECK(entry.target == "sync-issues");
  }
  CHECK(entries[2].reason == "ticket 1");
  CHECK(entries[2].detail == "a dry run of a replay asks about subject");
  CHECK(entries[1].reason == "ticket 2");
  CHECK(entries[1].detail == "a dry run of a replay asks about subject");
  CHECK(entries[0].detail == "the plan of a replay asks about ordering key subject");
}

TEST_CASE("settling by what is redacted is audited, even if nothing matches") {
  AskedDesk asked;
  const auto settle = [&](std::string reason, bool dry_run) {
    return asked.desk.bench.run(settle_quarantined(
        asked.desk.bench.store(), asked.desk.clock, asked.desk.live, Settle::archive,
        {.flow = "sync-issues", .where = kMiss},
        {.actor = "anna", .subject = "anna", .reason = std::move(reason)}, dry_run));
  };
  CHECK(settle("", true).error().code == Code::reason_required);
  CHECK(settle("ticket 4", true).ok());
  CHECK(settle("ticket 5", false)->selected == 0);
  REQUIRE(asked.reveals().size() == 2);
  CHECK(asked.reveals()[0].detail == "quarantine.archive asks about subject");
}

TEST_CASE("what cannot be audited is not asked") {
  AskedDesk asked;
  asked.faults->fail_next_commit = true;
  CHECK_FALSE(asked.dry_run({.flow = "sync-issues", .where = kHit}, "ticket 1").ok());
  CHECK(asked.desk.bench.run(asked.desk.bench.store().recovery().audit(~0ull >> 1, 50))->empty());
}

}  // namespace
}  // namespace weir::recovery::testing
