// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "course.h"
#include "replay_story.h"

namespace weir::crash {
namespace {

void tell_twice(const Story& story) {
  std::uint64_t operations = 0;
  for (int run = 0; run < 2; ++run) {
    Course course(story);
    course.run_to_the_end();
    CHECK(course.journal.life == 2);  // one, and one more to look at what it left
    const std::uint64_t now = course.operations;
    if (run > 0) CHECK(now == operations);
    operations = now;
  }
  MESSAGE("operations of the disk: ", operations);
}

}  // namespace

TEST_CASE("a story without a fault keeps its own promises, and always takes the same course") {
  tell_twice(delivery_story());
  tell_twice(replay_story());
}

}  // namespace weir::crash
