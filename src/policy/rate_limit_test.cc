// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit.h"

#include <cmath>
#include <utility>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"
#include "policy/testing/windows.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{1000s};

int admit_all(RateLimit& limit, MonoTime now) {
  int admitted = 0;
  while (admitted < 100'000 && !limit.admit(now)) ++admitted;
  return admitted;
}

TEST_CASE("the burst at once, then the rate") {
  RateLimit limit({true, 250, 50});
  CHECK(limit.tokens(kStart) == doctest::Approx(50));
  CHECK(admit_all(limit, kStart) == 50);
  CHECK(limit.tokens(kStart) == doctest::Approx(0));
  CHECK(limit.next(kStart) == kStart + 4ms);
  CHECK(admit_all(limit, kStart + 4ms) == 1);
  CHECK(admit_all(limit, kStart + 104ms) == 25);
  CHECK(admit_all(limit, kStart + 10s) == 50);
}

TEST_CASE("the earliest time is exact") {
  RateLimit limit({true, 3, 1});
  CHECK_FALSE(limit.admit(kStart));
  const auto next = limit.admit(kStart);
  REQUIRE(next);
  CHECK(limit.admit(*next - 1us));
  CHECK_FALSE(limit.admit(*next));
}

TEST_CASE("cost above one, and above the burst") {
  RateLimit limit({true, 10, 5});
  CHECK_FALSE(limit.admit(kStart, 5));
  CHECK(limit.next(kStart, 2) == kStart + 200ms);
  CHECK(limit.next(kStart, 6) == MonoTime::max());
}

TEST_CASE("disabled admits everything, and a burst below one is one") {
  RateLimit off({false, 1, 1});
  CHECK(admit_all(off, kStart) == 100'000);
  CHECK(std::isinf(off.tokens(kStart)));
  RateLimit zero({true, 0, 0});
  CHECK_FALSE(zero.enabled());
  RateLimit small({true, 1, 0});
  CHECK(admit_all(small, kStart) == 1);
}

TEST_CASE("admitted <= rate * window + burst, in every window") {
  CHECK(testing::holds("rate limit bound", [] {
    const RateLimitSpec spec{true, *rc::gen::element(0.1, 1.0, 3.0, 250.0, 1e6),
                             *rc::gen::element(0.0, 1.0, 2.5, 50.0)};
    const double burst = std::max(spec.burst, 1.0);
    RateLimit limit(spec);
    MonoTime now = kStart;
    testing::Admitted admitted;
    const int steps = *rc::gen::inRange(1, 100);
    testing::Draws draws;
    const double spacing = 2e6 / spec.per_second + 1;
    for (int i = 0; i < steps; ++i) {
      const double cost = draws.one_of({1.0, 1.0, 1.0, 2.0, 0.5});
      if (limit.admit(now, cost) == std::nullopt) admitted.emplace_back(now, cost);
      const int share = draws.in(0, 100);
      if (share > 40) now += Duration{static_cast<std::int64_t>(spacing * share / 100)};
    }
    testing::check_windows(admitted, spec.per_second, burst);
  }));
}

ServerPace hold_for(Duration time) { return {.hold = time}; }

TEST_CASE("a hold ends with one call, and the bucket refills at the rate") {
  RateLimit limit({true, 100, 50});
  limit.learn(hold_for(10s), 0, kStart);
  CHECK(limit.held_until(kStart) == kStart + 10s);
  CHECK(limit.tokens(kStart) == 0);
  CHECK(limit.next(kStart) == kStart + 10s);
  CHECK(admit_all(limit, kStart + 10s - 1us) == 0);
  CHECK(admit_all(limit, kStart + 10s) == 1);
  CHECK(admit_all(limit, kStart + 10s + 100ms) == 10);
  CHECK(admit_all(limit, kStart + 20s) == 50);
}

TEST_CASE("a hold works without a rate, and the calls come back slowly") {
  RateLimit limit({});
  limit.learn(hold_for(4s), 0, kStart);
  CHECK(admit_all(limit, kStart + 4s - 1us) == 0);
  MonoTime now = kStart + 4s;
  int first_second = 0;
  for (; now < kStart + 5s; now += 1ms) first_second += admit_all(limit, now);
  CHECK(first_second == 10);
  int second_second = 0;
  for (; now < kStart + 6s; now += 1ms) second_second += admit_all(limit, now);
  CHECK(second_second == 20);
  CHECK(admit_all(limit, kStart + 15s) == 100'000);
}

TEST_CASE("later answers never shorten a hold, and longer ones end at the cap") {
  RateLimit limit({});
  limit.learn(hold_for(10s), 0, kStart);
  limit.learn(hold_for(1s), 0, kStart);
  limit.learn({.remaining = 1000, .reset = 1s}, 0, kStart);
  limit.learn({}, 0, kStart);
  CHECK(limit.next(kStart) == kStart + 10s);
  limit.learn(hold_for(24h), 0, kStart);
  CHECK(limit.next(kStart) == kStart + kHoldMax);
  limit.learn(hold_for(Duration::max()), 0, kStart);
  CHECK(limit.next(kStart) == kStart + kHoldMax);
  limit.learn(hold_for(-5s), 0, kStart);
  CHECK(limit.next(kStart) == kStart + kHoldMax);
}

TEST_CASE("nothing left holds until the reset; Retry-After wins over it") {
  RateLimit limit({});
  limit.learn({.remaining = 0, .reset = 30s}, 0, kStart);
  CHECK(limit.next(kStart) == kStart + 30s);
  RateLimit other({});
  other.learn({.hold = 5s, .remaining = 0, .reset = 30s}, 0, kStart);
  CHECK(other.next(kStart) == kStart + 5s);
}

TEST_CASE("few that are left are spread over the time that is left") {
  RateLimit limit({});
  CHECK_FALSE(limit.admit(kStart));
  limit.learn({.remaining = 5, .reset = 10s}, 0, kStart);
  CHECK(limit.next(kStart) == kStart + 2s);
  int admitted = 0;
  for (MonoTime now = kStart; now < kStart + 10s; now += 10ms) admitted += admit_all(limit, now);
  CHECK(admitted <= 5);
  CHECK(admitted >= 4);
  CHECK(admit_all(limit, kStart + 10s) == 100'000);
}

TEST_CASE("calls under way are taken off what is left; many left are not spread") {
  RateLimit limit({});
  CHECK_FALSE(limit.admit(kStart));
  limit.learn({.remaining = 6, .reset = 10s}, 4, kStart);
  CHECK(limit.next(kStart) == kStart + 5s);
  limit.learn({.remaining = 90, .reset = 10s, .quota = 100, .window = 60s}, 4, kStart);
  CHECK_FALSE(limit.next(kStart));
  limit.learn({.remaining = 90, .reset = 10s}, 64, kStart);
  CHECK(limit.next(kStart).has_value());
}

TEST_CASE("headers that are not to be honoured change nothing") {
  RateLimitSpec spec;
  spec.honor_headers = false;
  RateLimit limit(spec);
  limit.learn(hold_for(10s), 0, kStart);
  CHECK_FALSE(limit.next(kStart));
}

TEST_CASE("a hold outlives another rate, and so does what comes after it") {
  RateLimit limit({true, 100, 50});
  limit.learn(hold_for(10s), 0, kStart);
  limit.update({true, 10, 20});
  CHECK(limit.next(kStart) == kStart + 10s);
  CHECK(admit_all(limit, kStart + 10s) == 1);
  limit.update({true, 10, 20});  // the same: nothing starts anew
  CHECK(admit_all(limit, kStart + 10s) == 0);
}

ServerPace any_pace(testing::Draws& draws) {
  ServerPace pace;
  if (draws.one_in(3)) pace.hold = Duration{draws.in(-1000, 3'000'000)};
  if (!draws.one_in(3)) pace.remaining = draws.in(0, 40);
  pace.reset = Duration{draws.in(0, 5'000'000)};
  pace.quota = draws.one_of({0, 1, 50});
  pace.window = draws.one_of<Duration>({0s, 1s, 60s});
  return pace;
}

TEST_CASE("property: with whatever is learned, never faster than configured, and never in a hold") {
  CHECK(testing::holds("rate limit with learned holds", [] {
    const bool enabled = *rc::gen::arbitrary<bool>();
    const RateLimitSpec spec{enabled, *rc::gen::element(1.0, 7.0, 250.0),
                             *rc::gen::element(0.0, 2.5, 20.0)};
    const double burst = std::max(spec.burst, 1.0);
    RateLimit limit(spec);
    MonoTime now = kStart;
    MonoTime held_until = kStart;
    testing::Admitted admitted;
    testing::Draws draws;
    for (int i = *rc::gen::inRange(1, 60); i > 0; --i) {
      if (draws.one_in(5)) {
        const ServerPace pace = any_pace(draws);
        limit.learn(pace, draws.in(0u, 8u), now);
        if (pace.hold || pace.remaining == 0)
          held_until = std::max(held_until, now + pace.hold.value_or(pace.reset));
      }
      const auto next = limit.next(now);
      RC_ASSERT(!next || *next > now);
      if (next) {  // its time is kept
        RateLimit copy = limit;
        RC_ASSERT(!copy.admit(*next));
      }
      if (!limit.admit(now)) {
        RC_ASSERT(now >= held_until);
        admitted.emplace_back(now, 1);
      }
      if (!draws.one_in(3)) now += Duration{draws.in(0, 700'000)};
    }
    if (enabled) testing::check_windows(admitted, spec.per_second, burst);
  }));
}

TEST_CASE("property: after a hold without a rate no window holds more than a doubling allows") {
  CHECK(testing::holds("rate limit release", [] {
    RateLimit limit({});
    const Duration hold{*rc::gen::inRange(4'000'000, 100'000'000)};
    limit.learn(hold_for(hold), 0, kStart);
    testing::Draws draws;
    MonoTime now = kStart + hold;
    for (int second = 0; second < 4; ++second) {
      int admitted = 0;
      for (const MonoTime end = now + 1s; now < end;) {
        admitted += admit_all(limit, now);
        now += Duration{draws.in(500, 400'000)};
      }
      RC_ASSERT(admitted <= 10 * (2 << second));
    }
  }));
}

TEST_CASE("a denial takes nothing, and its time is kept") {
  CHECK(testing::holds("rate limit next", [] {
    RateLimit limit({true, *rc::gen::element(0.1, 7.0, 1e5), *rc::gen::element(1.0, 10.0)});
    MonoTime now = kStart;
    testing::Draws draws;
    for (int i = *rc::gen::inRange(1, 30); i > 0; --i) {
      (void)limit.admit(now);
      now += Duration{draws.in(0, 100'000)};
    }
    const auto next = limit.next(now);
    if (!next) return;
    for (int i = 0; i < 5; ++i) RC_ASSERT(limit.admit(now) == next);
    RC_ASSERT(!limit.admit(*next));
  }));
}

}  // namespace
}  // namespace weir::policy
