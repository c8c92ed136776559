// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "wire/base64.h"
#include "wire/cloudevents.h"
#include "wire/testing/random_json.h"

namespace weir::wire {
namespace {

Event minimal() { return {.id = "1", .source = "/s", .type = "t"}; }

std::string headers_of(const Event& event) {
  std::string out;
  append_binary_headers(out, event);
  return out;
}

TEST_CASE("binary headers carry every attribute, percent-encoded where needed") {
  Event event = minimal();
  event.subject = "Euro € \"50%\"";
  event.time = "2026-11-21T14:02:11Z";
  event.datacontenttype = "text/plain; charset=utf-8";
  event.dataschema = "urn:s";
  event.extensions = {
      {"a", "~!x"}, {"b", "true", AttributeType::boolean}, {"traceparent", "left out"}};
  event.data = "x";
  event.has_data = true;
  CHECK(headers_of(event) ==
        "ce-specversion: 1.0\r\nce-id: 1\r\nce-source: /s\r\nce-type: t\r\n"
        "ce-subject: Euro%20%E2%82%AC%20%2250%25%22\r\nce-time: 2026-11-21T14:02:11Z\r\n"
        "ce-dataschema: urn:s\r\nce-a: ~!x\r\nce-b: true\r\n"
        "content-type: text/plain; charset=utf-8\r\n");
}

TEST_CASE("no attribute value can break out of its header line") {
  Event event = minimal();
  event.id = "a\r\nx-evil: 1";
  CHECK(headers_of(event).find("x-evil: 1") == std::string::npos);
  CHECK(headers_of(event).find("ce-id: a%0D%0Ax-evil:%201\r\n") != std::string::npos);
}

struct TypeRow {
  Event event;
  std::string_view content_type;  // empty = no such header
};

TEST_CASE("JSON data without a content type is sent as JSON, other bytes without one") {
  Event none = minimal();
  Event json = minimal();
  json.data = "1";
  json.has_data = true;
  Event bytes = json;
  bytes.data_is_binary = true;
  Event declared = minimal();
  declared.datacontenttype = "a/b";
  const TypeRow rows[] = {{none, ""}, {json, "application/json"}, {bytes, ""}, {declared, "a/b"}};
  for (const TypeRow& row : rows) {
    const std::string headers = headers_of(row.event);
    const std::string wanted = "content-type: " + std::string(row.content_type) + "\r\n";
    if (row.content_type.empty()) CHECK_FALSE(headers.contains("content-type"));
    if (!row.content_type.empty()) CHECK(headers.ends_with(wanted));
  }
}

struct DataRow {
  std::string_view content_type;
  std::string_view data;
  bool binary;
  std::string_view member;
};

constexpr auto kData = std::to_array<DataRow>({
    {"", "{\"a\": 1}", false, R"("data":{"a": 1}})"},
    {"application/json", "[1]", false, R"("data":[1]})"},
    {"application/json", "not json", false, R"("data_base64":"bm90IGpzb24="})"},
    {"text/plain", "a\"b", false, R"("data":"a\"b"})"},
    {"text/plain", "\xFF", false, R"("data_base64":"/w=="})"},
    {"application/json", "[1]", true, R"("data_base64":"WzFd"})"},
    {"text/plain", "", false, R"("data":""})"},
});

TEST_CASE("structured JSON writes data as JSON, text or base64") {
  for (const DataRow& row : kData) {
    CAPTURE(row.data);
    Event event = minimal();
    event.datacontenttype = row.content_type;
    event.data = row.data;
    event.has_data = true;
    event.data_is_binary = row.binary;
    CHECK(to_structured_json(event).ends_with(row.member));
  }
  CHECK(to_structured_json(minimal()) ==
        R"({"specversion":"1.0","id":"1","source":"/s","type":"t"})");
}

// An event with everything, whose texts live in `texts`.
Event random_event(Rng& rng, std::deque<std::string>& texts) {
  const auto text = [&]() -> std::string_view {
    std::string value = "v";
    constexpr std::array<std::string_view, 8> kPieces = {"a", " ",  "\"",  "%",
                                                         "ä", "😀", "%41", "\\"};
    for (std::uint64_t left = rng.below(5); left > 0; --left)
      value += kPieces[rng.below(kPieces.size())];
    return texts.emplace_back(value);
  };
  Event event{.id = text(), .source = "/s?x=%20", .type = text()};
  if (rng.below(2) == 0) event.subject = text();
  if (rng.below(2) == 0) event.time = "2026-11-21T14:02:11.5+01:00";
  if (rng.below(2) == 0) event.dataschema = "urn:x";
  event.extensions = {
      {"a", text()}, {"b", "false", AttributeType::boolean}, {"c", "-7", AttributeType::integer}};
  constexpr std::array<std::string_view, 4> kTypes = {"", "application/json", "text/plain",
                                                      "a/b+json"};
  event.datacontenttype = kTypes[rng.below(kTypes.size())];
  event.has_data = rng.below(4) != 0;
  if (!event.has_data) return event;
  const std::uint64_t kind = rng.below(3);
  if (kind == 0) event.data = texts.emplace_back(testing::random_json(rng, 2));
  if (kind == 1) event.data = text();
  if (kind == 2) event.data = texts.emplace_back("\x00\xFF bytes", 8);
  event.data_is_binary = kind == 2;
  return event;
}

TEST_CASE("what structured JSON says is read back as the same event") {
  CHECK(rc::check("structured", [](std::uint64_t seed) {
    Rng rng(seed);
    std::deque<std::string> texts;
    Event event = random_event(rng, texts);
    const std::string json = to_structured_json(event);
    RC_LOG() << json;
    const auto parsed = parse_structured(json, {});
    RC_ASSERT(parsed.ok());
    RC_ASSERT(parsed->entries().at(0).ok);
    Event again = parsed->entries().at(0).event;
    // JSON that is none travels as base64 and comes back marked so.
    again.data_is_binary = event.data_is_binary;
    RC_ASSERT(again == event);
  }));
}

TEST_CASE("what binary headers say is read back as the same event, extensions as text") {
  CHECK(rc::check("binary", [](std::uint64_t seed) {
    Rng rng(seed);
    std::deque<std::string> texts;
    Event event = random_event(rng, texts);
    const std::string lines = headers_of(event);
    RC_LOG() << lines;
    std::vector<HeaderView> headers;
    for (std::string_view rest = lines; !rest.empty(); rest.remove_prefix(rest.find("\r\n") + 2)) {
      const std::string_view line = rest.substr(0, rest.find("\r\n"));
      headers.emplace_back(line.substr(0, line.find(": ")), line.substr(line.find(": ") + 2));
    }
    const auto parsed = parse_binary(headers, event.data, {});
    RC_LOG() << parsed.entries().at(0).error.detail;
    RC_ASSERT(parsed.entries().at(0).ok);
    const Event& again = parsed.entries().at(0).event;
    for (Extension& extension : event.extensions) extension.type = AttributeType::string;
    RC_ASSERT(again.id == event.id);
    RC_ASSERT(again.type == event.type);
    RC_ASSERT(again.subject == event.subject);
    RC_ASSERT(again.time == event.time);
    RC_ASSERT(again.extensions == event.extensions);
    RC_ASSERT(again.data == event.data);
    if (!event.datacontenttype.empty()) RC_ASSERT(again.datacontenttype == event.datacontenttype);
  }));
}

}  // namespace
}  // namespace weir::wire
