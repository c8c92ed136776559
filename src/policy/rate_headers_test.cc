// SPDX-License-Identifier: Apache-2.0
#include "policy/rate_headers.h"

#include "policy/structured_fields.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using Headers = std::vector<std::pair<std::string, std::string>>;

const WallTime kNow = from_micros(1'795'000'000'000'000);

ServerPace pace_of(Headers headers, const Classification& meaning = {}) {
  Outcome outcome;
  outcome.status = 200;
  outcome.headers = std::move(headers);
  return read_server_pace(outcome, meaning, kNow);
}

ServerPace limit(std::string text, std::string policy = "") {
  Headers headers{{"ratelimit", std::move(text)}};
  if (!policy.empty()) headers.emplace_back("ratelimit-policy", std::move(policy));
  return pace_of(std::move(headers));
}

TEST_CASE("RateLimit and RateLimit-Policy, as in the draft's examples") {
  CHECK(limit(R"("default";r=50;t=30)") == ServerPace{.remaining = 50, .reset = 30s});
  CHECK(limit(R"("p";r=50;t=30)", R"("p";q=100;w=60)") ==
        ServerPace{.remaining = 50, .reset = 30s, .quota = 100, .window = 60s});
  // Without t the window of the policy is what is known.
  CHECK(limit(R"("p";r=0)", R"("p";q=100;w=60)").reset == 60s);
  CHECK(limit(R"("p";r=7;t=5;pk=:cHNlMDkwQXM=:)").remaining == 7);
  CHECK(pace_of({{"ratelimit-policy", R"("p";q=100;w=60)"}}) ==
        ServerPace{.quota = 100, .window = 60s});
}

TEST_CASE("of several policies the strictest counts; what is not requests does not") {
  const auto pace = limit(R"("minute";r=30;t=60, "day";r=5000;t=80000, "second";r=9;t=1)",
                          R"("minute";q=100;w=60,"day";q=9000;w=86400)");
  CHECK(pace.remaining == 5000);  // 0.06 per second
  CHECK(pace.quota == 9000);
  CHECK(limit(R"("a";r=0;t=2, "b";r=0;t=9)").reset == 9s);
  CHECK_FALSE(limit(R"("bytes";r=0;t=60)", R"("bytes";q=65535;w=10;qu="content-bytes")").remaining);
}

TEST_CASE("malformed fields are ignored whole, items that say nothing one by one") {
  for (const char* text :
       {"", "50", R"("p";r=50;t=30,)", R"("p";r=-1;t=3)", R"("p";r="5";t=3)", R"("p";t=30)",
        R"("p";r=5)", R"("p";r=5;t=0)", R"("p;r=5;t=3)", R"("p";r=5;t=)", R"("p" r=5)",
        R"("p";R=5;t=3)", R"(("a" "b");r=1;t=1)", "limit=10, remaining=5, reset=30",
        R"("p";r=1234567890123456;t=3)", R"("ok";r=1;t=1, "p";r=5;;t=3)"}) {
    CAPTURE(text);
    CHECK(limit(text) == ServerPace{});
  }
  CHECK(limit(R"("p";t=30, "q";r=1;t=1)").remaining == 1);
  CHECK(limit(R"("p";r=5;t=3)", "nonsense;;") == ServerPace{.remaining = 5, .reset = 3s});
}

TEST_CASE("absurd times end at a day") {
  CHECK(limit(R"("p";r=0;t=31536000)").reset == 24h);
  CHECK(limit(R"("p";r=0;t=999999999999999)").reset == 24h);
  CHECK(describe(limit(R"("p";r=0;t=31536000)")) ==
        "0 calls left for 1 d 0 h, cut from what it asked for");
  CHECK(describe(limit(R"("p";r=7;t=30)")) == "7 calls left for 30.0 s");
  CHECK(describe(limit(R"("p";r=7)")) == "");
  CHECK(limit(R"("p";r=0)", R"("p";q=1;w=999999999999999)").reset == 24h);
}

TEST_CASE("the older names, with seconds or with a moment") {
  CHECK(pace_of({{"x-ratelimit-remaining", "4"}, {"x-ratelimit-reset", "30"}}) ==
        ServerPace{.remaining = 4, .reset = 30s});
  CHECK(pace_of({{"ratelimit-limit", "10, 10;w=60"},
                 {"ratelimit-remaining", "4"},
                 {"ratelimit-reset", "30"}})
            .quota == 10);
  CHECK(pace_of({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1795000020"}}).reset ==
        20s);
  CHECK(pace_of({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1700000000"}}) ==
        ServerPace{});
  CHECK(pace_of({{"x-ratelimit-remaining", "0"}}) == ServerPace{});
  CHECK(pace_of({{"x-ratelimit-remaining", "-3"}, {"x-ratelimit-reset", "30"}}) == ServerPace{});
  CHECK(pace_of({{"ratelimit", R"("p";r=50;t=30)"},
                 {"x-ratelimit-remaining", "0"},
                 {"x-ratelimit-reset", "30"}})
            .remaining == 50);
}

TEST_CASE("Retry-After holds where it throttles, and a call without an answer says nothing") {
  Classification meaning;
  meaning.retry_after = 5s;
  CHECK_FALSE(pace_of({}, meaning).hold);  // ok
  meaning.failure = FailureClass::throttled;
  CHECK(pace_of({}, meaning).hold == 5s);
  meaning.failure = FailureClass::overloaded;
  CHECK(pace_of({{"ratelimit", R"("p";r=0;t=60)"}}, meaning).hold == 5s);
  Outcome outcome;
  outcome.fault = Fault::timeout;
  outcome.headers = {{"ratelimit", R"("p";r=0;t=60)"}};
  CHECK(read_server_pace(outcome, meaning, kNow) == ServerPace{});
}

TEST_CASE("property: any bytes are read without harm, and what is read is in range") {
  CHECK(testing::holds("rate headers total", [] {
    static const std::vector<std::string> kPieces = {
        "\"p\"", "p", ";",   ";r=", ";t=", "=", ",",  " ", "0",   "17",  "-",
        ".",     "5", "\"",  "\\",  ":",   "?", "?1", "@", "%\"", "r=1", "999999999999999",
        "\t",    "(", "\xff"};
    const auto field = [] {
      std::string text;
      for (int i = *rc::gen::inRange(0, 12); i > 0; --i) text += *rc::gen::elementOf(kPieces);
      return text;
    };
    const auto pace = pace_of({{"ratelimit", field()},
                               {"ratelimit-policy", field()},
                               {"x-ratelimit-remaining", field()},
                               {"x-ratelimit-reset", field()}});
    RC_ASSERT(!pace.remaining || *pace.remaining >= 0);
    RC_ASSERT(!pace.remaining || pace.reset > Duration{0});
    RC_ASSERT(pace.reset <= kResetMax);
    RC_ASSERT(pace.window <= kResetMax);
    RC_ASSERT(pace.quota >= 0);
  }));
}

TEST_CASE("structured fields: values of every kind, and bounds") {
  FieldList list;
  REQUIRE(
      parse_field_list(R"("a\"b";x=1.5;y;z=?1;u=@12;v=:aGk=:;w=%"d", *tok/en:1;x=1;x=2)", list));
  REQUIRE(list.count == 2);
  CHECK(list.items[0].value.text == R"(a\"b)");
  CHECK(list.items[0].number("x") == 1.5);
  CHECK(list.items[0].parameters == 6);
  CHECK_FALSE(list.items[0].number("y"));
  CHECK(list.items[1].value.text == "*tok/en:1");
  CHECK(list.items[1].number("x") == 2);
  std::string many = "a";
  for (std::size_t i = 1; i < FieldList::kItemsMax; ++i) many += ",a";
  CHECK(parse_field_list(many, list));
  CHECK_FALSE(parse_field_list(many + ",a", list));
  CHECK_FALSE(parse_field_list(std::string(kFieldMax + 1, 'a'), list));
  CHECK_FALSE(parse_field_list("a;b;c;d;e;f;g;h;i;j", list));
}

}  // namespace
}  // namespace weir::policy
