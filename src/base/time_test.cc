// SPDX-License-Identifier: Apache-2.0
#include "base/time.h"

#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kYear1 = -62'135'596'800;      // seconds of 0001-01-01T00:00:00Z
constexpr std::int64_t kYear10000 = 253'402'300'800;  // seconds of 10000-01-01T00:00:00Z

WallTime at(std::int64_t seconds, std::int64_t micros = 0) {
  return WallTime{std::chrono::seconds{seconds} + Duration{micros}};
}

TEST_CASE("times are written as RFC 3339 in UTC, with milliseconds") {
  CHECK(to_rfc3339(at(0)) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(at(1'795'269'731, 123'999)) == "2026-11-21T14:02:11.123Z");
  CHECK(to_rfc3339(at(951'782'400)) == "2000-02-29T00:00:00.000Z");
  CHECK(to_rfc3339(at(0, -1)) == "1969-12-31T23:59:59.999Z");
  CHECK(to_rfc3339(at(kYear10000, -1)) == "9999-12-31T23:59:59.999Z");
  CHECK(to_clock_text(at(1'795'269'731, 123'999)) == "14:02:11");
}

TEST_CASE("every spelling of RFC 3339 is read") {
  const std::vector<std::pair<std::string, WallTime>> rows = {
      {"1970-01-01T00:00:00Z", at(0)},
      {"2026-11-21T14:02:11Z", at(1'795'269'731)},
      {"2026-11-21t14:02:11z", at(1'795'269'731)},
      {"2026-11-21 14:02:11Z", at(1'795'269'731)},
      {"2026-11-21T15:02:11+01:00", at(1'795'269'731)},
      {"2026-11-21T05:32:11-08:30", at(1'795'269'731)},
      {"2026-11-22T13:02:11+23:00", at(1'795'269'731)},
      {"2026-11-21T14:02:11-00:00", at(1'795'269'731)},
      {"2026-11-21T14:02:11.5Z", at(1'795'269'731, 500'000)},
      {"2026-11-21T14:02:11.123456Z", at(1'795'269'731, 123'456)},
      {"2026-11-21T14:02:11.123456999999Z", at(1'795'269'731, 123'456)},
      {"2026-11-21T14:02:11.000001+00:00", at(1'795'269'731, 1)},
      {"2000-02-29T00:00:00Z", at(951'782'400)},
      {"1990-12-31T23:59:60Z", at(662'688'000)},  // a leap second is the next second
      {"0001-01-01T00:00:00Z", at(kYear1)},
      {"9999-12-31T23:59:59Z", at(kYear10000 - 1)},
  };
  for (const auto& [text, time] : rows) {
    CAPTURE(text);
    CHECK(parse_rfc3339(text) == time);
  }
}

TEST_CASE("what is no RFC 3339 time is refused") {
  for (const auto* text : {"",
                           "Z",
                           "2026",
                           "2026-11-21",
                           "2026-11-21T14:02:11",
                           "2026-11-21T14:02Z",
                           "2026-11-21T14:02:11.Z",
                           "2026-11-21T14:02:11,5Z",
                           "2026-13-21T14:02:11Z",
                           "2026-00-21T14:02:11Z",
                           "2026-02-29T14:02:11Z",
                           "2026-11-31T14:02:11Z",
                           "2026-11-00T14:02:11Z",
                           "2026-11-21T24:00:00Z",
                           "2026-11-21T14:60:11Z",
                           "2026-11-21T14:02:61Z",
                           "2026-11-21T14:02:11+24:00",
                           "2026-11-21T14:02:11+01:60",
                           "2026-11-21T14:02:11+0100",
                           "2026-11-21T14:02:11+01",
                           "2026-11-21T14:02:11ZZ",
                           "2026-11-21T14:02:11Z ",
                           " 2026-11-21T14:02:11Z",
                           "2026/11/21T14:02:11Z",
                           "2026-11-21X14:02:11Z",
                           "2026-11-21T14.02.11Z",
                           "+026-11-21T14:02:11Z",
                           "2026-1a-21T14:02:11Z",
                           "12026-11-21T14:02:11Z",
                           "2026-11-21T14:02:11.5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_rfc3339(text));
  }
}

TEST_CASE("a written time is read back, to the millisecond") {
  CHECK(rc::check("rfc 3339", [] {
    const auto micros = *rc::gen::inRange<std::int64_t>(kYear1 * 1'000'000, kYear10000 * 1'000'000);
    const WallTime time = from_micros(micros);
    RC_ASSERT(parse_rfc3339(to_rfc3339(time)) ==
              WallTime{std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch())});
    RC_ASSERT(to_micros(time) == micros);
  }));
}

TEST_CASE("garbage is never a crash") {
  CHECK(rc::check("cut and bent timestamps", [] {
    std::string text = "2026-11-21T14:02:11.123456+01:00";
    text.resize(*rc::gen::inRange<std::size_t>(1, text.size() + 1));
    text[*rc::gen::inRange<std::size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    if (const auto time = parse_rfc3339(text)) RC_ASSERT(parse_rfc3339(to_rfc3339(*time)));
    (void)parse_duration(text);
  }));
}

TEST_CASE("durations are shown as people say them") {
  const std::vector<std::pair<Duration, std::string>> rows = {
      {0us, "0 us"},         {999us, "999 us"},          {1ms, "1 ms"},
      {350'400us, "350 ms"}, {999'499us, "999 ms"},      {999'500us, "1.0 s"},
      {1'240ms, "1.2 s"},    {59'949ms, "59.9 s"},       {59'950ms, "1 min 0 s"},
      {200s, "3 min 20 s"},  {3'599'600ms, "1 h 0 min"}, {125min, "2 h 5 min"},
      {99h, "4 d 3 h"},      {-200s, "-3 min 20 s"},     {-1us, "-1 us"},
  };
  for (const auto& [duration, text] : rows) {
    CAPTURE(text);
    CHECK(to_text(duration) == text);
  }
}

TEST_CASE("durations are read with their units") {
  const std::vector<std::pair<std::string, Duration>> rows = {
      {"50us", 50us},
      {"250ms", 250ms},
      {"1s", 1s},
      {"5m", 5min},
      {"24h", 24h},
      {"7d", 168h},
      {"1h30m", 90min},
      {"1m30s500ms", 90'500ms},
      {"0s", 0s},
      {"007s", 7s},
      {"36500d", 24h * 36'500},
      {"1d2h3m4s5ms6us", 26h + 3min + 4s + 5ms + 6us},
  };
  for (const auto& [text, duration] : rows) {
    CAPTURE(text);
    CHECK(parse_duration(text) == duration);
  }
}

TEST_CASE("what is no duration is refused") {
  for (const auto* text : {"",
                           "5",
                           "s",
                           "5 s",
                           " 5s",
                           "5s ",
                           "-5s",
                           "-0s",
                           "+5s",
                           "1.5s",
                           "5S",
                           "5sec",
                           "5min",
                           "5ns",
                           "5w",
                           "5s5",
                           "s5",
                           "1e3s",
                           "0x5s",
                           "1h 30m",
                           "5mss",
                           "36501d",
                           "36500d1us",
                           "9223372036854775807us",
                           "99999999999999999999s",
                           "1h-30m"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
}

TEST_CASE("any sum of units is read as that sum") {
  CHECK(rc::check("units", [] {
    const auto count = [] { return *rc::gen::inRange<std::int64_t>(0, 5000); };
    const auto d = count(), h = count(), m = count(), s = count(), ms = count(), us = count();
    const auto text = std::to_string(d) + "d" + std::to_string(h) + "h" + std::to_string(m) + "m" +
                      std::to_string(s) + "s" + std::to_string(ms) + "ms" + std::to_string(us) +
                      "us";
    const Duration sum = std::chrono::hours{d * 24 + h} + std::chrono::minutes{m} +
                         std::chrono::seconds{s} + std::chrono::milliseconds{ms} + Duration{us};
    RC_ASSERT(parse_duration(text) == sum);
  }));
}

TEST_CASE("a duration as a setting is read back exactly") {
  using namespace std::chrono_literals;
  CHECK(to_setting(0s) == "0s");
  CHECK(to_setting(5s) == "5s");
  CHECK(to_setting(90min) == "1h30m");
  CHECK(to_setting(250ms) == "250ms");
  CHECK(to_setting(24h + 1us) == "1d1us");
  CHECK(rc::check("duration", [] {
    const Duration duration{*rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)};
    RC_ASSERT(parse_duration(to_setting(duration)) == duration);
  }));
}

}  // namespace
}  // namespace weir
