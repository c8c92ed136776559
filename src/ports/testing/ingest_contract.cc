// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "model/event.h"
#include "ports/testing/store_contract.h"

namespace weir::ports::testing {
namespace {

std::vector<std::uint64_t> seqs(const std::vector<StoredEvent>& events) {
  std::vector<std::uint64_t> list;
  for (const StoredEvent& event : events) list.push_back(event.position.seq);
  return list;
}

using Seqs = std::vector<std::uint64_t>;

void handed_back(StoreBench& bench) {
  bench.append(1, 1, at(10));
  const NewEvent repeated = event("e1");
  const auto receipt = bench.commit(
      {AppendEvents{kStream, {repeated, event("x")}, at(5)},  // the clock ran backwards
       AppendEvents{StreamId{1}, {event("e1", "other"), event("y")}, at(20)}},
      Lane::ingest);
  const auto read = bench.run(bench.store().events().read(kStream, 2, 10, 10'000));
  REQUIRE(read.ok());
  REQUIRE(read->size() == 2);
  REQUIRE(receipt.stored.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(receipt.stored[i].position == (*read)[i].position);
    CHECK(receipt.stored[i].recorded == (*read)[i].recorded);
    CHECK(receipt.stored[i].record == (*read)[i].record);
  }
}

void duplicates(StoreBench& bench) {
  SUBCASE("events get consecutive places in commit order") {
    const auto first = bench.append(1, 3, at(10));
    const auto second = bench.append(4, 5, at(11));
    REQUIRE(first.size() == 3);
    CHECK(first[0].seq == 1);
    CHECK(first[2].seq == 3);
    CHECK(second[1].seq == 5);
    CHECK(second[1].status == AppendStatus::stored);
  }
  SUBCASE("an identical event is a duplicate, within a batch and across batches") {
    const auto results =
        bench
            .commit({AppendEvents{kStream, {event("a"), event("b"), event("a")}, at(1)}},
                    Lane::ingest)
            .appended;
    REQUIRE(results.size() == 3);
    CHECK(results[2].status == AppendStatus::duplicate);
    CHECK(results[2].seq == 1);
    const auto again =
        bench.commit({AppendEvents{kStream, {event("b"), event("c")}, at(2)}}, Lane::ingest)
            .appended;
    CHECK(again[0].status == AppendStatus::duplicate);
    CHECK(again[0].seq == 2);
    CHECK(again[1].status == AppendStatus::stored);
    CHECK(again[1].seq == 3);
  }
  SUBCASE("other content under one source and id is a conflict; another source is another event") {
    bench.commit({AppendEvents{kStream, {event("a", "1")}, at(1)}}, Lane::ingest);
    const auto results =
        bench
            .commit({AppendEvents{kStream, {event("a", "2"), event("a", "1", "/other")}, at(2)}},
                    Lane::ingest)
            .appended;
    CHECK(results[0].status == AppendStatus::conflict);
    CHECK(results[0].seq == 1);
    CHECK(results[1].status == AppendStatus::stored);
  }
  SUBCASE("two events under one hash are both stored, and both are recognised later") {
    NewEvent one = event("a");
    NewEvent two = event("b");
    two.dedupe_hash = one.dedupe_hash;
    const auto stored =
        bench.commit({AppendEvents{kStream, {one, two}, at(1)}}, Lane::ingest).appended;
    CHECK(stored[1].status == AppendStatus::stored);
    CHECK(stored[1].seq == 2);
    const auto again =
        bench.commit({AppendEvents{kStream, {two, one}, at(1)}}, Lane::ingest).appended;
    CHECK(again[0].status == AppendStatus::duplicate);
    CHECK(again[0].seq == 2);
    CHECK(again[1].seq == 1);
    CHECK(again[1].status == AppendStatus::duplicate);
  }
  SUBCASE("several AppendEvents of one batch answer in order") {
    const auto results = bench
                             .commit({AppendEvents{kStream, {event("a")}, at(1)},
                                      AppendEvents{kStream, {event("a"), event("b")}, at(1)}},
                                     Lane::ingest)
                             .appended;
    REQUIRE(results.size() == 3);
    CHECK(results[1].status == AppendStatus::duplicate);
    CHECK(results[2].seq == 2);
  }
}

void window(StoreBench& bench) {
  StreamRecord record = stream(kStream, "orders");
  record.dedupe_window = std::chrono::seconds{80};
  record.dedupe_max_entries = 80;
  bench.commit({PutStream{record}}, Lane::operate);
  SUBCASE("an event is new again once the window has passed, not before") {
    bench.append(1, 1, at(1000));
    CHECK(bench.append(1, 1, at(1079))[0].status == AppendStatus::duplicate);
    const auto late = bench.append(1, 1, at(1080));
    CHECK(late[0].status == AppendStatus::stored);
    CHECK(late[0].seq == 2);
  }
  SUBCASE("the number of remembered events is bounded, and at least half of it is kept") {
    bench.append(1, 200, at(1000));
    CHECK(bench.append(1, 1, at(1000))[0].status == AppendStatus::stored);
    CHECK(bench.append(161, 161, at(1000))[0].status == AppendStatus::duplicate);
  }
  SUBCASE("without entries nothing is a duplicate") {
    record.dedupe_max_entries = 0;
    bench.commit({PutStream{record}}, Lane::operate);
    bench.append(1, 1, at(1000));
    CHECK(bench.append(1, 1, at(1000))[0].status == AppendStatus::stored);
  }
}

void reads(StoreBench& bench) {
  bench.append(1, 10, at(10));
  bench.append(11, 20, at(20));
  EventLog& log = bench.store().events();
  SUBCASE("read gives events in order from the first wanted one, bounded by count") {
    const auto events = bench.run(log.read(kStream, 9, 4, 1 << 20));
    REQUIRE(events.ok());
    CHECK(seqs(*events) == Seqs{9, 10, 11, 12});
    CHECK((*events)[0].record == event("e9").record);
    CHECK((*events)[0].recorded == at(10));
    CHECK((*events)[2].recorded == at(20));
    CHECK(bench.run(log.read(kStream, 21, 4, 1 << 20))->empty());
    CHECK(seqs(*bench.run(log.read(kStream, 0, 2, 1 << 20))) == Seqs{1, 2});
  }
  SUBCASE("read is bounded by bytes, but gives at least one event") {
    const std::size_t size = event("e1").record.size();
    CHECK(seqs(*bench.run(log.read(kStream, 1, 100, 3 * size))) == Seqs{1, 2, 3});
    CHECK(seqs(*bench.run(log.read(kStream, 1, 100, 0))) == Seqs{1});
  }
  SUBCASE("a stream that does not exist is an error") {
    const auto events = bench.run(log.read(StreamId{99}, 1, 1, 1));
    REQUIRE(!events.ok());
    CHECK(events.error().code == Code::unknown_stream);
    CHECK(!bench.run(log.seek(StreamId{99}, at(1))).ok());
  }
  SUBCASE("fetch gives what exists, in the order asked for") {
    CHECK(seqs(*bench.run(log.fetch({ref(7), ref(99), ref(2)}))) == Seqs{7, 2});
    CHECK(!bench.run(log.fetch(std::vector<DeliveryRef>(1025, ref(1)))).ok());
  }
  SUBCASE("seek finds the first event recorded at or after a time") {
    CHECK(*bench.run(log.seek(kStream, at(0))) == 1);
    CHECK(*bench.run(log.seek(kStream, at(10))) == 1);
    CHECK(*bench.run(log.seek(kStream, at(11))) == 11);
    CHECK(*bench.run(log.seek(kStream, at(21))) == 21);
  }
  SUBCASE("recorded times never decrease") {
    bench.append(21, 21, at(5));
    CHECK((*bench.run(log.read(kStream, 21, 1, 1)))[0].recorded == at(20));
    CHECK(*bench.run(log.seek(kStream, at(20))) == 11);
  }
  SUBCASE("find knows source and id; find_id knows the id alone") {
    CHECK(*bench.run(log.find(kStream, "/test", "e12")) == place(12));
    CHECK(*bench.run(log.find(kStream, "/other", "e12")) == std::nullopt);
    CHECK(*bench.run(log.find_id("e12", 100)) == std::vector{place(12)});
    CHECK(bench.run(log.find_id("e12", 5))->empty());
    bench.commit({PutDelivery{delivery(12, DeliveryState::quarantined)}});
    CHECK(*bench.run(log.find_id("e12", 5)) == std::vector{place(12)});
  }
  SUBCASE("find_id gives at most 16 places") {
    AppendEvents many{kStream, {}, at(30)};
    for (int i = 0; i < 40; ++i) many.events.push_back(event("same", "{}", fmt::format("/{}", i)));
    bench.commit({many}, Lane::ingest);
    CHECK(bench.run(log.find_id("same", 100))->size() == 16);
  }
}

}  // namespace

void ingest_contract(const StoreFactory& open) {
  StoreBench bench(open);
  bench.register_names();
  SUBCASE("duplicates") { duplicates(bench); }
  SUBCASE("the receipt hands back what is new, as it can be read") { handed_back(bench); }
  SUBCASE("window") { window(bench); }
  SUBCASE("reads") { reads(bench); }
}

}  // namespace weir::ports::testing
