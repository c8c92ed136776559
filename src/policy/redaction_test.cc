// SPDX-License-Identifier: Apache-2.0
#include "policy/redaction.h"

#include "policy/ordering_key.h"
#include "policy/redacted_event.h"
#include "policy/redaction_tag.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using Kind = RedactionRule::Kind;

Redaction redaction_of(std::vector<RedactionRule> rules) {
  return Redaction({.rules = std::move(rules)}, nullptr, "secret");
}
Redaction pointer_to(std::string pointer) {
  return redaction_of({{.kind = Kind::pointer, .name = std::move(pointer)}});
}

// Tags as they are in a real answer would hide what a row is about.
std::string without_tags(std::string text) {
  for (auto at = text.find("[redacted "); at != text.npos; at = text.find("[redacted ", at + 1)) {
    const auto end = text.find(']', at);
    const auto tag = text.find_last_of(' ', end);
    const std::string last = text.substr(tag + 1, end - tag - 1);
    if (last.size() == 12 && last.find_first_not_of("0123456789abcdef") == last.npos)
      text.replace(tag + 1, 12, "T");
  }
  return text;
}

struct Golden {
  const char* pointer;
  const char* text;
  const char* shown;
};

TEST_CASE("pointers hide what they name, whatever it is, and nothing else") {
  const Golden rows[] = {
      {"/a", R"({"a":"x","b":"y"})", R"({"a":"[redacted T]","b":"y"})"},
      {"/a", R"( { "b" : 1.50 , "a" : "x" } )", R"( { "b" : 1.50 , "a" : "[redacted T]" } )"},
      {"/a", R"({"a":1.5e3})", R"({"a":"[redacted number T]"})"},
      {"/a", R"({"a":true})", R"({"a":"[redacted boolean]"})"},
      {"/a", R"({"a":null})", R"({"a":null})"},
      {"/a", R"({"a":{"b":"x"}})", R"({"a":"[redacted object]"})"},
      {"/a", R"({"a":["x"]})", R"({"a":"[redacted array]"})"},
      {"/a", R"({"a":""})", R"({"a":"[redacted T]"})"},
      {"/a/b", R"({"a":{"b":"x","c":"x"},"b":"x"})",
       R"({"a":{"b":"[redacted T]","c":"x"},"b":"x"})"},
      {"/a/b", R"({"a":["b"]})", R"({"a":["b"]})"},
      {"/cards/*/number", R"({"cards":[{"number":"1","x":2},{"number":3}]})",
       R"({"cards":[{"number":"[redacted T]","x":2},{"number":"[redacted number T]"}]})"},
      {"/cards/*/number", R"({"cards":{"k":{"number":"1"}}})",
       R"({"cards":{"k":{"number":"[redacted T]"}}})"},
      {"/cards/1", R"({"cards":["x","y","z"]})", R"({"cards":["x","[redacted T]","z"]})"},
      {"/*", R"(["x",{"y":1}])", R"(["[redacted T]","[redacted object]"])"},
      {"/a~1b/m~0n", R"({"a/b":{"m~n":"x"},"a":{"b":"x"}})",
       R"({"a/b":{"m~n":"[redacted T]"},"a":{"b":"x"}})"},
      {"/größe", R"({"gr\u00f6\u00dfe":"x","gr":"ö"})",
       R"({"gr\u00f6\u00dfe":"[redacted T]","gr":"ö"})"},
      {"/", R"({"":"x","a":"y"})", R"({"":"[redacted T]","a":"y"})"},
      {"", R"({"a":1})", R"("[redacted object]")"},
      {"", R"("x")", R"("[redacted T]")"},
      {"/a", R"({"a":"x","a":"y"})", R"("[redacted]")"},  // a name that stands twice: no JSON
      {"/a", R"({"b":"x")", R"("[redacted]")"},
      {"/a", "plain text", R"("[redacted]")"},
  };
  for (const Golden& row : rows) {
    CAPTURE(row.pointer);
    CAPTURE(row.text);
    CHECK(without_tags(pointer_to(row.pointer).redact_json(row.text)) == row.shown);
  }
}

TEST_CASE("a member is hidden at any depth") {
  const Redaction redaction = redaction_of({{.kind = Kind::member, .name = "email"}});
  CHECK(
      without_tags(redaction.redact_json(
          R"({"email":"a","x":[{"email":{"email":1}},[{"e":"email"}]],"y":{"z":{"email":2}}})")) ==
      R"({"email":"[redacted T]","x":[{"email":"[redacted object]"},[{"e":"email"}]],)"
      R"("y":{"z":{"email":"[redacted number T]"}}})");
}

TEST_CASE(
    "what is nested deeper than documents are read, or has more to hide than masks are made") {
  const Redaction redaction = redaction_of({{.kind = Kind::member, .name = "email"}});
  std::string deep = R"({"email":"x"})";
  for (int i = 0; i < 100; ++i) deep = "[" + deep + "]";
  CHECK(redaction.redact_json(deep) == R"("[redacted]")");
  std::string many = "[0";
  for (std::size_t i = 1; i < kMasksMax; ++i) many += ",0";
  CHECK(pointer_to("/*").redact_json(many + "]").starts_with("[\"[redacted number"));
  CHECK(pointer_to("/*").redact_json(many + ",0]") == R"("[redacted]")");
}

TEST_CASE("equal values have equal tags, and tags of another store are others") {
  const Redaction redaction = pointer_to("/*");
  CHECK(redaction.mask("x") == redaction.mask("x"));
  CHECK(redaction.mask("x") != redaction.mask("y"));
  const Redaction other({.rules = {{.name = "/*"}}}, nullptr, "another");
  CHECK(other.mask("x") != redaction.mask("x"));
  // RFC 4231, test case 2.
  CHECK(redaction_tag("Jefe", "what do ya want for nothing?") ==
        "5bdcc146bf60754e6a042426089575c7");
  // The ordering key of a value goes on where its mask ends.
  const std::string tag = redaction.mask("x").substr(10, 12);
  CHECK(redaction.key_tag("x").starts_with("redacted:" + tag));
  CHECK(is_key_tag(redaction.key_tag("x")));
  CHECK_FALSE(is_key_tag("redacted:x"));
}

TEST_CASE("rules are about all streams, or about those they name") {
  const Redactions redactions({.rules = {{.kind = Kind::member, .name = "all"},
                                         {.kind = Kind::member, .name = "one", .streams = {"s"}}}},
                              {{.name = "s"}, {.name = "t"}}, "secret");
  const std::string text = R"({"all":1,"one":2})";
  CHECK(without_tags(redactions.of("s")->redact_json(text)) ==
        R"({"all":"[redacted number T]","one":"[redacted number T]"})");
  CHECK(without_tags(redactions.of("t")->redact_json(text)) ==
        R"({"all":"[redacted number T]","one":2})");
  CHECK(redactions.of_all()->redact_json(text) == redactions.of("s")->redact_json(text));
  CHECK(redactions.of("left")->redact_json(text) == redactions.of("s")->redact_json(text));
  CHECK(Redactions().of("s")->empty());
}

Event typed_event(std::string_view data, std::string_view type) {
  Event event;
  event.id = "1";
  event.source = "urn:src";
  event.type = "t";
  event.subject = "ann@example.com";
  event.datacontenttype = type;
  event.extensions = {{"partitionkey", "ann"}, {"region", "eu"}};
  event.data = data;
  event.has_data = true;
  return event;
}

TEST_CASE("data that is no JSON is hidden as soon as a rule is about data") {
  const Redaction data = pointer_to("/a");
  const Redaction subject = redaction_of({{.kind = Kind::attribute, .name = "subject"}});
  CHECK(data.redact_data(typed_event("hello", "text/plain")) == R"("[redacted]")");
  CHECK(data.redact_data(typed_event(R"({"a":1})", "text/plain")) == R"("[redacted]")");
  CHECK(data.redact_data(typed_event("{", "application/json")) == R"("[redacted]")");
  CHECK(data.redact_data(typed_event(R"({"b":1})", "application/x+json")) == R"({"b":1})");
  CHECK(data.redact_data(typed_event("", "text/plain")).empty());
  CHECK(subject.redact_data(typed_event("hello", "text/plain")) == "hello");
}

TEST_CASE("attributes, with views that stay valid") {
  const Redaction redaction = redaction_of({{.kind = Kind::attribute, .name = "subject"},
                                            {.kind = Kind::attribute, .name = "partitionkey"},
                                            {.kind = Kind::pointer, .name = "/a"}});
  const Event event = typed_event(R"({"a":"x","b":"y"})", "application/json");
  RedactedEvent shown(event, redaction);
  CHECK(without_tags(std::string(shown.attributes().subject)) == "[redacted T]");
  CHECK(shown.attributes().find_extension("partitionkey")->value == redaction.mask("ann"));
  CHECK(shown.attributes().find_extension("region")->value == "eu");
  CHECK(shown.attributes().id == "1");
  CHECK(shown.attributes().data.empty());
  CHECK(without_tags(std::string(shown.with_data().data)) == R"({"a":"[redacted T]","b":"y"})");
  const Redaction nothing;
  RedactedEvent open(event, nothing);
  CHECK(open.with_data() == event);
}

TEST_CASE("an ordering key is hidden with what it is made of") {
  const struct {
    const char* pointer;
    const char* key;
    bool hidden;
  } rows[] = {{"/a/b", "data.a.b", true},    {"/a", "data.a.b", true},
              {"", "data.a.b", true},        {"/*/b", "data.a.b", true},
              {"/a/b/c", "data.a.b", false}, {"/b", "data.a.b", false},
              {"/a", "subject", false},      {"/a", "a", false}};
  for (const auto& row : rows) {
    CAPTURE(row.pointer);
    CAPTURE(row.key);
    CHECK(pointer_to(row.pointer).hides_key(row.key) == row.hidden);
  }
  CHECK(redaction_of({{.kind = Kind::member, .name = "b"}}).hides_key("data.a.b"));
  CHECK(redaction_of({{.kind = Kind::member, .name = "a"}}).hides_key("data.a.b"));
  CHECK(redaction_of({{.kind = Kind::attribute, .name = "subject"}}).hides_key("subject"));

  const FlowSpec flow{.ordering_key = "subject", .key_is_redacted = true, .key_secret = "secret"};
  const Event event = typed_event("{}", "application/json");
  CHECK(ordering_key(event, flow) == key_tag("secret", "ann@example.com"));
  CHECK(ordering_key(event, key_rule(flow)) == ordering_key(event, flow));
  CHECK(recorded_key_rule(flow) == "redacted:subject");
  const FlowSpec without{.ordering_key = "data.x", .key_is_redacted = true};
  CHECK(ordering_key(event, without).empty());
  // A digest that anybody can make would be no tag.
  const std::string long_key(kOrderingKeyMax + 1, 'k');
  Event longer = event;
  longer.subject = long_key;
  CHECK(ordering_key(longer, flow) == key_tag("secret", long_key));
}

TEST_CASE("what a pattern asks is named by the rules that hide it, and never by values") {
  const Redaction redaction = redaction_of({{.kind = Kind::pointer, .name = "/cards/*/number"},
                                            {.kind = Kind::pointer, .name = "/a~1b/~0c"},
                                            {.kind = Kind::member, .name = "email"},
                                            {.kind = Kind::attribute, .name = "subject"}});
  using Places = std::vector<std::string>;
  CHECK(redaction.places_asked(R"({"data":{"cards":{"number":[{"prefix":"42"}]}}})") ==
        Places{"/cards/*/number"});
  CHECK(redaction.places_asked(
            R"({"$or":[{"subject":["ann"]},{"data":{"x":{"email":["a"],"~c":["b"]}}}]})") ==
        Places{"/a~1b/~0c", "email", "subject"});
  CHECK(redaction.places_asked(R"({"type":["t"]})").empty());
  CHECK(redaction.places_asked(R"({"subject":["[redacted]"]})").empty());
  CHECK(redaction.places_asked("").empty());
  CHECK(Redaction().places_asked(R"({"subject":["ann"]})").empty());
}

TEST_CASE("patterns that ask for what is hidden") {
  const Redaction redaction = redaction_of({{.kind = Kind::pointer, .name = "/cards/*/number"},
                                            {.kind = Kind::pointer, .name = "/secrets/*"},
                                            {.kind = Kind::member, .name = "email"},
                                            {.kind = Kind::attribute, .name = "subject"}});
  const std::pair<const char*, const char*> rows[] = {
      {R"({"data":{"email":["ann"],"plan":["pro"]}})",
       R"({"data":{"email":["[redacted]"],"plan":["pro"]}})"},
      {R"({"data":{"cards":{"number":[{"prefix":"42"}]}}})",
       R"({"data":{"cards":{"number":["[redacted]"]}}})"},
      {R"({"data":{"secrets":{"a":["x"]}}})", R"({"data":{"secrets":["[redacted]"]}})"},
      {R"({"$or":[{"subject":["ann"]},{"type":["t"]}]})",
       R"({"$or":[{"subject":["[redacted]"]},{"type":["t"]}]})"},
      {R"({"type":["t"]})", R"({"type":["t"]})"},
      {"", ""},
  };
  for (const auto& [pattern, shown] : rows) {
    CAPTURE(pattern);
    CHECK(redaction.redact_pattern(pattern) == shown);
    CHECK(redaction.hides_some_of(pattern) == (std::string(pattern) != shown));
  }
  CHECK(pointer_to("").redact_pattern(R"({"data":{"a":["x"]}})") == R"({"data":["[redacted]"]})");
  CHECK(Redaction().redact_pattern(R"({"data":{"a":["x"]}})") == R"({"data":{"a":["x"]}})");
}

}  // namespace
}  // namespace weir::policy
