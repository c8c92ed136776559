// SPDX-License-Identifier: Apache-2.0
#include "policy/http_date.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

const WallTime kNow = from_micros(1'795'000'000'000'000);  // November 2026

TEST_CASE("the three forms of RFC 9110 name the same instant") {
  const WallTime wanted = from_micros(784'111'777'000'000);
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == wanted);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == wanted);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", kNow) == wanted);
}

TEST_CASE("a two-digit year is at most 50 years ahead") {
  const auto ahead = parse_http_date("Monday, 01-Jan-76 00:00:00 GMT", kNow);
  const auto past = parse_http_date("Monday, 01-Jan-77 00:00:00 GMT", kNow);
  REQUIRE(ahead);
  REQUIRE(past);
  CHECK(*ahead > kNow);
  CHECK(*past < kNow);
}

TEST_CASE("leap days and leap seconds") {
  CHECK(parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT", kNow));
  CHECK_FALSE(parse_http_date("Wed, 29 Feb 2023 00:00:00 GMT", kNow));
  CHECK(parse_http_date("Sat, 31 Dec 2016 23:59:60 GMT", kNow));
  CHECK_FALSE(parse_http_date("Sat, 31 Dec 2016 23:59:61 GMT", kNow));
}

TEST_CASE("anything else is no date") {
  for (const char* text :
       {"", "Sun", "Sun,", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Foo, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text, kNow));
  }
}

TEST_CASE("cut or changed dates never crash and never read past the end") {
  CHECK(testing::holds("http dates are total", [](std::uint8_t at, char byte) {
    std::string text = "Sunday, 06-Nov-94 08:49:37 GMT";
    text[at % text.size()] = byte;
    (void)parse_http_date(text, kNow);
    RC_ASSERT(!parse_http_date(std::string_view(text).substr(0, at % text.size()), kNow));
  }));
}

}  // namespace
}  // namespace weir::policy
