// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

std::vector<DeliveryRef> refs(const std::vector<Delivery>& rows) {
  std::vector<DeliveryRef> list;
  for (const Delivery& row : rows) list.push_back(row.ref);
  return list;
}

using Refs = std::vector<DeliveryRef>;

void rows(StoreBench& bench) {
  DeliveryTable& table = bench.store().deliveries();
  SUBCASE("a row comes back as it was written, and an upsert replaces all of it") {
    const Delivery written = delivery(4, DeliveryState::waiting);
    bench.commit({PutDelivery{written}});
    CHECK(*bench.run(table.get(ref(4))) == written);
    CHECK(*bench.run(table.get(ref(5))) == std::nullopt);
    CHECK(*bench.run(table.get(ref(4, FlowId{2}))) == std::nullopt);
    Delivery changed = delivery(4, DeliveryState::quarantined);
    changed.archived = true;
    changed.replay = ReplayId{8};
    changed.group = GroupId{3};
    changed.resolution = "not needed";
    changed.history.clear();
    bench.commit({PutDelivery{changed}});
    CHECK(*bench.run(table.get(ref(4))) == changed);
  }
  SUBCASE("get_many leaves out what is missing") {
    bench.commit({PutDelivery{delivery(1, DeliveryState::waiting)},
                  PutDelivery{delivery(2, DeliveryState::ready)}});
    CHECK(refs(*bench.run(table.get_many({ref(2), ref(9), ref(1)}))) == Refs{ref(2), ref(1)});
    CHECK(!bench.run(table.get_many(Refs(1025, ref(1)))).ok());
  }
  SUBCASE("due lists what may still be sent, in position order, in pages") {
    const DeliveryState states[] = {DeliveryState::waiting, DeliveryState::quarantined,
                                    DeliveryState::ready,   DeliveryState::inFlight,
                                    DeliveryState::done,    DeliveryState::resolved};
    std::vector<Mutation> put;
    for (std::uint64_t seq = 1; seq <= 6; ++seq)
      put.push_back(PutDelivery{delivery(seq, states[seq - 1])});
    put.push_back(PutDelivery{delivery(1, DeliveryState::waiting, FlowId{2})});
    bench.commit(std::move(put));
    const auto entries = bench.run(table.due(kFlow, {}, 10));
    REQUIRE(entries->size() == 3);
    CHECK((*entries)[0].ref == ref(1));
    CHECK((*entries)[0].due == at(201));
    CHECK((*entries)[0].deadline == at(9000));
    CHECK((*entries)[0].interruptions == 1);
    CHECK((*entries)[0].failure == FailureClass::permanent);
    CHECK((*entries)[0].has_key);
    CHECK((*entries)[1].ref == ref(3));
    CHECK((*entries)[1].state == DeliveryState::ready);
    CHECK((*entries)[2].state == DeliveryState::inFlight);
    const auto page = bench.run(table.due(kFlow, place(1), 1));
    REQUIRE(page->size() == 1);
    CHECK((*page)[0].ref == ref(3));
  }
  SUBCASE("a row of a state that has no rows is refused") {
    const auto refused = bench.try_commit(
        {.mutations = {PutDelivery{delivery(1, DeliveryState::held)}}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::invalid_argument);
  }
}

Revision revision(std::uint64_t seq, std::uint32_t number, FlowId flow = kFlow) {
  return {.ref = ref(seq, flow),
          .number = number,
          .at = at(70 + number),
          .editor = "ann (token t1)",
          .subject = "ann",
          .reason = "typo",
          .record = event("e1", fmt::format("{{\"n\":{}}}", number)).record};
}

void revisions(StoreBench& bench) {
  DeliveryTable& table = bench.store().deliveries();
  bench.append(1, 5, at(10));
  bench.commit({PutDelivery{delivery(1, DeliveryState::quarantined)},
                PutDelivery{delivery(2, DeliveryState::quarantined)},
                PutDelivery{delivery(1, DeliveryState::quarantined, FlowId{2})},
                PutRevision{revision(1, 2)}, PutRevision{revision(1, 3)},
                PutRevision{revision(1, 2, FlowId{2})}});
  const auto all = [&](std::uint64_t seq, FlowId flow) {
    return bench.run(table.revisions(ref(seq, flow)))->size();
  };
  SUBCASE("they come back as they were written, in order, and the event stays") {
    CHECK(*bench.run(table.revisions(ref(1))) == std::vector{revision(1, 2), revision(1, 3)});
    CHECK(all(2, kFlow) == 0);
    CHECK(*bench.run(table.newest_revisions({ref(2), ref(1, FlowId{2}), ref(1)})) ==
          std::vector{revision(1, 2, FlowId{2}), revision(1, 3)});
    CHECK(!bench.run(table.newest_revisions(Refs(1025, ref(1)))).ok());
    CHECK((*bench.run(bench.store().events().fetch({ref(1)})))[0].record == event("e1").record);
  }
  SUBCASE("one follows the other up to a bound, and none is written twice") {
    const auto refused = [&](std::uint32_t number) {
      const auto tried = bench.try_commit({.mutations = {PutRevision{revision(1, number)}}});
      return !tried.ok() && tried.error().code == Code::invalid_argument;
    };
    for (const std::uint32_t number : {1u, 2u, 3u, 5u}) CHECK(refused(number));
    for (std::uint32_t number = 4; number <= kRevisionsMax; ++number) CHECK(!refused(number));
    CHECK(refused(kRevisionsMax + 1));
    CHECK(all(1, kFlow) == kRevisionsMax - 1);
  }
  SUBCASE("they live as long as the row: retention takes those of settled deliveries") {
    bench.commit({PutDelivery{delivery(1, DeliveryState::done, FlowId{2})}});
    bench.commit({TrimStream{kStream, 5, {}}}, Lane::operate);
    CHECK(all(1, FlowId{2}) == 0);
    CHECK(all(1, kFlow) == 2);
  }
  SUBCASE("a flow that is removed takes its own") {
    bench.commit({RemoveFlow{kFlow}});
    CHECK(all(1, kFlow) == 0);
    CHECK(all(1, FlowId{2}) == 1);
  }
  SUBCASE("a stream that is forgotten takes all of them") {
    bench.commit({ShredStream{kStream}}, Lane::operate);
    CHECK(all(1, kFlow) + all(1, FlowId{2}) == 0);
  }
  SUBCASE("a delivery that is in a plan can be told") {
    const auto free = [&] {
      return bench.try_commit({.preconditions = {NotInReplay{ref(1)}}, .mutations = {}})->applied;
    };
    CHECK(free());
    const ReplayId id = bench.commit({CreateReplay{replay({.ids = {"x"}}, at(9000))}}).replay;
    bench.commit({AddReplayItems{id, {ref(1)}}});
    CHECK(!free());
    Replay over = **bench.run(bench.store().recovery().replay(id));
    over.state = ReplayState::aborted;
    bench.commit({PutReplay{over}});
    CHECK(free());
  }
}

void queries(StoreBench& bench) {
  DeliveryTable& table = bench.store().deliveries();
  std::vector<Mutation> put;
  for (std::uint64_t seq = 1; seq <= 30; ++seq) {
    Delivery row = delivery(seq,
                            seq % 3 == 0 ? DeliveryState::waiting : DeliveryState::quarantined);
    if (seq % 2 == 0) row.failure = FailureClass::ambiguous;
    row.group = GroupId{seq % 2 == 0 ? 7u : 8u};
    put.push_back(PutDelivery{row});
  }
  put.push_back(PutDelivery{delivery(5, DeliveryState::quarantined, FlowId{2})});
  bench.commit(std::move(put));
  const auto check = [&](DeliveryQuery query, auto fits) {
    Refs expected;
    for (const FlowId flow : {kFlow, FlowId{2}}) {
      for (std::uint64_t seq = 1; seq <= 30; ++seq) {
        const auto row = *bench.run(table.get(ref(seq, flow)));
        if (row && fits(*row)) expected.push_back(row->ref);
      }
    }
    CHECK(refs(*bench.run(table.list(query))) == expected);
    CHECK(*bench.run(table.count(query)) == expected.size());
    CHECK(!expected.empty());
  };
  SUBCASE("every condition") {
    check({}, [](const Delivery&) { return true; });
    check({.flow = FlowId{2}}, [](const Delivery& row) { return row.ref.flow == FlowId{2}; });
    check({.state = DeliveryState::waiting},
          [](const Delivery& row) { return row.state == DeliveryState::waiting; });
    check({.failure = FailureClass::ambiguous},
          [](const Delivery& row) { return row.failure == FailureClass::ambiguous; });
    check({.group = GroupId{7}}, [](const Delivery& row) { return row.group == GroupId{7}; });
    check({.group = GroupId{7}, .since = {}, .until = {}, .key = "k2"},
          [](const Delivery& row) { return row.group == GroupId{7} && row.key == "k2"; });
    check({.since = at(310), .until = at(315)}, [](const Delivery& row) {
      return row.changed_at >= at(310) && row.changed_at < at(315);
    });
    check({.flow = kFlow,
           .state = DeliveryState::quarantined,
           .failure = FailureClass::permanent,
           .group = GroupId{8},
           .since = at(303),
           .until = at(330),
           .key = "k3"},
          [](const Delivery& row) {
            return row.ref.flow == kFlow && row.state == DeliveryState::quarantined &&
                   row.key == "k3" && row.changed_at >= at(303);
          });
  }
  SUBCASE("pages follow each other without gap or repeat, and are bounded") {
    Refs all;
    DeliveryQuery query{.state = DeliveryState::quarantined, .limit = 4};
    for (;;) {
      const auto page = bench.run(table.list(query));
      if (page->empty()) break;
      CHECK(page->size() <= 4);
      for (const Delivery& row : *page) all.push_back(row.ref);
      query.after = all.back();
    }
    query = {.state = DeliveryState::quarantined, .limit = 5000};
    CHECK(refs(*bench.run(table.list(query))) == all);
    CHECK(all.size() == 21);
  }
}

void holds(StoreBench& bench) {
  DeliveryTable& table = bench.store().deliveries();
  const Hold hold{.flow = kFlow,
                  .key = "b",
                  .holder = place(3),
                  .first = 4,
                  .last = 9,
                  .count = 2,
                  .released = false};
  Hold other = hold;
  other.key = "a";
  other.released = true;
  bench.commit({PutHold{hold}, PutHold{other}});
  CHECK(*bench.run(table.holds(kFlow)) == std::vector{other, hold});
  CHECK(bench.run(table.holds(FlowId{2}))->empty());
  Hold grown = hold;
  grown.last = 12;
  grown.count = 3;
  bench.commit({PutHold{grown}, DropHold{kFlow, "a"}, DropHold{kFlow, "none"}});
  CHECK(*bench.run(table.holds(kFlow)) == std::vector{grown});
}

void kept_and_counts(StoreBench& bench) {
  bench.append(1, 10, at(10));
  EventLog& log = bench.store().events();
  SUBCASE("kept events are listed per flow, once each") {
    bench.commit(
        {KeepEvent{ref(3)}, KeepEvent{ref(2)}, KeepEvent{ref(3)}, KeepEvent{ref(5, FlowId{2})}});
    const auto kept = bench.run(log.read_kept(kFlow, {}, 10));
    REQUIRE(kept->size() == 2);
    CHECK((*kept)[0].position == place(2));
    CHECK((*kept)[1].record == event("e3").record);
    CHECK((*kept)[1].recorded == at(10));
    CHECK(bench.run(log.read_kept(kFlow, place(3), 10))->size() == 1);
    CHECK(bench.run(log.read_kept(kFlow, {}, 1))->size() == 1);
    bench.commit({DropKeptEvent{ref(3)}, DropKeptEvent{ref(4)}, KeepEvent{ref(99)}});
    CHECK(bench.run(log.read_kept(kFlow, {}, 10))->size() == 1);
  }
  SUBCASE("counts per flow") {
    bench.commit({PutFlow{flow(FlowId{2}, "second")},
                  PutDelivery{delivery(1, DeliveryState::waiting)},
                  PutDelivery{delivery(2, DeliveryState::ready)},
                  PutDelivery{delivery(3, DeliveryState::inFlight)},
                  PutDelivery{delivery(4, DeliveryState::quarantined)},
                  PutDelivery{delivery(5, DeliveryState::done)},
                  PutDelivery{delivery(6, DeliveryState::resolved)},
                  PutDelivery{delivery(7, DeliveryState::discarded)},
                  PutHold{{.flow = kFlow, .key = "a", .holder = place(1), .count = 4}},
                  PutHold{{.flow = kFlow, .key = "b", .holder = place(2), .count = 5}}});
    const auto counts = bench.run(bench.store().flows().counts());
    REQUIRE(counts->size() == 2);
    CHECK((*counts)[0].flow == kFlow);
    CHECK((*counts)[0].waiting == 3);
    CHECK((*counts)[0].quarantined == 1);
    CHECK((*counts)[0].settled == 3);
    CHECK((*counts)[0].held == 9);
    CHECK((*counts)[1].flow == FlowId{2});
    CHECK((*counts)[1].waiting == 0);
  }
}

}  // namespace

void delivery_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("rows") { rows(bench); }
  SUBCASE("queries") { queries(bench); }
  SUBCASE("revisions") { revisions(bench); }
  SUBCASE("holds") { holds(bench); }
  SUBCASE("kept and counts") { kept_and_counts(bench); }
}

}  // namespace weir::ports::testing
