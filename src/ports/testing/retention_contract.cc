// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

void trimming(StoreBench& bench) {
  bench.append(1, 20, at(10));
  EventLog& log = bench.store().events();
  SUBCASE("trimmed events are gone, and their numbers are not used again") {
    bench.commit({TrimStream{kStream, 21, {}}}, Lane::operate);
    CHECK(bench.run(log.read(kStream, 0, 100, 1 << 20))->empty());
    CHECK(bench.run(log.fetch({ref(3)}))->empty());
    CHECK(*bench.run(log.seek(kStream, at(1))) == 21);
    const StreamRecord record = (*bench.run(bench.store().flows().streams()))[0];
    CHECK(record.first_seq == 21);
    CHECK(record.next_seq == 21);
    CHECK(bench.append(21, 21, at(11))[0].seq == 21);
  }
  SUBCASE("trimming stops at the end of the stream and never goes back") {
    bench.commit({TrimStream{kStream, 5, {}}}, Lane::operate);
    bench.commit({TrimStream{kStream, 3, {}}}, Lane::operate);
    CHECK((*bench.run(bench.store().flows().streams()))[0].first_seq == 5);
    CHECK((*bench.run(log.read(kStream, 0, 1, 1)))[0].position == place(5));
    bench.commit({TrimStream{kStream, 1000, {}}}, Lane::operate);
    CHECK((*bench.run(bench.store().flows().streams()))[0].first_seq == 21);
    CHECK((*bench.run(bench.store().flows().streams()))[0].next_seq == 21);
  }
  SUBCASE("what open rows and the caller need is kept") {
    bench.commit({PutDelivery{delivery(2, DeliveryState::waiting)},
                  PutDelivery{delivery(3, DeliveryState::done)},
                  PutDelivery{delivery(4, DeliveryState::quarantined, FlowId{2})},
                  PutDelivery{delivery(15, DeliveryState::waiting)}});
    bench.commit({TrimStream{kStream, 11, {ref(7), ref(15), ref(99)}}}, Lane::operate);
    const auto kept = bench.run(log.fetch({ref(2), ref(3), ref(4, FlowId{2}), ref(4), ref(7)}));
    REQUIRE(kept->size() == 3);
    CHECK((*kept)[0].position == place(2));
    CHECK((*kept)[0].record == event("e2").record);
    CHECK((*kept)[1].position == place(4));
    CHECK((*kept)[2].position == place(7));
    CHECK(bench.run(log.read_kept(kFlow, {}, 10))->size() == 2);
  }
  SUBCASE("settled rows and settlements go with their events, open rows stay") {
    bench.commit(
        {PutDelivery{delivery(2, DeliveryState::waiting)},
         PutDelivery{delivery(3, DeliveryState::resolved)}, KeepEvent{ref(3)},
         PutDelivery{delivery(12, DeliveryState::resolved)},
         AddSettlements{kFlow, kStream, at(1), {{1, 204, 1, 1}, {4, 204, 1, 1}, {13, 204, 1, 1}}}});
    bench.commit({TrimStream{kStream, 11, {}}}, Lane::operate);
    DeliveryTable& table = bench.store().deliveries();
    CHECK(bench.run(table.get(ref(2)))->has_value());
    CHECK(!bench.run(table.get(ref(3)))->has_value());
    CHECK(bench.run(table.get(ref(12)))->has_value());
    CHECK(bench.run(log.fetch({ref(3)}))->empty());
    CHECK(!bench.run(table.settlement(kFlow, place(4)))->has_value());
    CHECK(bench.run(table.settlement(kFlow, place(13)))->has_value());
  }
  SUBCASE("a trimmed event is not remembered as a duplicate") {
    bench.commit({TrimStream{kStream, 11, {}}}, Lane::operate);
    const auto results = bench.append(10, 11, at(11));
    CHECK(results[0].status == AppendStatus::stored);
    CHECK(results[0].seq == 21);
    CHECK(results[1].status == AppendStatus::duplicate);
    CHECK(results[1].seq == 11);
  }
}

void removal(StoreBench& bench) {
  bench.append(1, 5);
  const FlowId other{2};
  for (const FlowId id : {kFlow, other}) {
    bench.commit(
        {PutFlow{flow(id, id == kFlow ? "ship" : "bill")},
         PutDelivery{delivery(1, DeliveryState::quarantined, id)}, join(1, "aaaa", at(5), id),
         KeepEvent{ref(1, id)},
         PutHold{{.flow = id, .key = "k", .holder = place(1), .first = 2, .last = 3, .count = 2}},
         AddSettlements{id, kStream, at(1), {{4, 204, 1, 1}}}});
  }
  bench.commit({RemoveFlow{kFlow}}, Lane::operate);
  Store& store = bench.store();
  CHECK(bench.run(store.flows().flows())->size() == 1);
  CHECK(bench.run(store.flows().counts())->size() == 1);
  CHECK(!bench.run(store.deliveries().get(ref(1)))->has_value());
  CHECK(bench.run(store.deliveries().holds(kFlow))->empty());
  CHECK(bench.run(store.events().read_kept(kFlow, {}, 10))->empty());
  CHECK(!bench.run(store.deliveries().settlement(kFlow, place(4)))->has_value());
  const auto groups = bench.run(store.recovery().groups({.with_closed = true, .with_keys = true}));
  REQUIRE(groups->size() == 1);
  CHECK((*groups)[0].flow == other);
  CHECK(bench.run(store.deliveries().get(ref(1, other)))->has_value());
  CHECK(bench.run(store.deliveries().settlement(other, place(4)))->has_value());
  CHECK(bench.run(store.deliveries().holds(other))->size() == 1);
}

void shredding(StoreBench& bench) {
  constexpr StreamId kOther{2};
  constexpr FlowId kOtherFlow{2};
  bench.commit({PutStream{stream(kOther, "others")}, PutFlow{flow(kOtherFlow, "bill", kOther)}});
  bench.append(1, 6, at(10));
  bench.commit({AppendEvents{kOther, {event("other")}, at(1)}}, Lane::ingest);
  Delivery elsewhere = delivery(1, DeliveryState::quarantined, kOtherFlow);
  elsewhere.ref.position.stream = kOther;
  bench.commit({PutDelivery{delivery(3, DeliveryState::quarantined)}, KeepEvent{ref(3)},
                join(3, "aaaa", at(2)), PutDelivery{elsewhere},
                PutHold{{.flow = kFlow, .key = "k", .holder = place(3), .first = 4, .count = 1}}});
  Replay quoting = replay({.flow = "ship", .where = R"({"data":{"a":["secret"]}})", .key = "k"},
                          at(9000));
  const auto replay_of = [&](DeliveryRef member, ReplayState state) {
    quoting.id = bench.commit({CreateReplay{quoting}}, Lane::operate).replay;
    bench.commit({AddReplayItems{quoting.id, {member}}}, Lane::operate);
    quoting.state = state;
    bench.commit({PutReplay{quoting}}, Lane::operate);
    return quoting.id;
  };
  const ReplayId over = replay_of(ref(3), ReplayState::completed);
  const ReplayId other = replay_of(elsewhere.ref, ReplayState::completed);
  const Receipt receipt = bench.commit({ShredStream{kStream}}, Lane::operate);
  const auto selection = [&](ReplayId id) {
    return (*bench.run(bench.store().recovery().replay(id)))->plan.selection;
  };
  CHECK(selection(over) == Selection{.flow = "ship"});
  CHECK(selection(other) == quoting.plan.selection);
  CHECK(receipt.shredded_before == 7);
  bench.commit({TrimStream{kStream, receipt.shredded_before, {}}}, Lane::operate);
  Store& store = bench.store();
  CHECK(bench.run(store.events().read(kStream, 0, 100, 1 << 20))->empty());
  CHECK(bench.run(store.events().read_kept(kFlow, {}, 10))->empty());
  CHECK(!bench.run(store.deliveries().get(ref(3)))->has_value());
  CHECK(bench.run(store.deliveries().holds(kFlow))->empty());
  CHECK(bench.run(store.recovery().groups({.with_closed = true}))->empty());
  // Another stream keeps what it has, and the name goes on where it was.
  CHECK(bench.run(store.events().read(kOther, 0, 100, 1 << 20))->size() == 1);
  CHECK(bench.run(store.deliveries().get(elsewhere.ref))->has_value());
  CHECK(bench.append(1, 1, at(11))[0].seq == 7);
  const auto unknown = bench.try_commit({.mutations = {ShredStream{StreamId{9}}}});
  CHECK(unknown.error().code == Code::unknown_stream);
  CHECK(bench.commit({RotateKeys{}}).applied);
}

}  // namespace

void retention_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("trimming") { trimming(bench); }
  SUBCASE("removal of a flow") { removal(bench); }
  SUBCASE("shredding of a stream") { shredding(bench); }
}

}  // namespace weir::ports::testing
