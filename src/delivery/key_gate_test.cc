// SPDX-License-Identifier: Apache-2.0
#include "delivery/key_gate.h"

#include <doctest/doctest.h>

namespace weir::delivery {
namespace {

Candidate at(std::uint64_t seq, std::string key = "k") {
  return {.position = Position{StreamId{1}, 0, seq}, .key = std::move(key)};
}

KeyGate::Admit admit(KeyGate& gate, std::uint64_t seq, std::string key = "k") {
  Candidate candidate = at(seq, std::move(key));
  return gate.admit(candidate);
}

}  // namespace

TEST_CASE("one delivery per key is on its way, the rest stands in line in order") {
  KeyGate gate(FlowId{1});
  CHECK(admit(gate, 1) == KeyGate::Admit::go);
  CHECK(admit(gate, 2) == KeyGate::Admit::inLine);
  CHECK(admit(gate, 3, "other") == KeyGate::Admit::go);
  CHECK(admit(gate, 4) == KeyGate::Admit::inLine);
  CHECK(gate.settled("k")->position.seq == 2);
  CHECK(gate.settled("k")->position.seq == 4);
  CHECK_FALSE(gate.settled("k").has_value());
  CHECK_FALSE(gate.key_is_busy("k"));
}

TEST_CASE("events without a key always go") {
  KeyGate gate(FlowId{1});
  CHECK(admit(gate, 1, "") == KeyGate::Admit::go);
  CHECK(admit(gate, 2, "") == KeyGate::Admit::go);
}

TEST_CASE("a failing key holds itself: what is in line and what comes later") {
  KeyGate gate(FlowId{1});
  admit(gate, 1);
  admit(gate, 2);
  const auto joined = gate.hold("k", at(1).position);
  CHECK(joined.seqs == std::vector<std::uint64_t>{2});
  CHECK(admit(gate, 5) == KeyGate::Admit::held);
  const Hold* hold = gate.find_hold("k");
  REQUIRE(hold != nullptr);
  CHECK(hold->holder.seq == 1);
  CHECK(hold->first == 2);
  CHECK(hold->last == 5);
  CHECK(hold->count == 2);
  CHECK(gate.held_count() == 2);
}

TEST_CASE("a drained hold hands out its events one by one and then frees the key") {
  KeyGate gate(FlowId{1});
  admit(gate, 1);
  (void)gate.hold("k", at(1).position);
  admit(gate, 2);
  admit(gate, 3);
  CHECK(gate.drain("k").next->position.seq == 2);
  CHECK(gate.find_hold("k")->holder.seq == 2);
  CHECK(gate.find_hold("k")->released);
  CHECK(admit(gate, 4) == KeyGate::Admit::held);  // still behind
  CHECK(gate.drain("k").next->position.seq == 3);
  CHECK(gate.drain("k").next->position.seq == 4);
  CHECK_FALSE(gate.drain("k").next.has_value());
  CHECK(gate.find_hold("k") == nullptr);
  CHECK(admit(gate, 9) == KeyGate::Admit::go);
}

TEST_CASE("after a restart the events behind a hold must be found again, newcomers included") {
  KeyGate gate(FlowId{1});
  gate.load(Hold{
      .flow = FlowId{1}, .key = "k", .holder = at(1).position, .first = 2, .last = 7, .count = 3});
  CHECK(admit(gate, 9) == KeyGate::Admit::held);
  CHECK(gate.drain("k").needs_rebuild);
  gate.rebuilt("k", {2, 5, 7, 9}, 9);
  for (const std::uint64_t seq : {2, 5, 7, 9}) CHECK(gate.drain("k").next->position.seq == seq);
  CHECK_FALSE(gate.drain("k").next.has_value());
}

TEST_CASE("the list of held events is bounded; beyond it they are found by reading") {
  KeyGate gate(FlowId{1});
  admit(gate, 1);
  (void)gate.hold("k", at(1).position);
  for (std::uint64_t seq = 2; seq < kBehindMax + 12; ++seq) admit(gate, seq);
  CHECK(gate.find_hold("k")->count == kBehindMax + 10);
  for (std::size_t i = 0; i < kBehindMax; ++i) REQUIRE(gate.drain("k").next.has_value());
  CHECK(gate.drain("k").needs_rebuild);
}

TEST_CASE("changes are told once") {
  KeyGate gate(FlowId{1});
  admit(gate, 1);
  (void)gate.hold("k", at(1).position);
  CHECK(gate.take_changes().put.size() == 1);
  CHECK(gate.take_changes().put.empty());
  gate.drain("k");
  CHECK(gate.take_changes().drop == std::vector<std::string>{"k"});
}

TEST_CASE("a hold whose holder was settled by somebody else waits for what is on its way") {
  KeyGate gate(FlowId{1});
  admit(gate, 5);
  (void)gate.hold("k", at(5).position);
  admit(gate, 7);
  CHECK(gate.admit_row(at(2)));  // a replay of an earlier one
  CHECK_FALSE(gate.may_drain_now("k"));
  CHECK_FALSE(gate.is_to_drain("k"));
  SUBCASE("until that one has succeeded") {
    CHECK_FALSE(gate.settled("k").has_value());
    CHECK(gate.is_to_drain("k"));
    CHECK(gate.drain("k").next->position.seq == 7);
    CHECK_FALSE(gate.is_to_drain("k"));
  }
  SUBCASE("or holds the key itself") {
    (void)gate.hold("k", at(2).position);
    CHECK(gate.is_held_by("k", at(2).position));
    CHECK_FALSE(gate.is_to_drain("k"));
    CHECK(gate.may_drain_now("k"));
    CHECK(gate.key_is_busy("k"));  // with draining: what is behind may have to be read
    CHECK_FALSE(gate.admit_row(at(1)));
  }
  CHECK(gate.held_count() == (gate.is_held_by("k", at(2).position) ? 1 : 0));
}

namespace {

Candidate row_at(std::uint64_t seq) {
  Candidate row = at(seq);
  row.origin = Origin::row;
  return row;
}

}  // namespace

TEST_CASE("rows of a busy key stand in line by their place, and nobody is lost behind them") {
  KeyGate gate(FlowId{1});
  admit(gate, 5);
  admit(gate, 6);
  for (const std::uint64_t seq : {2, 4, 3}) CHECK_FALSE(gate.admit_row(row_at(seq)));
  for (const std::uint64_t seq : {2, 3, 4}) {
    const auto next = gate.settled("k");
    REQUIRE(next.has_value());
    CHECK(next->position.seq == seq);
    CHECK(next->origin == Origin::row);
    CHECK(admit(gate, 10 + seq) == KeyGate::Admit::inLine);  // the key is the row's
    CHECK(gate.admit_row(*next));
  }
  for (const std::uint64_t seq : {6, 12, 13, 14}) CHECK(gate.settled("k")->position.seq == seq);
  CHECK_FALSE(gate.settled("k").has_value());
}

TEST_CASE("a row that is not due any more when its turn comes lets the next one go") {
  KeyGate gate(FlowId{1});
  admit(gate, 5);
  CHECK_FALSE(gate.admit_row(row_at(2)));
  admit(gate, 6);
  CHECK(gate.settled("k")->position.seq == 2);
  CHECK(gate.reserved_for(at(2).position) == "k");
  CHECK(gate.settled("k")->position.seq == 6);
  CHECK_FALSE(gate.reserved_for(at(2).position).has_value());
}

TEST_CASE("what is run again and fails does not take its key from a later one that holds it") {
  KeyGate gate(FlowId{1});
  admit(gate, 5);
  (void)gate.hold("k", at(5).position);
  CHECK(admit(gate, 6) == KeyGate::Admit::held);
  REQUIRE(gate.admit_row(at(2)));
  (void)gate.hold("k", at(2).position);
  CHECK(gate.is_held_by("k", at(5).position));
}

TEST_CASE("a new holder tells of the records it lets go and of the rows that still wait") {
  KeyGate gate(FlowId{1});
  admit(gate, 5);
  Candidate six = at(6);
  six.record = "123456";
  CHECK(gate.admit(six) == KeyGate::Admit::inLine);
  CHECK_FALSE(gate.admit_row(row_at(2)));
  const auto joined = gate.hold("k", at(5).position);
  CHECK(joined.seqs == std::vector<std::uint64_t>{6});
  CHECK(joined.bytes == 6);
  CHECK(joined.rows_wait);
  CHECK(gate.settled("k")->position.seq == 2);
}

}  // namespace weir::delivery
