// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_limit.h"

#include <cmath>
#include <utility>
#include <vector>

#include "policy/testing/property.h"

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
    std::vector<std::pair<MonoTime, double>> admitted;
    const int steps = *rc::gen::inRange(1, 150);
    const double spacing = 2e6 / spec.per_second + 1;
    for (int i = 0; i < steps; ++i) {
      const double cost = *rc::gen::element(1.0, 1.0, 1.0, 2.0, 0.5);
      if (limit.admit(now, cost) == std::nullopt) admitted.emplace_back(now, cost);
      const int share = *rc::gen::inRange(0, 100);
      if (share > 40) now += Duration{static_cast<std::int64_t>(spacing * share / 100)};
    }
    for (std::size_t from = 0; from < admitted.size(); ++from) {
      double sum = 0;
      for (std::size_t to = from; to < admitted.size(); ++to) {
        sum += admitted[to].second;
        const double window =
            std::chrono::duration<double>(admitted[to].first - admitted[from].first).count();
        RC_ASSERT(sum <= spec.per_second * window + burst + 1e-6 + 1e-9 * spec.per_second);
      }
    }
  }));
}

TEST_CASE("a denial takes nothing, and its time is kept") {
  CHECK(testing::holds("rate limit next", [] {
    RateLimit limit({true, *rc::gen::element(0.1, 7.0, 1e5), *rc::gen::element(1.0, 10.0)});
    MonoTime now = kStart;
    for (int i = *rc::gen::inRange(1, 30); i > 0; --i) {
      (void)limit.admit(now);
      now += Duration{*rc::gen::inRange(0, 100'000)};
    }
    const auto next = limit.next(now);
    if (!next) return;
    for (int i = 0; i < 5; ++i) RC_ASSERT(limit.admit(now) == next);
    RC_ASSERT(!limit.admit(*next));
  }));
}

}  // namespace
}  // namespace weir::policy
