// SPDX-License-Identifier: Apache-2.0
#include "policy/body_template.h"

#include "model/outcome.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

struct Case {
  const char* text;
  const char* wanted;
};

TEST_CASE("what varies is replaced") {
  const Case cases[] = {
      {"", ""},
      {"not found", "not found"},
      {"  many \n\t spaces  ", "many spaces"},
      {"order 1234 not found", "order <n> not found"},
      {"took 12.75 seconds", "took <n> seconds"},
      {"took 250ms", "took <n>ms"},
      {"user-17 and item_9", "user-<n> and item_<n>"},
      {"id 3f2504e0-4f89-11d3-9a0c-0305e82c3301 is gone", "id <id> is gone"},
      {"req_3f2504e0 failed", "req_<hex> failed"},
      {"commit deadbeef01", "commit <hex>"},
      {"object at 0x7fae10c3d2b0", "object at <addr>"},
      {"flags 0x1F", "flags <hex>"},
      {"ulid 01ARZ3NDEKTSV4RRFFQ69G5FAV", "ulid <id>"},
      {"no table 'orders' in \"shop\"", "no table <str> in <str>"},
      {"I can't and won't", "I can't and won't"},
      {"see https://example.com/a/b?x=1&y=(2) now", "see <url> now"},
      {"mail ops+x@example.com, please", "mail <email>, please"},
      {"connect 10.0.0.17:5432 failed", "connect <addr> failed"},
      {"connect [::1]:8080 failed", "connect <addr> failed"},
      {"from fe80::1ff:fe23:4567:890a", "from <addr>"},
      {"at 2026-11-21T14:02:11.123Z", "at <time>"},
      {"at 2026-11-21 14:02:11", "at <time> <time>"},
      {"at Sun, 06 Nov 1994 08:49:37 GMT.", "at <time>."},
      {"key=abc value=17", "key=abc value=<n>"},
      {"version 1.2.3.", "version <n>.<n>."},
      {"überlauf in Zeile 7", "überlauf in Zeile <n>"},
      {"3 of 5 (60%)", "<n> of <n> (<n>%)"},
      {"unbalanced 'quote", "unbalanced 'quote"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    CHECK(body_template(row.text) == row.wanted);
  }
}

TEST_CASE("in JSON the names stay, and the values that say what happened") {
  CHECK(body_template(R"({"error": "order 17 not found", "orderId": "A-1", "count": 5})") ==
        R"({error: order <n> not found, orderId: <str>, count: <n>})");
  CHECK(body_template(R"({"message":"no user 'bob'","trace":"x\"y"})") ==
        "{message:no user <str>,trace:<str>}");
  CHECK(body_template(R"({"errors":["a","b"],"who":["c"]})") == "{errors:[a,b],who:[<str>]}");
}

TEST_CASE("reading and writing are bounded") {
  const std::string long_text(100'000, 'a');
  CHECK(body_template(long_text).size() == kTemplateMax);
  std::string tail(kOutcomeBodyMax, ' ');
  CHECK(body_template(tail + "unread").empty());
  for (const char* piece : {"'", "\"", "[", "`a", "{\"", "://", "a:", "0x", "\\"}) {
    std::string hard;
    while (hard.size() < kOutcomeBodyMax) hard += piece;
    CHECK(body_template(hard).size() <= kTemplateMax);
  }
}

TEST_CASE("total over arbitrary bytes") {
  CHECK(testing::holds("body template is total", [](const std::string& text) {
    RC_ASSERT(body_template(text).size() <= kTemplateMax);
    RC_ASSERT(body_template("{" + text).size() <= kTemplateMax);
  }));
}

TEST_CASE("one line of code gives one template, whatever it fills in") {
  CHECK(testing::holds("body template is stable", [] {
    const auto fill = [] {
      const auto number = *rc::gen::inRange(0, 1'000'000'000);
      const auto port = *rc::gen::inRange(1, 65536);
      const auto word = *rc::gen::nonEmpty(
          rc::gen::container<std::string>(rc::gen::inRange('a', 'z')));
      return "invoice " + std::to_string(number) + " of '" + word + "' at http://" + word + ":" +
             std::to_string(port) + "/x failed";
    };
    RC_ASSERT(body_template(fill()) == "invoice <n> of <str> at <url> failed");
  }));
}

}  // namespace
}  // namespace weir::policy
