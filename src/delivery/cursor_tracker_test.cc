// SPDX-License-Identifier: Apache-2.0
#include "delivery/cursor_tracker.h"

#include <set>

#include <doctest/doctest.h>

#include "base/rng.h"

namespace weir::delivery {
namespace {

constexpr std::uint64_t kNext = 1000;  // of the stream

}  // namespace

TEST_CASE("the floor moves over what is settled, in any order") {
  CursorTracker tracker(Cursor{}, kNext);
  tracker.settle(2);
  tracker.settle(4);
  CHECK(tracker.floor() == 1);
  tracker.settle(1);
  CHECK(tracker.floor() == 3);
  tracker.settle(3);
  CHECK(tracker.floor() == 5);
  CHECK(tracker.snapshot().settled.empty());
}

TEST_CASE("a snapshot restores the same answers") {
  Rng rng(7);
  std::set<std::uint64_t> settled;
  CursorTracker tracker(Cursor{}, kNext);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t seq = 1 + rng.below(500);
    tracker.settle(seq);
    settled.insert(seq);
    if (i % 100 != 0) continue;
    const Cursor cursor = tracker.snapshot();
    const CursorTracker restored(cursor, kNext);
    for (std::uint64_t at = 1; at <= 500; ++at) {
      REQUIRE(restored.is_settled(at) == settled.contains(at));
    }
    REQUIRE(cursor.mark >= cursor.floor);
    for (const SeqRange& range : cursor.settled) REQUIRE(range.last <= cursor.mark);
  }
}

TEST_CASE("the mark only grows, and is durable only when told so") {
  CursorTracker tracker(Cursor{.floor = 10, .mark = 10}, kNext);
  tracker.want_mark(40);
  tracker.want_mark(20);
  CHECK(tracker.durable_mark() == 10);
  CHECK(tracker.snapshot().mark == 40);
  tracker.is_durable({.floor = 10, .mark = 40});
  CHECK(tracker.durable_mark() == 40);
  CHECK_FALSE(tracker.dirty());
}

TEST_CASE("what a commit carried is what is durable") {
  CursorTracker tracker(Cursor{.floor = 10, .mark = 10}, kNext);
  tracker.want_mark(40);
  tracker.settle(10);
  CHECK(tracker.floor() == 11);
  CHECK(tracker.durable_floor() == 10);
  tracker.is_durable(tracker.snapshot());
  CHECK(tracker.durable_floor() == 11);
  CHECK(tracker.durable_mark() == 40);
}

TEST_CASE("what was appended after a restart lies above the mark, however far it had run ahead") {
  CursorTracker tracker(Cursor{.floor = 10, .mark = 64, .settled = {{11, 13}}}, 15);
  CHECK(tracker.durable_mark() == 15);
  CHECK(tracker.dirty());
  CHECK(tracker.snapshot().mark == 15);
  CHECK_FALSE(CursorTracker(Cursor{.floor = 10, .mark = 14}, 15).dirty());
}

}  // namespace weir::delivery
