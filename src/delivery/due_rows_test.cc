// SPDX-License-Identifier: Apache-2.0
#include "delivery/due_rows.h"

#include <doctest/doctest.h>

namespace weir::delivery {
namespace {

WallTime at(std::int64_t seconds) { return WallTime{} + std::chrono::seconds{seconds}; }

Due due(std::uint64_t seq, std::int64_t when, WallTime deadline) {
  Due row{.due = at(when), .ref = {FlowId{1}, {StreamId{1}, 0, seq}}};
  row.deadline = deadline;
  return row;
}

TEST_CASE("due rows: the earliest due goes first") {
  DueRows rows;
  rows.add(due(1, 30, {}));
  rows.add(due(2, 10, {}));
  rows.add(due(3, 20, {}));
  CHECK(rows.size() == 3);
  CHECK(rows.take_next().ref.position.seq == 2);
  CHECK(rows.next().ref.position.seq == 3);
}

TEST_CASE("due rows: one that is told of twice is one, whatever is known of it") {
  DueRows rows;
  rows.add(due(1, 0, {}));
  rows.add(due(1, 0, at(100)));
  CHECK(rows.size() == 1);
  rows.add(due(1, 10, {}));  // a retry of it
  CHECK(rows.size() == 2);
}

TEST_CASE("due rows: those past their deadline are taken out, the others stay") {
  DueRows rows;
  rows.add(due(1, 10, at(100)));
  rows.add(due(2, 10, {}));  // has none
  rows.add(due(3, 10, at(101)));
  CHECK(rows.take_expired(at(99)).empty());
  const auto expired = rows.take_expired(at(100));
  REQUIRE(expired.size() == 1);
  CHECK(expired[0].ref.position.seq == 1);
  CHECK(rows.size() == 2);
  CHECK(rows.take_expired(at(101)).size() == 1);
  CHECK(rows.take_expired(at(1'000'000)).empty());
}

TEST_CASE("due rows: one look is bounded, and looks come round all rows") {
  DueRows rows;
  constexpr std::size_t kRows = 5 * DueRows::kLookMax + 1;
  for (std::size_t seq = 0; seq < kRows; ++seq)
    rows.add(due(seq, 1, seq % 2 == 0 ? at(100) : at(200)));
  std::size_t taken = 0;
  for (int look = 0; look < 6; ++look) {
    const std::size_t found = rows.take_expired(at(100)).size();
    CHECK(found <= DueRows::kLookMax);
    taken += found;
  }
  CHECK(taken == kRows / 2 + 1);
  for (int look = 0; look < 3; ++look) taken += rows.take_expired(at(200)).size();
  CHECK(taken == kRows);
  CHECK(rows.empty());
}

}  // namespace
}  // namespace weir::delivery
