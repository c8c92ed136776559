// SPDX-License-Identifier: Apache-2.0
#include "policy/ramp.h"

#include <cmath>
#include <limits>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"
#include "policy/testing/windows.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{1000s};

TEST_CASE("releases at its rate and says when to ask again") {
  Ramp ramp({.start_per_second = 5, .max_per_second = 50}, kStart);
  const ReplayCounts counts{.planned = 100};
  Pace pace = ramp.pace(counts, kStart);
  CHECK(pace.release == 1);
  CHECK(pace.rate == 5);
  ramp.released(1, kStart);
  pace = ramp.pace({.planned = 100, .sent = 1}, kStart);
  CHECK(pace.release == 0);
  CHECK(pace.ask_again == kStart + 200ms);
  CHECK(ramp.pace(counts, pace.ask_again - 1us).release == 0);
  CHECK(ramp.pace(counts, pace.ask_again).release == 1);
}

TEST_CASE("the rate grows after good steps only, up to its maximum") {
  Ramp ramp({.start_per_second = 5, .max_per_second = 12, .ramp_factor = 2, .step = 5s}, kStart);
  MonoTime now = kStart;
  const auto step = [&](int good, int bad) {
    for (int i = 0; i < good; ++i) ramp.settled(true);
    for (int i = 0; i < bad; ++i) ramp.settled(false);
    now += 5s;
    return ramp.pace({.planned = 100}, now).rate;
  };
  CHECK(step(0, 0) == 5);
  CHECK(step(3, 1) == 5);
  CHECK(step(3, 0) == 10);
  CHECK(step(0, 0) == 10);
  CHECK(step(1, 0) == 12);
  CHECK(step(1, 0) == 12);
  CHECK(ramp.rate() == 12);
}

TEST_CASE("rates that are given one by one follow each other, wherever the run stands") {
  const RatePlan plan{.start_per_second = 5, .max_per_second = 100, .steps = {5, 20, 100}};
  CHECK(next_rate(plan, 5) == 20);
  CHECK(next_rate(plan, 20) == 100);
  CHECK(next_rate(plan, 100) == 100);
  CHECK(next_rate(plan, 2.5) == 5);  // slowed down
  CHECK(next_rate(plan, 40) == 100);
  CHECK(next_rate({.ramp_factor = 3}, 5) == 15);
}

TEST_CASE("goes on at the checkpoint") {
  CHECK(Ramp({.start_per_second = 5, .max_per_second = 50}, kStart, 20).rate() == 20);
  CHECK(Ramp({.start_per_second = 5, .max_per_second = 50}, kStart, 90).rate() == 50);
  CHECK(Ramp({.start_per_second = 90, .max_per_second = 50}, kStart).rate() == 50);
  CHECK(Ramp({.start_per_second = 0, .max_per_second = 0}, kStart).rate() > 0);
}

TEST_CASE("at a high rate few are released together, not one by one") {
  const RatePlan plan{.start_per_second = 500, .max_per_second = 500, .concurrency = 64};
  Ramp ramp(plan, kStart);
  CHECK(ramp.pace({.planned = 1000}, kStart).release == 1);  // the first one waits for nobody
  ramp.released(1, kStart);
  const ReplayCounts one{.planned = 1000, .sent = 1};
  const Pace soon = ramp.pace(one, kStart + 4ms);
  CHECK(soon.release == 0);
  CHECK(soon.ask_again == kStart + kReleaseSlot);
  CHECK(ramp.pace(one, kStart + kReleaseSlot).release == 10);
  SUBCASE("where little may be under way, half of that is enough") {
    Ramp narrow({.start_per_second = 500, .max_per_second = 500, .concurrency = 16}, kStart);
    narrow.released(1, kStart);
    CHECK(narrow.pace(one, kStart + 14ms).release == 0);
    CHECK(narrow.pace(one, kStart + 16ms).release == 8);
  }
  SUBCASE("and what is less than that waits no longer than the slot") {
    CHECK(ramp.pace({.planned = 1000, .sent = 62}, kStart + kReleaseSlot).release == 2);
  }
}

TEST_CASE("never more unsettled than the concurrency") {
  Ramp ramp({.start_per_second = 1000, .max_per_second = 1000, .concurrency = 3}, kStart);
  const Pace few = ramp.pace({.planned = 9, .sent = 2}, kStart + 1s);
  CHECK(few.release == 1);
  CHECK(few.ask_again == MonoTime::max());
  const Pace none = ramp.pace({.planned = 9, .sent = 3}, kStart + 1s);
  CHECK(none.release == 0);
  CHECK(none.ask_again == MonoTime::max());
  CHECK(ramp.pace({.planned = 9, .sent = 3, .succeeded = 1, .failed_again = 1}, kStart + 1s)
            .release == 2);
}

TEST_CASE("released in any window: at most rate * (window + slack) + 1") {
  CHECK(testing::holds("ramp bound", [] {
    const RatePlan plan{.start_per_second = *rc::gen::element(0.5, 5.0, 500.0),
                        .max_per_second = *rc::gen::element(5.0, 50.0, 1000.0),
                        .ramp_factor = *rc::gen::element(1.0, 2.0, 10.0),
                        .step = std::chrono::milliseconds{*rc::gen::inRange(0, 3000)},
                        .concurrency = *rc::gen::element(1u, 16u, 100'000u)};
    Ramp ramp(plan, kStart);
    ReplayCounts counts{.planned = 1'000'000};
    MonoTime now = kStart;
    testing::Admitted released;
    const int steps = *rc::gen::inRange(1, 60);
    testing::Draws draws;
    for (int i = 0; i < steps; ++i) {
      const Pace pace = ramp.pace(counts, now);
      RC_ASSERT(pace.rate <= plan.max_per_second);
      RC_ASSERT(counts.in_flight() + pace.release <= plan.concurrency);
      RC_ASSERT(pace.ask_again > now);
      ramp.released(pace.release, now);
      counts.sent += pace.release;
      released.emplace_back(now, pace.release);
      while (counts.in_flight() > 0 && !draws.one_in(4)) {
        const bool good = !draws.one_in(10);
        ++(good ? counts.succeeded : counts.failed_again);
        ramp.settled(good);
        if (counts.in_flight() > 50) break;
      }
      const bool patient = draws.coin() && pace.ask_again != MonoTime::max();
      now = patient ? pace.ask_again : now + std::chrono::milliseconds{draws.in(0, 2000)};
    }
    const double slack = std::chrono::duration<double>(kRampSlack).count();
    testing::check_windows(released, plan.max_per_second, plan.max_per_second * slack + 1);
  }));
}

TEST_CASE("the canary goes out at once and passes after its hold") {
  const Canary canary{.count = 5, .hold = 2s};
  CHECK(canary_release(canary, {.planned = 100}) == 5);
  CHECK(canary_release(canary, {.planned = 100, .sent = 3}) == 2);
  CHECK(canary_release(canary, {.planned = 100, .sent = 5}) == 0);
  CHECK(canary_release(canary, {.planned = 4, .skipped = 1}) == 3);

  const ReplayCounts settled{.planned = 100, .sent = 5, .succeeded = 5};
  CHECK_FALSE(canary_passed(canary, settled, kStart, kStart + 1999ms));
  CHECK(canary_passed(canary, settled, kStart, kStart + 2s));
  CHECK_FALSE(
      canary_passed(canary, {.planned = 100, .sent = 5, .succeeded = 4}, kStart, kStart + 1h));
  CHECK_FALSE(
      canary_passed(canary, {.planned = 100, .sent = 4, .succeeded = 4}, kStart, kStart + 1h));
  CHECK(canary_passed({.count = 0}, {.planned = 100}, kStart, kStart));
}

TEST_CASE("slowing down halves the rate, down to a sixteenth of where it began") {
  Ramp ramp({.start_per_second = 16, .max_per_second = 64, .ramp_factor = 2, .step = 5s}, kStart);
  for (const double rate : {8.0, 4.0, 2.0, 1.0}) {
    CHECK(ramp.slow_down(kStart));
    CHECK(ramp.rate() == rate);
  }
  CHECK_FALSE(ramp.slow_down(kStart));
  CHECK(ramp.rate() == 1.0);
  ramp.settled(true);
  CHECK(ramp.pace({}, kStart + 5s).rate == 2.0);  // and it grows again
}

}  // namespace
TEST_CASE("what the dependency has left holds for the rate, which is there again afterwards") {
  RatePlan plan;
  plan.start_per_second = 100;
  plan.max_per_second = 100;
  Ramp ramp(plan, MonoTime{});
  ramp.limit(10, MonoTime{});
  CHECK(ramp.rate() == 10);
  CHECK(ramp.pace({.planned = 1000}, MonoTime{} + std::chrono::seconds{10}).release <= 2);
  ramp.limit(std::numeric_limits<double>::infinity(), MonoTime{});
  CHECK(ramp.rate() == 100);
  ramp.limit(20, MonoTime{});
  CHECK(ramp.slow_down(MonoTime{}));
  CHECK(ramp.rate() == 10);  // half of what it was in truth
}

TEST_CASE("a share of a limit is what live traffic leaves of it, and never nothing") {
  RatePlan plan;
  plan.start_per_second = 16;
  plan.share = 50;
  CHECK(room_of_share(plan, 200, 30) == 70);
  CHECK(room_of_share(plan, 200, 150) == 1);
  CHECK(std::isinf(room_of_share(plan, 0, 150)));
  plan.share = 0;
  CHECK(std::isinf(room_of_share(plan, 200, 30)));
}

}  // namespace weir::policy
