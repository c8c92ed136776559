// SPDX-License-Identifier: Apache-2.0
#include "policy/event_edit.h"

#include <doctest/doctest.h>

namespace weir::policy {
namespace {

constexpr std::string_view kData =
    R"({"id":7,"note":"a","customer":{"id":"c1","card":"4242","plan":"pro"},"items":[1,2],"key":"k"})";

Event order_event(std::string_view data = kData) {
  return {.id = "e1",
          .source = "/s",
          .type = "order",
          .subject = "old",
          .time = "",
          .datacontenttype = "application/json",
          .dataschema = "",
          .extensions = {{"traceparent", "00-x", AttributeType::string},
                         {"tier", "1", AttributeType::integer}},
          .data = data,
          .has_data = true};
}

struct Desk {
  FlowSpec flow;
  RedactionSpec spec{
      .rules = {{.kind = RedactionRule::Kind::member, .name = "card", .streams = {}},
                {.kind = RedactionRule::Kind::attribute, .name = "user", .streams = {}}}};
  Redaction redaction{spec, nullptr, "secret"};

  Desk() {
    flow.ordering_key = "data.key";
    flow.where = R"({"data":{"customer":{"plan":["pro","free"]}}})";
    flow.edit = {.allowed = true,
                 .locked = {"/id", "/customer/id", "/items/*"},
                 .attributes = {"subject", "user", "tier"}};
  }
  Result<EditedEvent> edit(std::string data, bool revealed = false) const {
    return edit_event(order_event(),
                      {.data = std::move(data), .attributes = {}, .revealed = revealed},
                      {.flow = flow, .redaction = redaction, .event_bytes = 200});
  }
  Result<EditedEvent> edit_attribute(std::string name, std::optional<std::string> value) const {
    return edit_event(order_event(),
                      {.data = {}, .attributes = {{std::move(name), std::move(value)}}},
                      {.flow = flow, .redaction = redaction, .event_bytes = 200});
  }
  std::string shown() const { return redaction.redact_json(kData); }
};

std::string with(std::string text, std::string_view old, std::string_view now) {
  const auto at = text.find(old);
  REQUIRE(at != text.npos);
  return text.replace(at, old.size(), now);
}

Code code_of(const Result<EditedEvent>& result) {
  return result.ok() ? Code::internal : result.error().code;
}

TEST_CASE("event_edit: what is changed is listed, and masks keep what they stand for") {
  const Desk desk;
  const auto edited = desk.edit(with(desk.shown(), R"("note":"a")", R"("note":"b","more":[1])"));
  REQUIRE(edited.ok());
  const auto event = decode_event(edited->record);
  CHECK(event->data == with(std::string(kData), R"("note":"a")", R"("note":"b","more":[1])"));
  REQUIRE(edited->changes.size() == 2);
  CHECK(edited->changes[0] == Change{.pointer = "/note", .before = "\"a\"", .after = "\"b\""});
  CHECK(edited->changes[1] == Change{.pointer = "/more", .before = "", .after = "[1]"});
  CHECK(event->id == "e1");
}

TEST_CASE("event_edit: a table of what is refused") {
  const Desk desk;
  const std::string shown = desk.shown();
  const std::string mask = "\"" + desk.redaction.mask("4242") + "\"";
  struct Row {
    const char* what;
    std::string data;
    Code code;
  };
  const Row rows[] = {
      {"nothing changes", shown, Code::invalid_argument},
      {"other spaces are nothing", " " + shown, Code::invalid_argument},
      {"a locked member", with(shown, "\"id\":7", "\"id\":8"), Code::edit_locked},
      {"a locked member is gone", with(shown, "\"id\":7,", ""), Code::edit_locked},
      {"what holds a locked member is another", with(shown, "\"id\":\"c1\",", ""),
       Code::edit_locked},
      {"a locked element", with(shown, "[1,2]", "[2,1]"), Code::edit_locked},
      {"one more of them", with(shown, "[1,2]", "[1,2,3]"), Code::edit_locked},
      {"a hidden value", with(shown, mask, "\"1\""), Code::edit_hidden},
      {"the hidden value itself: nobody finds out", std::string(kData), Code::edit_hidden},
      {"a hidden value is gone", with(shown, "\"card\":" + mask + ",", ""), Code::edit_hidden},
      {"a new hidden value", with(shown, "\"key\"", "\"card\":1,\"key\""), Code::edit_hidden},
      {"a mask at another place", with(shown, "\"a\"", mask), Code::edit_hidden},
      {"the ordering key", with(shown, "\"k\"", "\"l\""), Code::edit_moves},
      {"the pattern", with(shown, "\"pro\"", "\"none\""), Code::edit_moves},
      {"too long", with(shown, "\"a\"", "\"" + std::string(200, 'x') + "\""),
       Code::event_too_large},
      {"no JSON", shown + "}", Code::malformed_json},
      {"a name twice", with(shown, "\"note\":", "\"note\":1,\"note\":"), Code::malformed_json},
      {"another document", "[]", Code::edit_locked},
  };
  for (const Row& row : rows) {
    INFO(row.what);
    const auto edited = desk.edit(row.data);
    CHECK(code_of(edited) == row.code);
    if (!edited.ok()) CHECK(edited.error().detail.find("4242") == std::string::npos);
  }
}

TEST_CASE("event_edit: whoever has looked may change what is redacted, and its change is masked") {
  const Desk desk;
  const auto edited = desk.edit(with(std::string(kData), "4242", "5555"), true);
  REQUIRE(edited.ok());
  REQUIRE(edited->changes.size() == 1);
  CHECK(edited->changes[0].pointer == "/customer/card");
  CHECK(edited->changes[0].hidden);
  CHECK(edited->changes[0].before == "\"" + desk.redaction.mask("4242") + "\"");
  CHECK(edited->changes[0].after == "\"" + desk.redaction.mask("5555") + "\"");
  CHECK(decode_event(edited->record)->data.find("5555") != std::string_view::npos);
  const std::string mask = desk.redaction.mask("5555");
  CHECK(code_of(desk.edit(with(std::string(kData), "4242", mask), true)) == Code::edit_hidden);
}

TEST_CASE("event_edit: attributes") {
  const Desk desk;
  const auto subject = desk.edit_attribute("subject", "new");
  REQUIRE(subject.ok());
  CHECK(decode_event(subject->record)->subject == "new");
  CHECK(subject->changes ==
        std::vector{Change{.pointer = "subject", .before = "\"old\"", .after = "\"new\""}});
  CHECK(decode_event(desk.edit_attribute("subject", std::nullopt)->record)->subject.empty());
  CHECK(code_of(desk.edit_attribute("subject", "old")) == Code::invalid_argument);
  CHECK(code_of(desk.edit_attribute("subject", "")) == Code::invalid_argument);
  CHECK(code_of(desk.edit_attribute("subject", "a\nb")) == Code::invalid_event);
  CHECK(code_of(desk.edit_attribute("tier", "2")) == Code::edit_locked);  // no text
  CHECK(code_of(desk.edit_attribute("user", "x")) == Code::edit_hidden);
  for (const char* name :
       {"id", "source", "type", "time", "traceparent", "datacontenttype", "other"})
    CHECK(code_of(desk.edit_attribute(name, "x")) == Code::edit_locked);
}

TEST_CASE("event_edit: only JSON, and only so many changes") {
  Desk desk;
  desk.flow = {};
  desk.flow.edit.allowed = true;
  const EditRules rules{.flow = desk.flow, .redaction = desk.redaction, .event_bytes = 1 << 20};
  Event text = order_event("<a/>");
  text.datacontenttype = "application/xml";
  CHECK(code_of(edit_event(text, {.data = "{}"}, rules)) == Code::edit_not_json);
  CHECK(code_of(edit_event(order_event("{"), {.data = "{}"}, rules)) == Code::edit_not_json);
  Event none = order_event("");
  none.has_data = false;
  CHECK(code_of(edit_event(none, {.data = "{}"}, rules)) == Code::edit_not_json);
  const auto many = [](std::size_t count, char digit) {
    std::string array = "[";
    for (std::size_t i = 0; i < count; ++i) (array += i == 0 ? "" : ",") += digit;
    return array + "]";
  };
  const std::string before = many(kChangesMax, '1');
  CHECK(edit_event(order_event(before), {.data = many(kChangesMax, '2')}, rules).ok());
  const std::string more = many(kChangesMax + 1, '1');
  CHECK(code_of(edit_event(order_event(more), {.data = many(kChangesMax + 1, '2')}, rules)) ==
        Code::invalid_argument);
}

}  // namespace
}  // namespace weir::policy
