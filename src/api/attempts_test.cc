// SPDX-License-Identifier: Apache-2.0
#include "api/attempts.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::api {

TEST_CASE("some wrong tokens are answered, then one a second; addresses do not share a limit") {
  Attempts attempts;
  MonoTime now{};
  for (std::uint32_t i = 0; i < kWrongBurst; ++i)
    CHECK(attempts.wrong(fmt::format("10.0.0.1:{}", i), now) == std::nullopt);
  const auto wait = attempts.wrong("10.0.0.1:99", now);
  REQUIRE(wait.has_value());
  CHECK(*wait > Duration::zero());
  CHECK(*wait <= std::chrono::seconds{1});
  CHECK(attempts.wrong("10.0.0.2:1", now) == std::nullopt);
  CHECK(attempts.wrong("[::1]:1", now) == std::nullopt);
  now += std::chrono::seconds{1};
  CHECK(attempts.wrong("10.0.0.1:1", now) == std::nullopt);
  CHECK(attempts.wrong("10.0.0.1:1", now) != std::nullopt);
  CHECK(attempts.addresses() == 3);
}

TEST_CASE("ten thousand guesses from one address get eleven answers in a second") {
  Attempts attempts;
  int answered = 0;
  for (int i = 0; i < 10'000; ++i) {
    const MonoTime now = MonoTime{} + std::chrono::microseconds{100} * i;
    if (!attempts.wrong("10.0.0.1:1", now)) ++answered;
  }
  CHECK(answered <= 11);
  CHECK(answered >= 10);
  CHECK(attempts.addresses() == 1);
}

TEST_CASE("however many addresses guess, the table stays as large as it may be") {
  Attempts attempts;
  for (int i = 0; i < 10'000; ++i)
    attempts.wrong(fmt::format("10.{}.{}.1:1", i / 250, i % 250), MonoTime{} + Duration{i});
  CHECK(attempts.addresses() == kWrongAddressesMax);
}

}  // namespace weir::api
