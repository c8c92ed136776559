// SPDX-License-Identifier: Apache-2.0
#include "policy/server_hint.h"

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_micros(1'795'000'000'000'000);

TEST_CASE("Retry-After is seconds or a date, and is clamped") {
  struct Case {
    const char* text;
    std::optional<Duration> wanted;
  };
  const Case cases[] = {
      {"0", 0s},
      {"7", 7s},
      {" 7 ", 7s},
      {"300", 300s},
      {"301", 300s},
      {"9223372036854775807", 300s},
      {"99999999999999999999999", 300s},
      {"Wed, 18 Nov 2026 11:06:41 GMT", 1s},
      {"Wed, 18 Nov 2026 11:06:40 GMT", 0s},
      {"Tue, 17 Nov 2020 12:27:20 GMT", 0s},
      {"Wed, 18 Nov 2099 12:27:20 GMT", 300s},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"+1", std::nullopt},
      {"1.5", std::nullopt},
      {"1s", std::nullopt},
      {"0x10", std::nullopt},
      {"soon", std::nullopt},
      {"2026-11-18T12:27:20Z", std::nullopt},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    CHECK(read_retry_after(row.text, kNow, 300s).minimum == row.wanted);
  }
  CHECK(read_retry_after("7", kNow, -1s).minimum == Duration::zero());
  const WallTime second = from_micros(784'111'777'000'000);
  CHECK(read_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", second - 90s, 300s).minimum ==
        Duration{90s});
  CHECK(read_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", second - 90s, 300s).minimum ==
        Duration{90s});
  CHECK(read_retry_after("Sun Nov  6 08:49:37 1994", second - 90s, 300s).minimum == Duration{90s});
}

struct NoteCase {
  const char* text;
  const char* note;
};

TEST_CASE("an absurd Retry-After says what became of it, an ordinary one nothing") {
  const NoteCase cases[] = {
      {"0", ""},
      {"5", ""},
      {"86400", ""},
      {"86401", "Retry-After of 86401 s cut to 24 h"},
      {"172800", "Retry-After of 2 d cut to 24 h"},
      {"31536000", "Retry-After of 365 d cut to 24 h"},
      {"9223372036854775807", "Retry-After of 9223372036854775807 s cut to 24 h"},
      {"99999999999999999999999", "Retry-After '99999999999999999999999' cut to 24 h"},
      {"-5", "Retry-After '-5' is negative, ignored"},
      {"-", "Retry-After '-' is no time, ignored"},
      {"", "Retry-After '' is no time, ignored"},
      {"soon", "Retry-After 'soon' is no time, ignored"},
      {"1.5", "Retry-After '1.5' is no time, ignored"},
      {"Wed, 18 Nov 2026 11:06:41 GMT", ""},
      {"Wed, 18 Nov 2026 11:06:40 GMT", ""},
      {"Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After 'Sun, 06 Nov 1994 08:49:37 GMT' has passed"},
      {"Wed, 18 Nov 2099 12:27:20 GMT", "Retry-After 'Wed, 18 Nov 2099 12:27:20 GMT' cut to 24 h"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    CHECK(read_retry_after(row.text, kNow).note == row.note);
  }
  const std::string long_note = read_retry_after(std::string(10'000, 'x'), kNow).note;
  CHECK(long_note.size() < 100);
  CHECK(read_retry_after("\x1b[31m", kNow).note.find('\x1b') == std::string::npos);
}

TEST_CASE("hints in milliseconds: gRPC forbids with what it cannot say, AWS does not") {
  CHECK(read_grpc_pushback("500").minimum == Duration{500ms});
  CHECK_FALSE(read_grpc_pushback("500").no_retry);
  CHECK(read_grpc_pushback("0").minimum == Duration::zero());
  for (const char* text : {"-1", "soon", "", "1.5", "+1"}) {
    CAPTURE(text);
    CHECK(read_grpc_pushback(text).no_retry);
    CHECK_FALSE(read_grpc_pushback(text).minimum);
    CHECK_FALSE(read_amz_retry_after(text).no_retry);
    CHECK_FALSE(read_amz_retry_after(text).minimum);
  }
  CHECK(read_grpc_pushback("-1").note == "grpc-retry-pushback-ms '-1' forbids another try");
  CHECK(read_amz_retry_after("1500").minimum == Duration{1500ms});
  CHECK(read_amz_retry_after("-1").note == "x-amz-retry-after '-1' is negative, ignored");
  CHECK(read_amz_retry_after("172800000").minimum == Duration{24h});
  CHECK(read_amz_retry_after("172800000").note == "x-amz-retry-after of 2 d cut to 24 h");
}

TEST_CASE("whatever a server says, the wait is between nothing and a day") {
  const auto text = [] {
    return *rc::gen::oneOf(
        rc::gen::string<std::string>(), rc::gen::container<std::string>(rc::gen::inRange('-', ':')),
        rc::gen::map(rc::gen::arbitrary<std::int64_t>(),
                     [](std::int64_t number) { return std::to_string(number); }),
        rc::gen::map(rc::gen::inRange(0, 9999), [](int year) {
          return "Sun, 06 Nov " + std::to_string(10'000 + year).substr(1) + " 08:49:37 GMT";
        }));
  };
  CHECK(testing::holds("hints are clamped", [&] {
    const std::string said = text();
    for (const ServerHint& hint :
         {read_retry_after(said, kNow), read_grpc_pushback(said), read_amz_retry_after(said)}) {
      RC_ASSERT(!hint.minimum || *hint.minimum >= Duration::zero());
      RC_ASSERT(!hint.minimum || *hint.minimum <= kRetryAfterMax);
      RC_ASSERT(!(hint.minimum && hint.no_retry));
      // What is not taken as it was said is told.
      if (!hint.minimum) RC_ASSERT(!hint.note.empty());
      RC_ASSERT(hint.note.size() < 300);
    }
  }));
}

}  // namespace
}  // namespace weir::policy
