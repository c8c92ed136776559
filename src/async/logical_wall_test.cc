// SPDX-License-Identifier: Apache-2.0
#include "async/logical_wall.h"

#include <vector>

#include <doctest/doctest.h>

namespace weir::async {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNoon{std::chrono::seconds{1'767'268'800}};

struct Look {
  Duration after;    // noon, by the monotonic clock
  Duration machine;  // after noon, by the machine's wall clock
  Duration told;     // the same, by ours
};

TEST_CASE("the wall clock follows the machine's forwards and slows down while that is behind") {
  const std::vector<Look> looks = {{0s, 0s, 0s},
                                   {1s, 1s, 1s},
                                   {2s, 5h, 5h},                // set forward
                                   {3s, 5h + 1s, 5h + 1s},      //
                                   {4s, 2s, 5h + 1s + 500ms},   // and back
                                   {10s, 8s, 5h + 4s + 500ms},  //
                                   {5h, 5h - 2s, 7h + 29min + 59s + 500ms},
                                   {11h, 11h - 2s, 11h - 2s},  // caught up
                                   {11h + 1s, 11h - 1s, 11h - 1s}};
  LogicalWall wall;
  for (const Look& look : looks) {
    CAPTURE(look.after.count());
    CHECK(to_text(wall.at(kNoon + look.machine, MonoTime{look.after}) - kNoon) ==
          to_text(look.told));
  }
}

TEST_CASE("a wall clock that is behind goes on however often it is looked at") {
  LogicalWall wall;
  (void)wall.at(kNoon + 1h, MonoTime{});
  WallTime last;
  for (int i = 1; i <= 1001; ++i) last = wall.at(kNoon, MonoTime{Duration{i}});
  CHECK(last == kNoon + 1h + Duration{500});
}

}  // namespace
}  // namespace weir::async
