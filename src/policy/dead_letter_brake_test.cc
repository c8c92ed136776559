// SPDX-License-Identifier: Apache-2.0
#include "policy/dead_letter_brake.h"

#include <vector>

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{1000s};
const DeadLetterBrakeSpec kFive{
    .quarantine_rate_threshold = 50, .sliding_window_size = 10s, .consecutive_quarantines = 5};

int quarantine(DeadLetterBrake& brake, int times, MonoTime now) {
  int trips = 0;
  for (int i = 0; i < times; ++i) trips += brake.quarantined(now).has_value() ? 1 : 0;
  return trips;
}

TEST_CASE("the brake trips when everything fails, says why, and counts anew") {
  DeadLetterBrake brake(kFive);
  CHECK(quarantine(brake, 4, kStart) == 0);
  CHECK(brake.quarantined(kStart) ==
        "dead-letter brake: 5 deliveries in a row went into quarantine, 100 % of 5 in 10.0 s");
  CHECK(quarantine(brake, 4, kStart) == 0);
  CHECK(quarantine(brake, 1, kStart) == 1);
}

TEST_CASE("one that passed between them starts the row again") {
  DeadLetterBrake brake(kFive);
  for (int i = 0; i < 100; ++i) {
    CHECK(quarantine(brake, 4, kStart) == 0);
    brake.passed(kStart);
  }
}

TEST_CASE("a row of failures that is a small share of the window is not systemic") {
  DeadLetterBrake brake(kFive);
  for (int i = 0; i < 100; ++i) brake.passed(kStart);
  CHECK(quarantine(brake, 99, kStart) == 0);
  CHECK(quarantine(brake, 1, kStart) == 1);  // 100 of 200
}

TEST_CASE("what has left the window does not count") {
  DeadLetterBrake brake(kFive);
  for (int i = 0; i < 100; ++i) brake.passed(kStart);
  CHECK(quarantine(brake, 5, kStart + 11s) == 1);
}

TEST_CASE("shadow mode counts what it would have stopped; disabled does nothing") {
  DeadLetterBrakeSpec spec = kFive;
  spec.mode = Mode::shadow;
  DeadLetterBrake shadow(spec);
  CHECK(quarantine(shadow, 20, kStart) == 0);
  CHECK(shadow.shadow_trips() == 4);
  spec.enabled = false;
  DeadLetterBrake off(spec);
  CHECK(quarantine(off, 20, kStart) == 0);
  CHECK(off.shadow_trips() == 0);
}

TEST_CASE("it never trips before its row is full, nor below its share") {
  CHECK(testing::holds("dead-letter brake", [] {
    const DeadLetterBrakeSpec spec{
        .quarantine_rate_threshold = static_cast<double>(*rc::gen::inRange(1, 101)),
        .sliding_window_size = 10s,
        .consecutive_quarantines = *rc::gen::inRange<std::uint32_t>(2, 12)};
    DeadLetterBrake brake(spec);
    std::vector<bool> since_trip;
    std::uint32_t row = 0;
    for (const bool fails : *rc::gen::container<std::vector<bool>>(
             rc::gen::weightedElement<bool>({{5, true}, {1, false}}))) {
      since_trip.push_back(fails);
      row = fails ? row + 1 : 0;
      if (!fails) {
        brake.passed(kStart);
        continue;
      }
      const auto share = 100.0 * static_cast<double>(std::ranges::count(since_trip, true)) /
                         static_cast<double>(since_trip.size());
      const bool wanted = row >= spec.consecutive_quarantines &&
                          share >= spec.quarantine_rate_threshold;
      RC_ASSERT(brake.quarantined(kStart).has_value() == wanted);
      if (wanted) since_trip.clear();
      if (wanted) row = 0;
    }
  }));
}

}  // namespace
}  // namespace weir::policy
