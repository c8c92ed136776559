// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

void records(StoreBench& bench) {
  FlowTable& table = bench.store().flows();
  SUBCASE("a stream keeps its range when it is registered again") {
    bench.append(1, 3);
    StreamRecord renamed = stream(kStream, "renamed");
    renamed.dedupe_window = std::chrono::minutes{5};
    renamed.dedupe_max_entries = 7;
    bench.commit({PutStream{renamed}}, Lane::operate);
    const auto streams = bench.run(table.streams());
    REQUIRE(streams->size() == 1);
    CHECK((*streams)[0].name == "renamed");
    CHECK((*streams)[0].next_seq == 4);
    CHECK((*streams)[0].first_seq == 1);
    CHECK((*streams)[0].dedupe_window == std::chrono::minutes{5});
    CHECK((*streams)[0].dedupe_max_entries == 7);
  }
  SUBCASE("a flow keeps its cursor when it is registered again") {
    const Cursor cursor{.floor = 5, .mark = 40, .settled = {{7, 9}, {12, 13}}};
    bench.commit({PutCursor{kFlow, cursor}});
    FlowRecord renamed = flow(kFlow, "renamed");
    renamed.identity = "ship";
    renamed.epoch = 3;
    renamed.cursor = {.floor = 1, .mark = 1, .settled = {}};
    bench.commit({PutFlow{renamed}}, Lane::operate);
    const auto flows = bench.run(table.flows());
    REQUIRE(flows->size() == 1);
    CHECK((*flows)[0].name == "renamed");
    CHECK((*flows)[0].identity == "ship");
    CHECK((*flows)[0].stream == kStream);
    CHECK((*flows)[0].epoch == 3);
    CHECK((*flows)[0].cursor == cursor);
  }
  SUBCASE("a new flow starts at the cursor it brings") {
    FlowRecord late = flow(FlowId{2}, "late");
    late.cursor = {.floor = 9, .mark = 9, .settled = {}};
    bench.commit({PutFlow{late}}, Lane::operate);
    CHECK((*bench.run(table.flows()))[1].cursor == late.cursor);
  }
  SUBCASE("a flow's status has a reason and a time") {
    bench.commit({SetFlowStatus{kFlow, FlowStatus::paused, "by hand", at(7), PauseCause::person}},
                 Lane::operate);
    const FlowRecord record = (*bench.run(table.flows()))[0];
    CHECK(record.status == FlowStatus::paused);
    CHECK(record.reason == "by hand");
    CHECK(record.cause == PauseCause::person);
    CHECK(record.since == at(7));
  }
  SUBCASE("meta values are replaced") {
    CHECK(*bench.run(table.meta("k")) == std::nullopt);
    bench.commit({PutMeta{"k", "1"}, PutMeta{"k", std::string("2\0x", 3)}}, Lane::operate);
    CHECK(*bench.run(table.meta("k")) == std::string("2\0x", 3));
  }
}

void settlements(StoreBench& bench) {
  DeliveryTable& table = bench.store().deliveries();
  bench.append(1, 100);
  SUBCASE("each settlement is found with its time") {
    bench.commit({AddSettlements{
        kFlow, kStream, at(50), {{3, 204, 1500, 1}, {4, 204, 90, 1}, {9, 0, 0, 2}}}});
    bench.commit(
        {AddSettlements{kFlow, kStream, at(51), {{1, 200, 7, 1}, {5, 201, 4'000'000'000u, 77}}}});
    CHECK(*bench.run(table.settlement(kFlow, place(4))) ==
          std::pair(Settlement{4, 204, 90, 1}, at(50)));
    CHECK(*bench.run(table.settlement(kFlow, place(9))) ==
          std::pair(Settlement{9, 0, 0, 2}, at(50)));
    CHECK(*bench.run(table.settlement(kFlow, place(5))) ==
          std::pair(Settlement{5, 201, 4'000'000'000u, 77}, at(51)));
    CHECK(*bench.run(table.settlement(kFlow, place(2))) == std::nullopt);
    CHECK(*bench.run(table.settlement(kFlow, place(6))) == std::nullopt);
    CHECK(*bench.run(table.settlement(FlowId{2}, place(4))) == std::nullopt);
  }
  SUBCASE("the later settlement of an event counts") {
    bench.commit({AddSettlements{kFlow, kStream, at(50), {{3, 204, 1, 1}, {4, 204, 1, 1}}}});
    bench.commit({AddSettlements{kFlow, kStream, at(50), {{3, 200, 2, 1}, {4, 200, 2, 1}}}});
    CHECK((*bench.run(table.settlement(kFlow, place(4))))->first.status == 200);
  }
  SUBCASE("settlements far apart in one commit are found") {
    bench.commit({AddSettlements{
        kFlow, kStream, at(1), {{1, 200, 1, 1}, {90'000, 201, 2, 1}, {190'000, 202, 3, 1}}}});
    CHECK((*bench.run(table.settlement(kFlow, place(1))))->first.status == 200);
    CHECK((*bench.run(table.settlement(kFlow, place(90'000))))->first.status == 201);
    CHECK((*bench.run(table.settlement(kFlow, place(190'000))))->first.status == 202);
  }
  SUBCASE("none at all is no mutation") {
    bench.commit({AddSettlements{kFlow, kStream, at(1), {}}});
  }
}

void audit(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  for (int i = 1; i <= 5; ++i) {
    bench.commit({AddAudit{{.at = at(i),
                            .actor = "local:ann",
                            .action = "quarantine.resolve",
                            .target = fmt::format("t{}", i),
                            .reason = "r",
                            .detail = "d"}}},
                 Lane::operate);
  }
  SUBCASE("entries come newest first, in pages") {
    const auto first = bench.run(table.audit(1000, 2));
    REQUIRE(first->size() == 2);
    CHECK((*first)[0].target == "t5");
    CHECK((*first)[0].actor == "local:ann");
    CHECK((*first)[0].action == "quarantine.resolve");
    CHECK((*first)[0].reason == "r");
    CHECK((*first)[0].detail == "d");
    CHECK((*first)[0].at == at(5));
    CHECK((*first)[1].number == 4);
    const auto rest = bench.run(table.audit((*first)[1].number, 10));
    REQUIRE(rest->size() == 3);
    CHECK((*rest)[2].number == 1);
    CHECK(bench.run(table.audit(0, 10))->empty());
  }
}

void tokens(StoreBench& bench) {
  FlowTable& table = bench.store().flows();
  const AccessToken first{.id = TokenId{1},
                          .name = "laptop",
                          .subject = "anna",
                          .roles = {Role::operate, Role::approver},
                          .scope = {.streams = {"orders", "x"}, .flows = {"ship"}},
                          .created = at(1),
                          .expires = at(90),
                          .hash = std::string("\0\xff hash", 7)};
  const AccessToken second{.id = TokenId{2}, .name = "ci", .roles = {Role::producer}};
  CHECK(bench.run(table.tokens())->empty());
  bench.commit({PutToken{second}, PutToken{first}}, Lane::operate);
  SUBCASE("tokens are listed whole, by id") {
    CHECK(*bench.run(table.tokens()) == std::vector{first, second});
  }
  SUBCASE("what is put later replaces the whole row") {
    AccessToken revoked = first;
    revoked.revoked = at(5);
    revoked.scope = {};
    bench.commit({PutToken{revoked}}, Lane::operate);
    CHECK(*bench.run(table.tokens()) == std::vector{revoked, second});
  }
  SUBCASE("one that is dropped is gone, and dropping it again is nothing") {
    bench.commit({DropToken{TokenId{1}}, DropToken{TokenId{1}}}, Lane::operate);
    CHECK(*bench.run(table.tokens()) == std::vector{second});
  }
}

void approvals(StoreBench& bench) {
  FlowTable& table = bench.store().flows();
  const Approval first{.id = ApprovalId{1},
                       .act = ApprovalAct::effect,
                       .target = "e5",
                       .hash = "0123456789abcdef",
                       .what = "effect e5 as confirmed",
                       .why = "so it is",
                       .selection = {.flow = "f", .status = 422},
                       .references = {"f/s#1", "f/s#2"},
                       .asker = "anna",
                       .makers = {"anna", "bert"},
                       .reason = "seen",
                       .requested = at(1),
                       .expires = at(90),
                       .approver = "bob",
                       .with = "t3",
                       .said = "looked",
                       .granted = at(2),
                       .used = at(3),
                       .voided = at(4),
                       .break_glass = true,
                       .version = 3};
  const Approval second{.id = ApprovalId{2}, .version = 1};
  CHECK(bench.run(table.approvals())->empty());
  bench.commit({PutApproval{second}, PutApproval{first}}, Lane::operate);
  CHECK(*bench.run(table.approvals()) == std::vector{first, second});
  const auto put_if = [&](ApprovalId id, std::uint32_t version) {
    WriteBatch batch{.lane = Lane::operate};
    batch.preconditions.emplace_back(ApprovalIs{id, version});
    Approval next = second;
    next.id = id;
    next.version = version + 1;
    batch.mutations.emplace_back(PutApproval{next});
    return bench.try_commit(std::move(batch))->applied;
  };
  SUBCASE("of two who read the same version one writes") {
    CHECK(put_if(ApprovalId{2}, 1));
    CHECK_FALSE(put_if(ApprovalId{2}, 1));
    CHECK(bench.run(table.approvals())->back().version == 2);
  }
  SUBCASE("version 0 is one that is not there") {
    CHECK_FALSE(put_if(ApprovalId{1}, 0));
    CHECK(put_if(ApprovalId{3}, 0));
    CHECK(bench.run(table.approvals())->size() == 3);
  }
  SUBCASE("one that is dropped is gone, and dropping it again is nothing") {
    bench.commit({DropApproval{ApprovalId{1}}, DropApproval{ApprovalId{1}}}, Lane::operate);
    CHECK(*bench.run(table.approvals()) == std::vector{second});
  }
}

}  // namespace

void flow_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("records") { records(bench); }
  SUBCASE("settlements") { settlements(bench); }
  SUBCASE("audit") { audit(bench); }
  SUBCASE("tokens") { tokens(bench); }
  SUBCASE("approvals") { approvals(bench); }
}

}  // namespace weir::ports::testing
