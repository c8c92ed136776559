// SPDX-License-Identifier: Apache-2.0
// The disk is full: ingest is refused, what was accepted is delivered and settled from the reserve,
// and ingest goes on by itself once there is room.
#include <vector>

#include <doctest/doctest.h>

#include "course.h"
#include "replay_story.h"

namespace weir::crash {
namespace {

constexpr std::uint64_t kReserve = 4 << 20;
constexpr std::uint64_t kRoom = 64 << 20;
constexpr std::uint64_t kPage = 4096;

// Everything acknowledged is settled or owned by a row or a hold, durably.
void check_settled(Life& life) {
  const auto flows = life.wait(life.store().flows().flows());
  REQUIRE((flows && flows->ok()));
  for (const FlowRecord& flow : **flows) {
    if (flow.status == FlowStatus::active)
      CHECK(flow.cursor.floor == life.engine().find_stream("s")->next_seq);
  }
  const auto counts = life.wait(life.store().flows().counts());
  REQUIRE((counts && counts->ok()));
  for (const ports::FlowCounts& flow : **counts) CHECK(flow.waiting == 0);
}

struct Seen {
  bool refused = false;
  bool full = false;  // after a step that nevertheless succeeded
};

// The disk has so much room left when the script comes to this step.
Seen fill_at(const Story& story, std::uint32_t step, std::uint64_t room) {
  CAPTURE(step);
  CAPTURE(room);
  Seen seen;
  Course course(story);
  course.site.reserve_bytes = kReserve;
  Life life(course.site);
  REQUIRE(run_script_until(life, course.journal, step));
  course.disk().set_capacity(course.disk().used() + room);
  while (course.journal.step < story.steps.size()) {
    if (run_script_until(life, course.journal, course.journal.step + 1)) {
      const auto status = life.wait(life.store().info());
      REQUIRE(status);
      seen.full = seen.full || status->full;
      continue;
    }
    REQUIRE_FALSE(life.dead());  // a full disk stops nothing
    REQUIRE_FALSE(seen.refused);
    REQUIRE(course.journal.refused == 1);
    seen.refused = true;
    life.settle(std::chrono::seconds{30});
    check_settled(life);
    course.disk().set_capacity(kRoom);  // somebody makes room
    life.pass(std::chrono::seconds{2});
  }
  story.check(life, course.journal, 0);
  return seen;
}

// Runs in which ingest was refused, and in which settling, operators or replays wrote on a full
// disk.
struct Runs {
  std::uint64_t refused = 0;
  std::uint64_t full = 0;
};

Runs fill_everywhere(const Story& story, std::uint32_t stride,
                     const std::vector<std::uint64_t>& rooms) {
  Runs runs;
  for (std::uint32_t step = 0; step < story.steps.size(); step += stride) {
    for (const std::uint64_t room : rooms) {
      const Seen seen = fill_at(story, step, room);
      runs.refused += seen.refused;
      runs.full += seen.full;
    }
  }
  MESSAGE("ingest refused in ", runs.refused, " runs; the rest went on in ", runs.full);
  CHECK(runs.full > 0);
  return runs;
}

}  // namespace

TEST_CASE(
    "full disk: ingest is refused, settling goes on from the reserve, and it recovers by itself") {
  const Runs runs = fill_everywhere(delivery_story(), 1, {0, 5 * kPage});
  CHECK(runs.refused > 3);
  CHECK(runs.full > 3);
}

TEST_CASE("full disk in the middle of replays: they go on from the reserve, with the right sums") {
  fill_everywhere(replay_story(), 1, {0});
}

TEST_CASE("everywhere: full disk at every page" * doctest::skip()) {
  std::vector<std::uint64_t> rooms;
  for (std::uint64_t pages = 0; pages < 40; ++pages) rooms.push_back(pages * kPage);
  fill_everywhere(delivery_story(), 1, rooms);
  fill_everywhere(replay_story(), 4, rooms);
}

}  // namespace weir::crash
