// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <array>
#include <vector>

#include <doctest/doctest.h>

namespace weir {
namespace {

TEST_CASE("the sequence is that of xoshiro256** seeded by splitmix64") {
  Rng rng(0);  // the reference implementation's numbers
  CHECK(rng.next() == 11'091'344'671'253'066'420ull);
  CHECK(rng.next() == 13'793'997'310'169'335'082ull);
  CHECK(rng.next() == 1'900'383'378'846'508'768ull);
  CHECK(rng.next() == 7'684'712'102'626'143'532ull);
}

TEST_CASE("equal seeds give equal sequences, others do not") {
  Rng a(7), b(7), c(8);
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    const auto value = a.next();
    CHECK(value == b.next());
    same += value == c.next() ? 1 : 0;
  }
  CHECK(same == 0);
}

TEST_CASE("unit lies in [0, 1) and fills it evenly") {
  Rng rng(1);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 100'000; ++i) {
    const double value = rng.unit();
    REQUIRE(value >= 0);
    REQUIRE(value < 1);
    ++tenths[static_cast<std::size_t>(value * 10)];
  }
  for (const int count : tenths) {
    CHECK(count > 9'600);  // four standard deviations
    CHECK(count < 10'400);
  }
}

TEST_CASE("below stays below, reaches every value and favours none") {
  Rng rng(2);
  CHECK(rng.below(1) == 0);
  std::vector<int> seen(6);
  for (int i = 0; i < 60'000; ++i) ++seen[rng.below(6)];
  for (const int count : seen) {
    CHECK(count > 9'600);
    CHECK(count < 10'400);
  }
  // Without rejection a bound of 3 * 2^62 would give the lowest quarter of 2^64 twice as often.
  const std::uint64_t bound = 3ull << 62;
  int low = 0;
  for (int i = 0; i < 30'000; ++i) low += rng.below(bound) < (1ull << 62) ? 1 : 0;
  CHECK(low > 9'600);
  CHECK(low < 10'400);
}

}  // namespace
}  // namespace weir
