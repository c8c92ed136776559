// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

void preconditions(StoreBench& bench) {
  bench.commit({PutDelivery{delivery(1, DeliveryState::quarantined)}});
  const ReplayId id =
      bench.commit({CreateReplay{replay({.flow = "ship"}, at(1))}}, Lane::operate).replay;
  bench.commit({AddReplayItems{id, {ref(1)}}}, Lane::operate);
  const auto applies = [&](const Precondition& precondition) {
    WriteBatch batch{.preconditions = {FlowEpochIs{kFlow, 1}, precondition},
                     .mutations = {PutMeta{"k", "v"}}};
    const auto receipt = bench.try_commit(std::move(batch));
    REQUIRE(receipt.ok());
    if (!receipt->applied) CHECK(receipt->failed_precondition == 1);
    CHECK(bench.run(bench.store().flows().meta("k"))->has_value() == receipt->applied);
    return receipt->applied;
  };
  SUBCASE("DeliveryIs") { CHECK(applies(DeliveryIs{ref(1), DeliveryState::quarantined})); }
  SUBCASE("DeliveryIs in another state") {
    CHECK(!applies(DeliveryIs{ref(1), DeliveryState::waiting}));
  }
  SUBCASE("DeliveryIs that changed just then") {
    const WallTime changed = delivery(1, DeliveryState::quarantined).changed_at;
    CHECK(applies(DeliveryIs{ref(1), DeliveryState::quarantined, changed}));
  }
  SUBCASE("DeliveryIs that changed at another time") {
    const WallTime changed = delivery(1, DeliveryState::quarantined).changed_at;
    CHECK(!applies(DeliveryIs{ref(1), DeliveryState::quarantined, changed + Duration{1}}));
  }
  SUBCASE("DeliveryIs without a row") {
    CHECK(!applies(DeliveryIs{ref(2), DeliveryState::quarantined}));
  }
  SUBCASE("ReplayIs") { CHECK(applies(ReplayIs{id, ReplayState::planning})); }
  SUBCASE("ReplayIs in another state") { CHECK(!applies(ReplayIs{id, ReplayState::running})); }
  SUBCASE("ReplayIs without a replay") {
    CHECK(!applies(ReplayIs{ReplayId{9}, ReplayState::planning}));
  }
  SUBCASE("ReplayItemIs") { CHECK(applies(ReplayItemIs{id, ref(1), ItemState::planned})); }
  SUBCASE("ReplayItemIs in another state") {
    CHECK(!applies(ReplayItemIs{id, ref(1), ItemState::claimed}));
  }
  SUBCASE("ReplayItemIs without an item") {
    CHECK(!applies(ReplayItemIs{id, ref(2), ItemState::planned}));
  }
  SUBCASE("FlowEpochIs an older one") { CHECK(!applies(FlowEpochIs{kFlow, 0})); }
  SUBCASE("FlowEpochIs without a flow") { CHECK(!applies(FlowEpochIs{FlowId{9}, 1})); }
}

// Batches that are on their way at the same time share transactions; each must see those before it.
void concurrent(StoreBench& bench) {
  SUBCASE("of two claims of one delivery exactly one applies") {
    bench.commit({PutDelivery{delivery(1, DeliveryState::quarantined)}});
    std::vector<std::optional<Result<Receipt>>> results(8);
    for (auto& result : results) {
      WriteBatch claim{.lane = Lane::operate,
                       .preconditions = {DeliveryIs{ref(1), DeliveryState::quarantined}},
                       .mutations = {PutDelivery{delivery(1, DeliveryState::ready)},
                                     AddAudit{{.action = "claim"}}}};
      bench.start(bench.store().writer().commit(std::move(claim)), result);
    }
    bench.wait(
        [&] { return std::ranges::all_of(results, [](const auto& r) { return r.has_value(); }); });
    int applied = 0;
    for (const auto& result : results) applied += (*result)->applied ? 1 : 0;
    CHECK(applied == 1);
    CHECK(bench.run(bench.store().recovery().audit(1000, 10))->size() == 1);
  }
  SUBCASE("the same new event in many batches is stored once") {
    std::vector<std::optional<Result<Receipt>>> results(20);
    for (auto& result : results) {
      WriteBatch batch{.lane = Lane::ingest,
                       .mutations = {AppendEvents{kStream, {event("a"), event("b")}, at(1)}}};
      bench.start(bench.store().writer().commit(std::move(batch)), result);
    }
    bench.wait(
        [&] { return std::ranges::all_of(results, [](const auto& r) { return r.has_value(); }); });
    int stored = 0;
    for (const auto& result : results) {
      for (const AppendResult& one : (*result)->appended)
        stored += one.status == AppendStatus::stored ? 1 : 0;
    }
    CHECK(stored == 2);
    CHECK(bench.run(bench.store().events().read(kStream, 1, 100, 1 << 20))->size() == 2);
  }
  SUBCASE("batches of one lane commit in call order") {
    std::vector<std::optional<Result<Receipt>>> results(50);
    for (std::size_t i = 0; i < results.size(); ++i) {
      WriteBatch batch{.lane = Lane::ingest,
                       .mutations = {AppendEvents{kStream, {event(fmt::format("e{}", i))}, at(1)}}};
      bench.start(bench.store().writer().commit(std::move(batch)), results[i]);
    }
    bench.wait(
        [&] { return std::ranges::all_of(results, [](const auto& r) { return r.has_value(); }); });
    for (std::size_t i = 0; i < results.size(); ++i) CHECK((*results[i])->appended[0].seq == i + 1);
  }
}

void refused(StoreBench& bench) {
  const auto refuse = [&](std::vector<Mutation> mutations, Code code) {
    mutations.insert(mutations.begin(), PutMeta{"k", "v"});
    const auto receipt = bench.try_commit(
        {.lane = Lane::operate, .mutations = std::move(mutations)});
    REQUIRE(!receipt.ok());
    CHECK(receipt.error().code == code);
    CHECK(!bench.run(bench.store().flows().meta("k"))->has_value());
    CHECK(bench.try_commit({.mutations = {PutMeta{"after", "v"}}}).ok());
  };
  const StreamId unknown{9};
  SUBCASE("append to an unknown stream") {
    refuse({AppendEvents{unknown, {event("a")}, at(1)}}, Code::unknown_stream);
  }
  SUBCASE("trim an unknown stream") { refuse({TrimStream{unknown, 5, {}}}, Code::unknown_stream); }
  SUBCASE("cursor of an unknown flow") { refuse({PutCursor{FlowId{9}, {}}}, Code::unknown_flow); }
  SUBCASE("settlements of an unknown flow") {
    refuse({AddSettlements{FlowId{9}, kStream, at(1), {{1, 204, 1, 1}}}}, Code::unknown_flow);
  }
  SUBCASE("status of an unknown flow") {
    refuse({SetFlowStatus{FlowId{9}, FlowStatus::paused, "", at(1)}}, Code::unknown_flow);
  }
  SUBCASE("a broken cursor") {
    refuse({PutCursor{kFlow, {.floor = 5, .mark = 9, .settled = {{6, 6}}}}},
           Code::invalid_argument);
  }
  SUBCASE("settlements out of order") {
    refuse({AddSettlements{kFlow, kStream, at(1), {{2, 204, 1, 1}, {1, 204, 1, 1}}}},
           Code::invalid_argument);
  }
  SUBCASE("a stream id out of range") {
    refuse({PutStream{stream(StreamId{40'000}, "x")}}, Code::invalid_argument);
  }
  SUBCASE("names made earlier in the batch count") {
    bench.commit({PutStream{stream(StreamId{2}, "new")},
                  PutFlow{flow(FlowId{2}, "new", StreamId{2})},
                  AppendEvents{StreamId{2}, {event("a")}, at(1)},
                  PutCursor{FlowId{2}, {.floor = 1, .mark = 3}}});
    CHECK(bench.run(bench.store().events().read(StreamId{2}, 1, 10, 1000))->size() == 1);
  }
}

}  // namespace

void batch_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("preconditions") { preconditions(bench); }
  SUBCASE("batches in flight together") { concurrent(bench); }
  SUBCASE("refused batches leave nothing behind") { refused(bench); }
}

}  // namespace weir::ports::testing
