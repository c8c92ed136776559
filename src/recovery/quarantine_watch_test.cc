// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine_watch.h"

#include <doctest/doctest.h>

namespace weir::recovery {
namespace {

using namespace std::chrono_literals;

const WallTime kWatched = WallTime{} + 1000h;

Group group_of(Duration age) {
  return Group{.id = GroupId{1},
               .fingerprint = {.hash = "abc", .title = "422 no inbox"},
               .open = 1,
               .total = 5,
               .first_at = kWatched - age};
}

}  // namespace

TEST_CASE("a new group is an alarm until somebody has it, one more member of an old one is not") {
  const QuarantineSpec spec;
  CHECK(alarm_of_group(group_of(59min), spec, kWatched) ==
        QuarantineAlarm{"newGroup", "abc", kWatched - 59min,
                        "deliveries began to fail with: 422 no inbox"});
  Group old = group_of(61min);
  old.last_at = kWatched;
  CHECK(!alarm_of_group(old, spec, kWatched));
  Group closed = group_of(1min);
  closed.open = 0;
  Group owned = group_of(1min);
  owned.notes.owner = "ada";
  Group snoozed = group_of(1min);
  snoozed.notes.snoozed_until = kWatched + 1s;
  Group merged = group_of(1min);
  merged.notes.merged_into = GroupId{2};
  for (const Group& group : {closed, owned, snoozed, merged})
    CHECK(!alarm_of_group(group, spec, kWatched));
  snoozed.notes.snoozed_until = kWatched;
  CHECK(alarm_of_group(snoozed, spec, kWatched));
  CHECK(!alarm_of_group(group_of(1min), {.new_group = 0s}, kWatched));
}

TEST_CASE("growth is what was added within the window, whatever the clock does") {
  Growth growth;
  CHECK(growth.add(100, kWatched, 10min) == 0);
  CHECK(growth.add(150, kWatched + 1min, 10min) == 50);
  CHECK(growth.add(150, kWatched + 9min, 10min) == 50);
  CHECK(growth.add(160, kWatched + 12min, 10min) == 10);  // the first two are too old
  CHECK(growth.add(170, kWatched - 5h, 10min) == 0);      // set back: begun anew
  CHECK(growth.add(175, kWatched - 5h + 1min, 10min) == 5);
  CHECK(growth.add(20, kWatched - 5h + 2min, 10min) == 0);  // never below zero
  for (int i = 0; i < 10'000; ++i)
    growth.add(static_cast<std::uint64_t>(i), kWatched + std::chrono::milliseconds{100 * i}, 10min);
  CHECK(growth.add(10'000, kWatched + 1000s, 10min) <= 6100);
  CHECK(growth.add(10'000, kWatched + 1000s, 10min) >= 5900);
}

}  // namespace weir::recovery
