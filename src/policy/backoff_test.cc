// SPDX-License-Identifier: Apache-2.0
#include "policy/backoff.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

BackOffSpec spec_of(Jitter jitter) { return {1s, 5min, 2, jitter}; }

// Largest distance between the sample and the uniform distribution on [low, high].
double ks_distance(std::vector<double> sample, double low, double high) {
  std::sort(sample.begin(), sample.end());
  const double n = static_cast<double>(sample.size());
  double worst = 0;
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const double expected = (sample[i] - low) / (high - low);
    const double below = static_cast<double>(i) / n;
    worst = std::max({worst, std::abs(expected - below), std::abs(below + 1 / n - expected)});
  }
  return worst;
}

std::vector<double> sample_of(const BackOffSpec& spec, std::uint32_t attempt, Duration previous) {
  constexpr int kSample = 20'000;
  Rng rng(42);
  std::vector<double> sample;
  for (int i = 0; i < kSample; ++i) {
    sample.push_back(static_cast<double>(backoff(spec, attempt, previous, rng).count()));
  }
  return sample;
}

// Critical value of Kolmogorov and Smirnov for 20,000 values and a risk of 0.1 %.
constexpr double kCritical = 1.95 / 141.42;

TEST_CASE("ceilings double up to the cap and stay there") {
  const BackOffSpec spec = spec_of(Jitter::none);
  CHECK(backoff_ceiling(spec, 0) == 1s);
  CHECK(backoff_ceiling(spec, 1) == 1s);
  CHECK(backoff_ceiling(spec, 2) == 2s);
  CHECK(backoff_ceiling(spec, 9) == 256s);
  CHECK(backoff_ceiling(spec, 10) == 5min);
  CHECK(backoff_ceiling(spec, 1024) == 5min);
  CHECK(backoff_ceiling(spec, 1025) == 5min);
  CHECK(backoff_ceiling(spec, std::numeric_limits<std::uint32_t>::max()) == 5min);
}

TEST_CASE("without jitter the delay is the ceiling") {
  Rng rng(1);
  CHECK(backoff(spec_of(Jitter::none), 4, {}, rng) == 8s);
}

TEST_CASE("jitter is uniform over its whole range") {
  SUBCASE("full") {
    const auto sample = sample_of(spec_of(Jitter::full), 4, {});
    CHECK(ks_distance(sample, 0, 8e6) < kCritical);
    CHECK(ks_distance(sample, 0, 8.5e6) > kCritical);
  }
  SUBCASE("full, at the cap") {
    CHECK(ks_distance(sample_of(spec_of(Jitter::full), 40, {}), 0, 300e6) < kCritical);
  }
  SUBCASE("equal") {
    CHECK(ks_distance(sample_of(spec_of(Jitter::equal), 4, {}), 4e6, 8e6) < kCritical);
  }
  SUBCASE("decorrelated") {
    CHECK(ks_distance(sample_of(spec_of(Jitter::decorrelated), 9, 4s), 1e6, 12e6) < kCritical);
  }
}

TEST_CASE("property: jitter is uniform, whatever the rule and the attempt") {
  std::vector<double> shares;
  CHECK(testing::holds("jitter is uniform", [&] {
    testing::Draws draws;
    const Jitter jitter = draws.one_of({Jitter::full, Jitter::equal, Jitter::decorrelated});
    const BackOffSpec spec{Duration{draws.in(100'000, 10'000'000)}, 1h,
                           draws.one_of({1.0, 1.5, 2.0, 10.0}), jitter};
    const auto attempt = draws.in(2u, 30u);
    const Duration previous = spec.base_interval * draws.in(1, 100);
    const DelayRange range = delay_range(spec, attempt, previous, {});
    const Duration delay = backoff(spec, attempt, previous, draws.rng());
    shares.push_back(std::chrono::duration<double>(delay - range.least) /
                     (range.most - range.least));
  }));
  // Critical for a risk of 3e-8: the seed is another one at each run.
  const double critical = 3 / std::sqrt(static_cast<double>(shares.size()));
  CHECK(ks_distance(shares, 0, 1) < critical);
  CHECK(ks_distance(shares, 0, 1.3) > critical);
}

TEST_CASE("decorrelated jitter starts at the base interval") {
  Rng rng(3);
  CHECK(backoff(spec_of(Jitter::decorrelated), 1, {}, rng) == 1s);
  CHECK(backoff(spec_of(Jitter::decorrelated), 1, Duration::max(), rng) <= 5min);
}

BackOffSpec any_spec() {
  return {Duration{*rc::gen::inRange<std::int64_t>(-10, 10'000'000'000)},
          Duration{*rc::gen::inRange<std::int64_t>(-10, 10'000'000'000)},
          *rc::gen::element(0.0, 0.5, 1.0, 1.5, 2.0, 10.0, 1e300),
          *rc::gen::element(Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated)};
}

TEST_CASE("a delay is never negative and never above the cap") {
  CHECK(testing::holds("backoff is bounded", [](std::uint32_t attempt, std::uint64_t seed) {
    const BackOffSpec spec = any_spec();
    const Duration previous{*rc::gen::arbitrary<std::int64_t>()};
    Rng rng(seed);
    const Duration delay = backoff(spec, attempt, previous, rng);
    RC_ASSERT(delay >= Duration::zero());
    RC_ASSERT(delay <= std::max(spec.max_interval, Duration::zero()));
  }));
}

TEST_CASE("a delay stays within the range that is told beforehand") {
  CHECK(testing::holds("delay range", [](std::uint32_t attempt, std::uint64_t seed) {
    const BackOffSpec spec = any_spec();
    const Duration previous{*rc::gen::arbitrary<std::int64_t>()};
    std::optional<Duration> minimum;
    if (*rc::gen::arbitrary<bool>()) minimum = Duration{*rc::gen::inRange(0, 300'000'000)};
    const DelayRange range = delay_range(spec, attempt, previous, minimum);
    Rng rng(seed);
    for (int i = 0; i < 8; ++i) {
      const Duration delay = retry_delay(spec, attempt, previous, minimum, rng);
      RC_ASSERT(delay >= range.least);
      RC_ASSERT(delay <= range.most);
    }
  }));

  // It is no wider than it must be.
  for (const Jitter jitter : {Jitter::none, Jitter::full, Jitter::equal, Jitter::decorrelated}) {
    Rng rng(11);
    const DelayRange range = delay_range(spec_of(jitter), 4, 20s, {});
    Duration least = Duration::max();
    Duration most{};
    for (int i = 0; i < 20'000; ++i) {
      const Duration delay = retry_delay(spec_of(jitter), 4, 20s, {}, rng);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    CHECK(least - range.least < 50ms);
    CHECK(range.most - most < 50ms);
  }
}

TEST_CASE("the server's minimum holds, with spread on top of it") {
  CHECK(testing::holds("server minimum", [](std::uint32_t attempt, std::uint64_t seed) {
    const BackOffSpec spec = any_spec();
    const Duration minimum{*rc::gen::inRange<std::int64_t>(0, 300'000'000)};
    Rng rng(seed);
    const Duration delay = retry_delay(spec, attempt, {}, minimum, rng);
    RC_ASSERT(delay >= minimum);
    RC_ASSERT(delay <= minimum + std::max(spec.max_interval, Duration::zero()));
  }));

  Rng rng(7);
  std::vector<double> sample;
  for (int i = 0; i < 20'000; ++i) {
    const auto delay = retry_delay(spec_of(Jitter::none), 2, {}, 30s, rng);
    sample.push_back(static_cast<double>(delay.count()));
  }
  CHECK(ks_distance(sample, 30e6, 32e6) < kCritical);
}

TEST_CASE("one seed, one sequence") {
  Rng a(9);
  Rng b(9);
  Rng c(10);
  const BackOffSpec spec = spec_of(Jitter::full);
  int different = 0;
  for (std::uint32_t i = 1; i < 50; ++i) {
    const Duration first = retry_delay(spec, i, {}, {}, a);
    CHECK(first == retry_delay(spec, i, {}, {}, b));
    different += first != retry_delay(spec, i, {}, {}, c);
  }
  CHECK(different > 40);
}

}  // namespace
}  // namespace weir::policy
