// SPDX-License-Identifier: Apache-2.0
#include "policy/redacted_answer.h"

#include <algorithm>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using Kind = RedactionRule::Kind;

Redaction mail_rules(bool keep_answers = false) {
  return Redaction({.rules = {{.kind = Kind::pointer, .name = "/customer/email"},
                              {.kind = Kind::member, .name = "card"},
                              {.kind = Kind::attribute, .name = "subject"}},
                    .keep_answers = keep_answers},
                   nullptr, "secret");
}

Event mail_event() {
  Event event;
  event.subject = "customer 7/11";
  event.datacontenttype = "application/json";
  event.data =
      R"({"customer":{"email":"Ann@Example.com","name":"Ann"},"card":{"no":4242424242,"cvc":"123"}})";
  event.has_data = true;
  return event;
}

TEST_CASE("texts that repeat a hidden value") {
  const HiddenValues hidden = mail_rules().hidden_values(mail_event());
  const std::pair<const char*, const char*> rows[] = {
      {"", ""},
      {"nothing to see", "nothing to see"},
      {"unknown: Ann@Example.com!", "unknown: [redacted]!"},
      {"unknown: ANN@EXAMPLE.COM and ann@example.com", "unknown: [redacted] and [redacted]"},
      {"GET /find?mail=Ann%40Example.com", "GET /find?mail=[redacted]"},
      {"card 4242424242 of customer 7/11", "card [redacted] of [redacted]"},
      {"path customer%207%2F11", "path [redacted]"},
      {"Ann has cvc 123", "Ann has cvc 123"},  // shown anyway, and too short
      {"the customer is not known", "the customer is not known"},
  };
  for (const auto& [text, shown] : rows) {
    CAPTURE(text);
    CHECK(hidden.redact(text) == shown);
  }
  CHECK(hidden.redact("cut in the middle of Ann@Exa", true) == "cut in the middle of [redacted]");
  CHECK(hidden.redact("cut too early of Ann", true) == "cut too early of Ann");
  CHECK(hidden.redact("42424242424242424242").find("4242") == std::string::npos);
}

std::string draw_word(testing::Draws& draws, std::size_t size) {
  std::string word;
  for (std::size_t i = 0; i < size; ++i) word += draws.one_of({'x', 'y', 'X'});
  return word;
}

TEST_CASE("no value survives, however values overlap, and what is between them does") {
  testing::holds("redacted texts", [] {
    testing::Draws draws;
    HiddenValues hidden;
    std::vector<std::string> words;
    for (int i = draws.in(1, 4); i > 0; --i) {
      words.push_back(draw_word(draws, draws.in<std::size_t>(4, 7)));
      hidden.add(words.back());
    }
    const std::string text = "<" + draw_word(draws, draws.in<std::size_t>(0, 40)) + ">";
    std::string shown = hidden.redact(text);
    RC_ASSERT(shown.starts_with('<') && shown.ends_with('>'));
    RC_ASSERT(hidden.redact(shown) == shown);
    const bool any = std::ranges::any_of(words, [&](const std::string& word) {
      return std::ranges::search(text, word, [](char a, char b) {
               return (a | 0x20) == (b | 0x20);
             }).begin() != text.end();
    });
    RC_ASSERT((shown != text) == any);
  });
}

TEST_CASE("an answer in JSON keeps everything but what it repeats") {
  const HiddenValues hidden = mail_rules().hidden_values(mail_event());
  const std::pair<const char*, const char*> rows[] = {
      {R"({"title":"bad","detail":"no such Ann@Example.com"})",
       R"({"title":"bad","detail":"no such [redacted]"})"},
      {R"({ "errors" : { "ann@example.com" : [ 1.50, "x" ] } })",
       R"({ "errors" : { "[redacted]" : [ 1.50, "x" ] } })"},
      {R"({"detail":"Ann\u0040Example.com"})", R"({"detail":"[redacted]"})"},
      {R"({"customer":{"email":"somebody else"},"a":[{"card":7}]})",
       R"({"customer":{"email":"[redacted]"},"a":[{"card":"[redacted]"}]})"},
      {R"({"no":4242424242,"n":17})", R"({"no":"[redacted]","n":17})"},
      {R"(["4242424242"])", R"(["[redacted]"])"},
      {R"({"a\"b":"x"})", R"({"a\"b":"x"})"},
      {R"({"detail":"cut in the midd)", "[redacted]"},
      {R"("Ann@Example.com")", "[redacted]"},
      {"<html>500</html>", "[redacted]"},
      {"", ""},
  };
  for (const auto& [body, shown] : rows) {
    CAPTURE(body);
    CHECK(redact_answer(body, mail_rules(), hidden) == shown);
  }
}

TEST_CASE("answers that are kept lose what they repeat") {
  const HiddenValues hidden = mail_rules(true).hidden_values(mail_event());
  CHECK(redact_answer("KeyError: Ann@Example.com in f", mail_rules(true), hidden) ==
        "KeyError: [redacted] in f");
  const std::string blanks(kOutcomeBodyMax - 9, ' ');
  CHECK(redact_answer(blanks + "{\"Ann@Exa", mail_rules(true), hidden) == blanks + "{\"[redacted]");
  CHECK(redact_answer("KeyError: Ann@Example.com", Redaction(), {}) == "KeyError: Ann@Example.com");
}

TEST_CASE("of data that cannot be read nobody knows what an answer repeats") {
  Event opaque = mail_event();
  for (const auto& [data, type] : {std::pair{"hello", "text/plain"}, {"{", "application/json"}}) {
    opaque.data = data;
    opaque.datacontenttype = type;
    const HiddenValues hidden = mail_rules(true).hidden_values(opaque);
    CHECK(hidden.hides_everything());
    CHECK(redact_answer(R"({"title":"hello"})", mail_rules(true), hidden) == "[redacted]");
  }
}

TEST_CASE("with too many values every text is hidden") {
  HiddenValues hidden;
  for (std::size_t i = 0; i < HiddenValues::kValuesMax; ++i) hidden.add(fmt::format("value{}", i));
  CHECK_FALSE(hidden.hides_everything());
  hidden.add("one more");
  CHECK(hidden.hides_everything());
  CHECK(hidden.redact("anything") == "[redacted]");
  CHECK(hidden.redact("").empty());
}

TEST_CASE("an outcome: its body, and what is said of it") {
  Outcome outcome{.status = 422, .body = "no Ann@Example.com"};
  outcome.headers = {{"retry-after", "Ann@Example.com"}};
  Classification said{.reason = "422 is permanent",
                      .hint_note = "Retry-After 'Ann@Exa…' is no time, ignored"};
  redact_outcome(mail_event(), mail_rules(), outcome, said);
  CHECK(outcome.body == "[redacted]");
  CHECK(said.reason == "422 is permanent");
  CHECK(said.hint_note == "the server's hint is redacted");
  CHECK(*outcome.header("retry-after") == "[redacted]");

  outcome = {.status = 503, .body = "no Ann@Example.com", .fault_detail = "lost Ann@Example.com"};
  outcome.headers = {{"retry-after", "soon"}};
  said = {.reason = "tracker lost Ann@Example.com",
          .hint_note = "Retry-After 'soon' is no time, ignored"};
  redact_outcome(mail_event(), Redaction(), outcome, said);
  CHECK(outcome.body == "no Ann@Example.com");
  redact_outcome(mail_event(), mail_rules(), outcome, said);
  CHECK(outcome.fault_detail == "lost [redacted]");
  CHECK(said.reason == "tracker lost [redacted]");
  CHECK(said.hint_note == "Retry-After 'soon' is no time, ignored");
  CHECK(*outcome.header("retry-after") == "soon");

  Event opaque = mail_event();
  opaque.data = "{";
  outcome.headers = {{"ratelimit", "r=1;t=2"}, {"retry-after", "5"}, {"x-about", "?"}};
  redact_outcome(opaque, mail_rules(), outcome, said);
  CHECK(*outcome.header("ratelimit") == "r=1;t=2");
  CHECK(*outcome.header("retry-after") == "5");
  CHECK(*outcome.header("x-about") == "[redacted]");
}

}  // namespace
}  // namespace weir::policy
