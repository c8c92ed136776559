// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

using Refs = std::vector<DeliveryRef>;

void quarantine(StoreBench& bench, std::uint64_t seq, const std::string& hash,
                FlowId flow = kFlow) {
  bench.commit({PutDelivery{delivery(seq, DeliveryState::quarantined, flow)},
                join(seq, hash, at(300 + static_cast<std::int64_t>(seq)), flow)});
}

std::vector<Group> groups_of(StoreBench& bench, bool with_closed = false) {
  return *bench.run(
      bench.store().recovery().groups({.with_closed = with_closed, .with_keys = true}));
}

void groups(StoreBench& bench) {
  SUBCASE("the first member makes the group, later ones join it") {
    quarantine(bench, 1, "aaaa");
    const Receipt receipt = bench.commit(
        {PutDelivery{delivery(2, DeliveryState::quarantined)}, join(2, "aaaa", at(400)),
         PutDelivery{delivery(3, DeliveryState::quarantined)}, join(3, "bbbb", at(350))});
    REQUIRE(receipt.groups.size() == 2);
    CHECK(receipt.groups[0] != receipt.groups[1]);
    const std::vector<Group> list = groups_of(bench);
    REQUIRE(list.size() == 2);
    const Group& newest = list[0];
    CHECK(newest.id == receipt.groups[0]);
    CHECK(newest.fingerprint == join(2, "aaaa", at(0)).fingerprint);
    CHECK(newest.flow == kFlow);
    CHECK(newest.dependency == "tracker");
    CHECK(newest.failure == FailureClass::permanent);
    CHECK(newest.failure_mode == "mode");
    CHECK(newest.open == 2);
    CHECK(newest.total == 2);
    CHECK(newest.first_at == at(301));
    CHECK(newest.last_at == at(400));
    CHECK(newest.sample == place(2));
    CHECK(newest.keys == 2);
    CHECK((*bench.run(bench.store().deliveries().get(ref(2))))->group == newest.id);
  }
  SUBCASE("one fingerprint in two flows is two groups") {
    quarantine(bench, 1, "aaaa");
    quarantine(bench, 1, "aaaa", FlowId{2});
    CHECK(groups_of(bench).size() == 2);
  }
  SUBCASE("a group whose members have left is closed, and opens again") {
    quarantine(bench, 1, "aaaa");
    const GroupId id = groups_of(bench)[0].id;
    bench.commit({PutDelivery{delivery(1, DeliveryState::resolved)}, LeaveGroup{id}});
    CHECK(groups_of(bench).empty());
    const std::vector<Group> closed = groups_of(bench, true);
    REQUIRE(closed.size() == 1);
    CHECK(closed[0].total == 1);
    CHECK(closed[0].keys == 0);
    quarantine(bench, 2, "aaaa");
    CHECK(groups_of(bench)[0].id == id);
    CHECK(groups_of(bench)[0].total == 2);
  }
  SUBCASE("several leave at once") {
    for (std::uint64_t seq = 1; seq <= 3; ++seq) quarantine(bench, seq, "aaaa");
    bench.commit({PutDelivery{delivery(1, DeliveryState::resolved)},
                  PutDelivery{delivery(2, DeliveryState::resolved)},
                  LeaveGroup{groups_of(bench)[0].id, 2}});
    CHECK(groups_of(bench)[0].open == 1);
  }
  SUBCASE("keys counts distinct ordering keys of open members") {
    for (std::uint64_t seq = 1; seq <= 10; ++seq)
      quarantine(bench, seq, "aaaa");  // k0 to k3; 5 and 10 have none
    CHECK(groups_of(bench)[0].keys == 4);
    Delivery done = delivery(3, DeliveryState::resolved);
    bench.commit({PutDelivery{done}, LeaveGroup{groups_of(bench)[0].id}});
    bench.commit(
        {PutDelivery{delivery(7, DeliveryState::resolved)}, LeaveGroup{groups_of(bench)[0].id}});
    CHECK(groups_of(bench)[0].keys == 3);
  }
  SUBCASE("joining without a row is refused") {
    const auto refused = bench.try_commit({.mutations = {join(1, "aaaa", at(1))}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::unknown_delivery);
    CHECK(groups_of(bench, true).empty());
  }
}

std::vector<std::string> hashes_of(StoreBench& bench, GroupQuery query) {
  std::vector<std::string> hashes;
  for (const Group& group : *bench.run(bench.store().recovery().groups(std::move(query))))
    hashes.push_back(group.fingerprint.hash);
  return hashes;
}

void group_queries(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  using Hashes = std::vector<std::string>;
  for (const char* hash : {"aa11", "aa22", "bb33"})
    bench.commit({PutDelivery{delivery(1, DeliveryState::quarantined)}, join(1, hash, at(400))});
  quarantine(bench, 2, "aa11");  // earlier than the other two
  const GroupId first = groups_of(bench)[2].id;
  const GroupId last = groups_of(bench)[0].id;
  SUBCASE("lists are by activity, by prefix, and in pages from the newest to the oldest") {
    CHECK(hashes_of(bench, {}) == Hashes{"bb33", "aa22", "aa11"});
    CHECK(hashes_of(bench, {.hash_prefix = "aa"}) == Hashes{"aa22", "aa11"});
    CHECK(hashes_of(bench, {.hash_prefix = "c"}).empty());
    CHECK(hashes_of(bench, {.before = GroupId{UINT32_MAX}, .limit = 2}) == Hashes{"bb33", "aa22"});
    CHECK(hashes_of(bench, {.before = last, .limit = 1}) == Hashes{"aa22"});
    CHECK(hashes_of(bench, {.before = first}).empty());
    CHECK(bench.run(table.groups({}))->front().keys == 0);
    CHECK((*bench.run(table.group(first)))->fingerprint.hash == "aa11");
    CHECK(*bench.run(table.group(GroupId{99})) == std::nullopt);
  }
  SUBCASE("what was said since about a group keeps a word from being lost") {
    const auto say = [&](const GroupNotes& known, const GroupNotes& next) {
      const auto receipt = bench.try_commit({.lane = Lane::operate,
                                             .preconditions = {GroupNotesAre{first, known}},
                                             .mutations = {AnnotateGroup{first, next}}});
      return receipt.ok() && receipt->applied;
    };
    CHECK(say({}, {.owner = "ada"}));
    CHECK(!say({}, {.owner = "bob"}));
    CHECK(say({.owner = "ada"}, {.owner = "ada", .note = "seen"}));
    CHECK((*bench.run(table.group(first)))->notes == GroupNotes{.owner = "ada", .note = "seen"});
  }
}

Refs items_of(StoreBench& bench, ReplayId id, std::optional<ItemState> state = {}) {
  Refs list;
  for (const ReplayItem& item : *bench.run(bench.store().recovery().items(id, state, {}, 1000)))
    list.push_back(item.ref);
  return list;
}

// Freezes in chunks until it is done; returns the number of chunks.
int freeze(StoreBench& bench, ReplayId id, std::uint32_t limit) {
  DeliveryRef after;
  for (int chunks = 1; chunks < 100; ++chunks) {
    const Receipt receipt = bench.commit({FreezeChunk{id, after, limit}}, Lane::operate);
    after = receipt.freeze_next;
    if (receipt.freeze_done) return chunks;
  }
  FAIL("freezing does not end");
  return 0;
}

ReplayId make(StoreBench& bench, const Selection& selection, WallTime cutoff = at(100'000)) {
  return bench.commit({CreateReplay{replay(selection, cutoff)}}, Lane::operate).replay;
}

void replays(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  SUBCASE(
      "a replay gets the next id and starts as planning; what is put later replaces all but "
      "planned") {
    const ReplayId first = make(bench, {.group = "aaaa"});
    const ReplayId second = make(bench, {.flow = "ship"});
    CHECK(second > first);
    Replay stored = **bench.run(table.replay(first));
    CHECK(stored.state == ReplayState::planning);
    CHECK(stored.plan == replay({.group = "aaaa"}, at(1)).plan);
    CHECK(stored.cutoff == at(100'000));
    bench.commit({AddReplayItems{first, {ref(1)}}}, Lane::operate);
    stored.state = ReplayState::stopped;
    stored.resume_to = ReplayState::canary;
    stored.state_reason = "breaker open";
    stored.started_at = at(5);
    stored.finished_at = at(6);
    stored.rate_now = 12.5;
    stored.counts = {.planned = 77,
                     .sent = 5,
                     .succeeded = 2,
                     .failed_again = 1,
                     .skipped = 3,
                     .in_doubt = 1,
                     .same_fingerprint = 1};
    stored.overruled = {.planned = 78, .sent = 4, .failed_again = 2};
    stored.resumed_at = at(7);
    bench.commit({PutReplay{stored}});
    stored.counts.planned = 1;
    CHECK(**bench.run(table.replay(first)) == stored);
    const auto list = bench.run(table.replays());
    REQUIRE(list->size() == 2);
    CHECK((*list)[0].id == second);
    CHECK(*bench.run(table.replay(ReplayId{99})) == std::nullopt);
  }
  SUBCASE("items are claimed one by one and listed by state in pages") {
    const ReplayId id = make(bench, {.ids = {"x"}});
    for (std::uint64_t seq = 5; seq >= 1; --seq)
      bench.commit({AddReplayItems{id, {ref(seq)}}}, Lane::operate);
    bench.commit({AddReplayItems{id, {ref(5)}}}, Lane::operate);
    CHECK((*bench.run(table.replay(id)))->counts.planned == 5);
    bench.commit({SetReplayItem{id, ref(2), ItemState::claimed},
                  SetReplayItem{id, ref(99), ItemState::claimed}});
    CHECK(items_of(bench, id) == Refs{ref(1), ref(2), ref(3), ref(4), ref(5)});
    CHECK(items_of(bench, id, ItemState::claimed) == Refs{ref(2)});
    const auto page = bench.run(table.items(id, ItemState::planned, ref(1), 2));
    REQUIRE(page->size() == 2);
    CHECK((*page)[0] == ReplayItem{id, ref(3), ItemState::planned});
  }
}

void dropping(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  const ReplayId empty = make(bench, {.ids = {"x"}});
  const ReplayId full = make(bench, {.ids = {"x"}});
  bench.commit({AddReplayItems{full, {ref(1)}}}, Lane::operate);
  bench.commit({DropReplay{empty}, DropReplay{full}, DropReplay{ReplayId{99}}}, Lane::operate);
  SUBCASE("a replay without members goes, one with members stays, and ids are not used again") {
    CHECK(*bench.run(table.replay(empty)) == std::nullopt);
    CHECK((*bench.run(table.replay(full)))->counts.planned == 1);
    CHECK(bench.run(table.replays())->size() == 1);
    CHECK(make(bench, {.ids = {"x"}}) > full);
  }
  SUBCASE("nothing can follow in the same batch") {
    const ReplayId next = make(bench, {.ids = {"x"}});
    const auto refused = bench.try_commit(
        {.lane = Lane::operate, .mutations = {DropReplay{next}, AddReplayItems{next, {ref(2)}}}});
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == Code::unknown_replay);
    CHECK((*bench.run(table.replay(next))).has_value());
  }
}

void membership(StoreBench& bench) {
  RecoveryTable& table = bench.store().recovery();
  SUBCASE("a delivery is in one unfinished replay at a time") {
    const ReplayId first = make(bench, {.ids = {"x"}});
    const ReplayId second = make(bench, {.ids = {"x"}});
    bench.commit({AddReplayItems{first, {ref(1)}}, AddReplayItems{second, {ref(1)}}},
                 Lane::operate);
    CHECK(*bench.run(table.replay_of(ref(1))) == first);
    CHECK(items_of(bench, second).empty());
    Replay over = **bench.run(table.replay(first));
    over.state = ReplayState::completed;
    bench.commit({PutReplay{over}});
    CHECK(*bench.run(table.replay_of(ref(1))) == std::nullopt);
    bench.commit({AddReplayItems{second, {ref(1)}}}, Lane::operate);
    CHECK(*bench.run(table.replay_of(ref(1))) == second);
  }
  SUBCASE("mutations of a replay that does not exist are refused") {
    for (const Mutation& bad : {Mutation{FreezeChunk{ReplayId{9}, {}, 10}},
                                Mutation{AddReplayItems{ReplayId{9}, {ref(1)}}},
                                Mutation{PutReplay{Replay{.id = ReplayId{9}}}}}) {
      const auto refused = bench.try_commit({.lane = Lane::operate, .mutations = {bad}});
      REQUIRE(!refused.ok());
      CHECK(refused.error().code == Code::unknown_replay);
    }
  }
}

void freezing(StoreBench& bench) {
  bench.commit({PutFlow{flow(FlowId{2}, "bill")}}, Lane::operate);
  for (std::uint64_t seq = 1; seq <= 12; ++seq)
    quarantine(bench, seq, seq % 2 == 0 ? "even" : "odd");
  quarantine(bench, 4, "even", FlowId{2});
  Delivery archived = delivery(6, DeliveryState::quarantined);
  archived.archived = true;
  archived.group = (*bench.run(bench.store().deliveries().get(ref(6))))->group;
  bench.commit({PutDelivery{archived}, PutDelivery{delivery(20, DeliveryState::waiting)}});
  SUBCASE("by group, over flows, without archived members") {
    const ReplayId id = make(bench, {.group = "even"});
    CHECK(freeze(bench, id, 3) == 3);
    CHECK(items_of(bench, id) == Refs{ref(2), ref(4), ref(8), ref(10), ref(12), ref(4, FlowId{2})});
    CHECK((*bench.run(bench.store().recovery().replay(id)))->counts.planned == 6);
  }
  SUBCASE("by flow and failure class") {
    Delivery other = delivery(3, DeliveryState::quarantined);
    other.failure = FailureClass::auth;
    bench.commit({PutDelivery{other}});
    const ReplayId id = make(bench, {.flow = "ship", .failure = FailureClass::auth});
    CHECK(freeze(bench, id, 100) == 1);
    CHECK(items_of(bench, id) == Refs{ref(3)});
  }
  SUBCASE("by time, and never what entered at or after the cutoff") {
    const ReplayId by_time = make(bench, {.since = at(303), .until = at(305)});
    freeze(bench, by_time, 5);
    CHECK(items_of(bench, by_time) == Refs{ref(3), ref(4), ref(4, FlowId{2})});
    const ReplayId early = make(bench, {.flow = "ship"}, at(303));
    freeze(bench, early, 5);
    CHECK(items_of(bench, early) == Refs{ref(1), ref(2)});
  }
  SUBCASE("what is in an unfinished replay is left out") {
    const ReplayId first = make(bench, {.group = "odd"});
    freeze(bench, first, 4);
    const ReplayId second = make(bench, {.flow = "ship"});
    freeze(bench, second, 4);
    CHECK(items_of(bench, second) == Refs{ref(2), ref(4), ref(8), ref(10), ref(12)});
  }
  SUBCASE("a chunk looks at no more rows than asked, and says how far it came") {
    const ReplayId id = make(bench, {.flow = "ship"});
    const Receipt receipt = bench.commit({FreezeChunk{id, {}, 7}}, Lane::operate);
    CHECK(!receipt.freeze_done);
    CHECK(receipt.freeze_next == ref(7));
    CHECK(receipt.frozen == 6);  // 6 is archived
  }
  SUBCASE("a flow or group that does not exist selects nothing") {
    for (const Selection& none : {Selection{.group = "none"}, Selection{.flow = "none"}}) {
      const Receipt receipt = bench.commit({FreezeChunk{make(bench, none), {}, 7}}, Lane::operate);
      CHECK(receipt.freeze_done);
      CHECK(receipt.frozen == 0);
    }
  }
}

}  // namespace

void recovery_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("groups") { groups(bench); }
  SUBCASE("group queries") { group_queries(bench); }
  SUBCASE("replays") { replays(bench); }
  SUBCASE("membership") { membership(bench); }
  SUBCASE("dropping") { dropping(bench); }
  SUBCASE("freezing") { freezing(bench); }
}

}  // namespace weir::ports::testing
