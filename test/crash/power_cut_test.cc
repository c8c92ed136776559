// SPDX-License-Identifier: Apache-2.0
// The power goes at a write, sync, truncation, creation or deletion of the disk, so before and
// after every commit; what was not synced is there afterwards, or not, or in part.
#include <doctest/doctest.h>

#include "course.h"
#include "replay_story.h"

namespace weir::crash {
namespace {

// False if the scenario was over before the power could go.
bool cut_and_recover(const Story& story, std::uint64_t operation) {
  CAPTURE(operation);
  Course course(story);
  course.disk().cut_at(operation);
  const auto failure = course.live();
  if (!course.disk().is_off()) return false;
  // The first operation makes the file.
  const Code expected = operation == 1 ? Code::store_unreadable : Code::store_failed;
  if (failure) CHECK(failure->code == expected);
  course.power_cut(operation * 7);
  course.run_to_the_end();
  return true;
}

// Every stride-th operation, from the first.
void cut_along(const Story& story, std::uint64_t first, std::uint64_t stride) {
  std::uint64_t cuts = 0;
  for (std::uint64_t operation = first; cut_and_recover(story, operation); operation += stride)
    ++cuts;
  MESSAGE("power cuts: ", cuts);
  CHECK(cuts > 10);
}

// The power goes, and goes again while Weir recovers from that or goes on after it.
void cut_twice(const Story& story, std::uint64_t first, std::uint64_t second) {
  CAPTURE(first);
  CAPTURE(second);
  Course course(story);
  course.disk().cut_at(first);
  (void)course.live();
  REQUIRE(course.disk().is_off());
  course.power_cut(first);
  course.disk().cut_at(second);
  (void)course.live();
  course.power_cut(second);
  course.run_to_the_end();
}

// After a failed sync the page cache shows what the disk does not have. Weir stops acknowledging,
// starts again, goes on with what it sees, and then the power goes. False if the scenario has no
// such sync.
bool fail_sync_then_cut(std::uint64_t sync, bool sticky, std::uint64_t cut_after) {
  CAPTURE(sync);
  CAPTURE(sticky);
  Course course;
  course.disk().fail_sync(sync, sticky);
  const auto failure = course.live();
  if (!failure) return false;
  CHECK(failure->code == Code::store_failed);
  course.disk().restart();
  ++course.crashes;
  course.disk().cut_at(cut_after);
  (void)course.live();
  course.power_cut(sync);
  course.run_to_the_end();
  return true;
}

void fail_syncs(std::uint64_t stride) {
  std::uint64_t runs = 0;
  Rng rng(stride);
  for (std::uint64_t sync = 1; fail_sync_then_cut(sync, sync % 2 == 0, 1 + rng.below(300));
       sync += stride) {
    ++runs;
  }
  MESSAGE("failed syncs, followed by a power cut: ", runs);
  CHECK(runs > 5);
}

}  // namespace

TEST_CASE(
    "power cut while publishing, delivering and replaying: nothing acknowledged is lost, keys keep "
    "their order, no replay settles twice, every quarantine is explained") {
  cut_along(delivery_story(), 3, 29);
}

TEST_CASE(
    "power cut at every step of replays: each goes on, or stays halted, as it was; the sums are "
    "right") {
  cut_along(replay_story(), 401, 67);
}

TEST_CASE("power cut during the recovery from a power cut") {
  Rng rng(11);
  for (std::uint64_t first = 60; first < 400; first += 70) {
    cut_twice(delivery_story(), first, 1 + rng.below(20));
    cut_twice(delivery_story(), first, 20 + rng.below(150));
  }
}

TEST_CASE("power cut during the recovery of replays from a power cut") {
  Rng rng(13);
  for (std::uint64_t first = 700; first < 2400; first += 230) {
    cut_twice(replay_story(), first, 1 + rng.below(60));
  }
}

TEST_CASE(
    "fsync error, restart, power cut: Weir stops acknowledging with store_failed and keeps every "
    "promise afterwards") {
  fail_syncs(17);
}

TEST_CASE("everywhere: power cut at every operation of the disk" * doctest::skip()) {
  cut_along(delivery_story(), 1, 1);
}

// All 2554 take ten minutes.
TEST_CASE("everywhere: power cut at every sixth operation of the disk in replays" *
          doctest::skip()) {
  cut_along(replay_story(), 1, 6);
}

TEST_CASE("everywhere: two power cuts" * doctest::skip()) {
  Rng rng(12);
  for (std::uint64_t first = 10; first < 500; first += 7)
    cut_twice(delivery_story(), first, 1 + rng.below(200));
  for (std::uint64_t first = 500; first < 2500; first += 29)
    cut_twice(replay_story(), first, 1 + rng.below(200));
}

TEST_CASE("everywhere: fsync error at every sync, restart, power cut" * doctest::skip()) {
  fail_syncs(1);
}

}  // namespace weir::crash
