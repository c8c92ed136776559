// SPDX-License-Identifier: Apache-2.0
#include "recovery/edit.h"

#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct EditDesk {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  ExplainDesk desk{[this](async::Executor executor) {
    return store::memory::open(std::move(executor), {.faults = faults});
  }};
  Delivery row;

  EditDesk() {
    desk.config.flows[0].edit.allowed = true;
    desk.publish(1);
    row = desk.quarantine(1, ago(60));
    row = stored();
  }
  ports::Store& store() { return desk.bench.store(); }
  Delivery stored() { return **desk.bench.run(store().deliveries().get(ref(1))); }
  void put(const Delivery& changed) { desk.bench.commit({ports::PutDelivery{changed}}); }

  Result<EditDocument> document() {
    return desk.bench.run(edit_document(store(), desk.live, "github#1", "sync-issues"));
  }
  Result<EditResult> edit(const std::string& base, std::string data, std::string reason = "typo") {
    return desk.bench.run(edit_delivery(store(), desk.clock, desk.live,
                                        {.reference = "sync-issues/github#1",
                                         .flow = {},
                                         .base = base,
                                         .edit = {.data = std::move(data)},
                                         .reason = std::move(reason),
                                         .actor = "ann",
                                         .event_bytes = 1000}));
  }
  std::size_t revisions() { return desk.bench.run(store().deliveries().revisions(ref(1)))->size(); }
  std::vector<AuditEntry> audit() {
    return *desk.bench.run(store().recovery().audit(~0ull >> 1, 10));
  }
};

template <class T>
Code refusal(const Result<T>& result) {
  return result.ok() ? Code::internal : result.error().code;
}

TEST_CASE("edit: a revision, its row and its audit entry are one") {
  EditDesk desk;
  const EditDocument before = *desk.document();
  CHECK(before.data == R"({"n":1})");
  const auto made = desk.edit(before.base, R"({"n":2})");
  REQUIRE(made.ok());
  CHECK(made->made.revision == 2);
  CHECK(made->made.base == desk.document()->base);
  CHECK(made->made.base != before.base);
  const Delivery row = desk.stored();
  CHECK(row.revision == 2);
  CHECK(row.state == DeliveryState::quarantined);
  CHECK(row.group == desk.row.group);
  CHECK(row.changed_at == desk.row.changed_at + Duration{1});
  CHECK(row.history.back().note == "revision 2 by ann: typo");
  REQUIRE(desk.audit().size() == 1);
  const AuditEntry entry = desk.audit()[0];
  CHECK(entry.action == "delivery.edit");
  CHECK(entry.target == "github#1");
  CHECK(entry.detail == fmt::format("flow sync-issues revision 2, {} -> {}, changed in 1 places",
                                    before.base, made->made.base));
  const DeliveryExplanation told = desk.desk.ask("github#1").deliveries.at(0);
  REQUIRE(told.revisions.size() == 1);
  CHECK(told.revisions[0].changes.at(0).pointer == "/n");
  CHECK(told.why.at(0).starts_with("rule http.422"));
  CHECK(told.next.at(0) == "weir replay plan github#1 --flow sync-issues --dry-run");
}

TEST_CASE("edit: what cannot be audited is not edited") {
  EditDesk desk;
  const std::string base = desk.document()->base;
  desk.faults->fail_next_commit = true;
  CHECK_FALSE(desk.edit(base, R"({"n":2})").ok());
  CHECK(desk.stored() == desk.row);
  CHECK(desk.revisions() == 0);
  CHECK(desk.audit().empty());
}

TEST_CASE("edit: who is late is told by whom, and writes nothing") {
  EditDesk desk;
  const std::string base = desk.document()->base;
  REQUIRE(desk.edit(base, R"({"n":2})").ok());
  const auto late = desk.edit(base, R"({"n":3})");
  REQUIRE(refusal(late) == Code::edit_conflict);
  CHECK(late.error().detail.starts_with("ann made revision 2 at "));
  CHECK(desk.revisions() == 1);
  CHECK(refusal(desk.edit("", R"({"n":3})")) == Code::edit_conflict);
}

TEST_CASE("edit: when it is refused") {
  EditDesk desk;
  const std::string base = desk.document()->base;
  Delivery row = desk.row;
  Code wanted = Code::wrong_state;
  SUBCASE("off") {
    desk.desk.config.flows[0].edit.allowed = false;
    wanted = Code::edit_off;
  }
  SUBCASE("the flow is not configured any more") {
    desk.desk.config.flows.clear();
    wanted = Code::edit_off;
  }
  for (const DeliveryState state : {DeliveryState::ready, DeliveryState::inFlight,
                                    DeliveryState::waiting, DeliveryState::resolved}) {
    const std::string name(to_text(state));
    SUBCASE(name.c_str()) { row.state = state; }
  }
  SUBCASE("in doubt") {
    row.in_doubt = true;
    wanted = Code::edit_unsafe;
  }
  for (const EffectState state :
       {EffectState::sent, EffectState::confirmed, EffectState::inDoubt}) {
    const std::string name(to_text(state));
    SUBCASE(name.c_str()) {
      Effect effect = ports::testing::effect(1, "k");
      effect.state = state;
      desk.desk.bench.commit({ports::PutEffect{effect}});
      wanted = Code::edit_unsafe;
    }
  }
  SUBCASE("planned") {
    const Replay plan = ports::testing::replay({.flow = "sync-issues"}, kNow);
    const ReplayId id = desk.desk.bench.commit({ports::CreateReplay{plan}}).replay;
    desk.desk.bench.commit({ports::AddReplayItems{id, {ref(1)}}});
    wanted = Code::already_in_replay;
  }
  desk.put(row);
  CHECK(refusal(desk.document()) == wanted);
  CHECK(refusal(desk.edit(base, R"({"n":2})")) == wanted);
  CHECK(desk.revisions() == 0);
  CHECK(desk.audit().empty());
}

TEST_CASE("edit: an effect that certainly did not happen is none") {
  EditDesk desk;
  Effect effect = ports::testing::effect(1, "k");
  effect.state = EffectState::failedNoEffect;
  desk.desk.bench.commit({ports::PutEffect{effect}});
  CHECK(desk.edit(desk.document()->base, R"({"n":2})").ok());
}

TEST_CASE("edit: without a reason, and too often") {
  EditDesk desk;
  CHECK(refusal(desk.edit(desk.document()->base, R"({"n":2})", "")) == Code::reason_required);
  for (std::uint32_t number = 2; number <= kRevisionsMax; ++number) {
    const auto made = desk.edit(desk.document()->base, fmt::format("{{\"n\":{}}}", number));
    REQUIRE(made.ok());
    CHECK(made->made.revision == number);
  }
  CHECK(refusal(desk.document()) == Code::invalid_argument);
  CHECK(desk.revisions() == kRevisionsMax - 1);
}

}  // namespace
}  // namespace weir::recovery::testing
