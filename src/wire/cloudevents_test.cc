// SPDX-License-Identifier: Apache-2.0
#include "wire/cloudevents.h"

#include <array>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::wire {
namespace {

using Headers = std::vector<HeaderView>;

const Headers kMinimal = {{"ce-specversion", "1.0"},
                          {"ce-id", "1"},
                          {"ce-source", "/shop"},
                          {"ce-type", "com.example.order"}};

Headers with(Headers more) {
  Headers headers = kMinimal;
  headers.insert(headers.end(), more.begin(), more.end());
  return headers;
}

Headers without(std::string_view name) {
  Headers headers = kMinimal;
  std::erase_if(headers, [&](const HeaderView& header) { return header.first == name; });
  return headers;
}

std::string fault_of(const ParsedEvents::Entry& entry) {
  if (entry.ok) return "accepted";
  CHECK((entry.error.code == Code::invalid_event || entry.error.code == Code::event_too_large));
  return entry.error.detail;
}

std::string binary_fault(const Headers& headers, std::string_view body = "{}") {
  return fault_of(parse_binary(headers, body, {}).entries().at(0));
}

std::string json_fault(std::string_view body) {
  const auto parsed = parse_structured(body, {});
  return parsed.ok() ? fault_of(parsed->entries().at(0)) : parsed.error().detail;
}

// A structured event with the required attributes and `more` members.
std::string event_with(std::string_view more) {
  return fmt::format(R"({{"specversion":"1.0","id":"1","source":"/s","type":"t"{}{}}})",
                     more.empty() ? "" : ",", more);
}

struct ModeRow {
  std::string_view content_type;
  std::optional<ContentMode> mode;
};

constexpr auto kModes = std::to_array<ModeRow>({
    {"", ContentMode::binary},
    {"application/json", ContentMode::binary},
    {"text/plain; charset=latin1", ContentMode::binary},
    {"application/cloudevents+json", ContentMode::structured},
    {"Application/CloudEvents+JSON", ContentMode::structured},
    {" application/cloudevents+json ; charset=utf-8", ContentMode::structured},
    {"application/cloudevents+json; charset=\"UTF-8\"", ContentMode::structured},
    {"application/cloudevents-batch+json", ContentMode::batch},
    {"application/cloudevents-batch+json;charset=us-ascii", ContentMode::batch},
    {"application/cloudevents+json; charset=utf-16", std::nullopt},
    {"application/cloudevents+avro", std::nullopt},
    {"application/cloudevents+xml", std::nullopt},
    {"application/cloudevents", std::nullopt},
    {"application/cloudevents-batch+protobuf", std::nullopt},
});

TEST_CASE("the content type selects the mode") {
  for (const ModeRow& row : kModes) {
    CAPTURE(row.content_type);
    const auto mode = content_mode(row.content_type);
    CHECK(mode.ok() == row.mode.has_value());
    if (mode.ok()) CHECK(*mode == row.mode);
    if (!mode.ok()) CHECK(mode.error().code == Code::unsupported_media_type);
  }
}

TEST_CASE("binary mode takes attributes from headers and data as it came") {
  const std::string body = "{\"a\" : 1 }";
  const auto parsed = parse_binary(with({{"content-type", "application/json"},
                                         {"ce-subject", "Euro%20%E2%82%AC%20%F0%9F%98%80"},
                                         {"ce-time", "2026-11-21T14:02:11Z"},
                                         {"ce-dataschema", "https://example.com/s#order"},
                                         {"ce-zeta", "z"},
                                         {"ce-alpha", ""},
                                         {"accept", "x"}}),
                                   body, {});
  REQUIRE(parsed.entries().size() == 1);
  const auto& entry = parsed.entries()[0];
  REQUIRE(fault_of(entry) == "accepted");
  const Event& event = entry.event;
  CHECK(entry.id == "1");
  CHECK(event.id == "1");
  CHECK(event.source == "/shop");
  CHECK(event.type == "com.example.order");
  CHECK(event.subject == "Euro € 😀");
  CHECK(event.time == "2026-11-21T14:02:11Z");
  CHECK(event.dataschema == "https://example.com/s#order");
  CHECK(event.datacontenttype == "application/json");
  CHECK(event.extensions == std::vector<Extension>{{"alpha", ""}, {"zeta", "z"}});
  CHECK(event.data.data() == body.data());
  CHECK(event.data == body);
  CHECK(event.has_data);
  CHECK_FALSE(event.data_is_binary);
}

struct DataRow {
  Headers more;
  std::string_view body;
  bool has_data;
  bool binary;
};

TEST_CASE("no data, empty data and data without a type differ") {
  const DataRow rows[] = {
      {{}, "", false, false},
      {{{"content-type", "text/plain"}}, "", true, false},
      {{{"content-type", "text/plain"}}, "x", true, false},
      {{}, "{\"a\":1}", true, false},
      {{}, "not json", true, true},
  };
  for (const DataRow& row : rows) {
    CAPTURE(row.body);
    const auto parsed = parse_binary(with(row.more), row.body, {});
    REQUIRE(parsed.entries()[0].ok);
    CHECK(parsed.entries()[0].event.has_data == row.has_data);
    CHECK(parsed.entries()[0].event.data_is_binary == row.binary);
    CHECK(parsed.entries()[0].event.data == row.body);
  }
}

struct Fault {
  Headers headers;
  std::string detail;
};

TEST_CASE("binary mode names the attribute that is wrong") {
  const std::string long_id(4097, 'x');
  const std::string long_name = "ce-" + std::string(65, 'n');
  const Fault faults[] = {
      {without("ce-specversion"), "the required attribute 'specversion' is missing"},
      {without("ce-id"), "the required attribute 'id' is missing"},
      {without("ce-source"), "the required attribute 'source' is missing"},
      {without("ce-type"), "the required attribute 'type' is missing"},
      {with({{"ce-subject", ""}}), "'subject' must not be empty"},
      {with({{"ce-id", "2"}}), "'id' is given twice"},
      {with({{"ce-specversion", "1.0"}}), "'specversion' is given twice"},
      {with({{"ce-a", "1"}, {"ce-a", "2"}}), "'a' is given twice"},
      {with({{"content-type", "a/b"}, {"content-type", "a/b"}}),
       "the header 'content-type' is given twice"},
      {with({{"content-type", "json"}}), "datacontenttype 'json' is no media type"},
      {with({{"ce-datacontenttype", "a/b"}}),
       "header 'ce-datacontenttype' must not be sent: Content-Type says it"},
      {with({{"ce-data", "x"}}), "an attribute must not be named 'data'"},
      {with({{"ce-a_b", "x"}}), "'a_b' is no attribute name: only a-z and 0-9, at most 64"},
      {with({{"ce-", "x"}}), "'' is no attribute name: only a-z and 0-9, at most 64"},
      {with({{long_name, "x"}}),
       fmt::format("'{}' is no attribute name: only a-z and 0-9, at most 64",
                   std::string(64, 'n'))},
      {with({{"ce-time", "yesterday"}}), "time 'yesterday' is no RFC 3339 time"},
      {with({{"ce-time", "2026-02-30T00:00:00Z"}}),
       "time '2026-02-30T00:00:00Z' is no RFC 3339 time"},
      {with({{"ce-dataschema", "/relative"}}), "dataschema '/relative' is no absolute URI"},
      {with({{"ce-a", "100%"}}), "header 'ce-a' is not percent-encoded correctly"},
      {with({{"ce-a", "%C3"}}), "'a' is not UTF-8"},
      {with({{"ce-a", "x%0D%0Aset-cookie: y"}}), "'a' has the forbidden character U+000D"},
      {with({{"ce-a", "%C2%85"}}), "'a' has the forbidden character U+0085"},
      {with({{"ce-a", "%EF%BF%BF"}}), "'a' has the forbidden character U+FFFF"},
      {with({{"ce-a", "%EF%B7%90"}}), "'a' has the forbidden character U+FDD0"},
  };
  for (const Fault& fault : faults) CHECK(binary_fault(fault.headers) == fault.detail);
  Headers headers = without("ce-id");
  headers.emplace_back("ce-id", long_id);
  CHECK(binary_fault(headers) == "'id' has 4097 bytes, more than 4096");
  headers.back().second.remove_suffix(1);
  CHECK(binary_fault(headers) == "accepted");
}

TEST_CASE("a version other than 1.0 and a source that is no URI reference are refused") {
  Headers headers = without("ce-specversion");
  headers.emplace_back("ce-specversion", "0.3");
  CHECK(binary_fault(headers) == "specversion '0.3' is not supported, only 1.0");
  headers = without("ce-source");
  headers.emplace_back("ce-source", "a%20b");
  CHECK(binary_fault(headers) == "source 'a b' is no URI reference");
}

TEST_CASE("the bounds on attributes and data hold at the exact edge") {
  EventLimits limits{.attributes_bytes = 40, .extensions = 2, .event_bytes = 4};
  // id, source and type take 1 + 5 + 17 bytes.
  CHECK(fault_of(parse_binary(with({{"ce-a", "123456789012345"}, {"ce-b", ""}}), "1234", limits)
                     .entries()[0]) == "accepted");
  CHECK(fault_of(parse_binary(with({{"ce-a", "1234567890123456"}, {"ce-b", ""}}), "1234", limits)
                     .entries()[0]) == "the attributes have more than 40 bytes");
  CHECK(fault_of(parse_binary(with({{"ce-a", ""}, {"ce-b", ""}, {"ce-c", ""}}), "1234", limits)
                     .entries()[0]) == "more than 2 extensions");
  const auto large = parse_binary(with({{"content-type", "a/b"}}), "12345", limits);
  CHECK(fault_of(large.entries()[0]) == "the data has 5 bytes, more than 4");
  CHECK(large.entries()[0].error.code == Code::event_too_large);
}

TEST_CASE("structured mode takes attributes of every type") {
  const std::string body = event_with(
      R"("subject":"a\"b","n":-42,"z":-0,"yes":true,"s":"\u00e4","gone":null,"data":{"x": [1] })");
  const auto parsed = parse_structured(body, {});
  REQUIRE(parsed.ok());
  const auto& entry = parsed->entries().at(0);
  REQUIRE(fault_of(entry) == "accepted");
  CHECK(entry.event.subject == "a\"b");
  CHECK(entry.event.extensions == std::vector<Extension>{{"n", "-42", AttributeType::integer},
                                                         {"s", "ä", AttributeType::string},
                                                         {"yes", "true", AttributeType::boolean},
                                                         {"z", "0", AttributeType::integer}});
  CHECK(entry.event.data == "{\"x\": [1] }");
}

struct JsonRow {
  std::string_view more;  // members beside the required ones
  std::string_view detail;
};

constexpr auto kJsonFaults = std::to_array<JsonRow>({
    {R"("subject":"")", "'subject' must not be empty"},
    {R"("subject":7)", "'subject' must be a string"},
    {R"("subject":null)", "accepted"},
    {R"("time":true)", "'time' must be a string"},
    {R"("n":2147483647)", "accepted"},
    {R"("n":2147483648)", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("n":-2147483648)", "accepted"},
    {R"("n":-2147483649)", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("n":1.0)", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("n":1e3)", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("n":{})", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("n":["a"])", "extension 'n' must be a string, a boolean or a 32-bit integer"},
    {R"("Name":"x")", "'Name' is no attribute name: only a-z and 0-9, at most 64"},
    {R"("":"x")", "'' is no attribute name: only a-z and 0-9, at most 64"},
    {R"("a\u001bb":"x")", "'a\\u{1b}b' is no attribute name: only a-z and 0-9, at most 64"},
    {R"("a":"\u0000")", "'a' has the forbidden character U+0000"},
    {R"("data":1,"data_base64":"AA==")", "'data' and 'data_base64' exclude each other"},
    {R"("data":null,"data_base64":"AA==")", "accepted"},
    {R"("data":1,"data_base64":null)", "accepted"},
    {R"("data_base64":"AA=")", "'data_base64' is not base64"},
    {R"("data_base64":7)", "'data_base64' is not base64"},
    {R"("datacontenttype":"")", "'datacontenttype' must not be empty"},
    {R"("datacontenttype":"text/plain\u00e4")", "datacontenttype 'text/plainä' is no media type"},
});

TEST_CASE("structured mode names the attribute that is wrong") {
  for (const JsonRow& row : kJsonFaults) {
    CAPTURE(row.more);
    CHECK(json_fault(event_with(row.more)) == row.detail);
  }
  CHECK(json_fault("[]") == "an event must be a JSON object");
  CHECK(json_fault("{}") == "the required attribute 'specversion' is missing");
  CHECK(json_fault(R"({"specversion":1.0})") == "'specversion' must be a string");
  CHECK(json_fault(R"({"id":"1","id":"2"})") ==
        "line 1, column 11: this name stands twice in one object");
  const auto malformed = parse_structured("{", {});
  REQUIRE_FALSE(malformed.ok());
  CHECK(malformed.error().code == Code::malformed_json);
}

struct Payload {
  std::string_view more;
  bool has_data;
  std::string_view data;
  bool binary;
};

constexpr auto kPayload = std::to_array<Payload>({
    {R"("x":1)", false, "", false},
    {R"("data":"text")", true, "\"text\"", false},
    {R"("data":null)", true, "null", false},
    {R"("data":1.50)", true, "1.50", false},
    {R"("datacontenttype":"application/vnd.x+json","data":{"a":"\u00e4"})", true,
     "{\"a\":\"\\u00e4\"}", false},
    {R"("datacontenttype":"text/xml","data":"<a b=\"c\"/>")", true, "<a b=\"c\"/>", false},
    {R"("datacontenttype":"text/xml","data":"plain")", true, "plain", false},
    {R"("data":"<a>\n</a>","datacontenttype":"text/xml")", true, "<a>\n</a>", false},
    {R"("datacontenttype":"text/xml","data":null)", false, "", false},
    {R"("datacontenttype":"text/plain","data":{"a":1})", true, "{\"a\":1}", false},
    {R"("data_base64":"AAH/")", true, std::string_view("\0\x01\xFF", 3), true},
    {R"("data_base64":"")", true, "", true},
    {R"("data_base64":null)", false, "", false},
});

TEST_CASE("the content type says what data is") {
  for (const Payload& row : kPayload) {
    CAPTURE(row.more);
    const std::string body = event_with(row.more);
    const auto parsed = parse_structured(body, {});
    REQUIRE(parsed.ok());
    const auto& entry = parsed->entries().at(0);
    REQUIRE(fault_of(entry) == "accepted");
    CHECK(entry.event.has_data == row.has_data);
    CHECK(entry.event.data == row.data);
    CHECK(entry.event.data_is_binary == row.binary);
  }
}

TEST_CASE("a batch gives one entry per event, in order, wrong ones included") {
  const std::string body = "[" + event_with(R"("subject":"a")") +
                           ", 7, {\"id\":\"x\\n\",\"data\":1}, " + event_with(R"("subject":"b")") +
                           "]";
  const auto parsed = parse_batch(body, {});
  REQUIRE(parsed.ok());
  REQUIRE(parsed->entries().size() == 4);
  CHECK(parsed->entries()[0].event.subject == "a");
  CHECK(fault_of(parsed->entries()[1]) == "an event must be a JSON object");
  CHECK(parsed->entries()[1].id.empty());
  CHECK(fault_of(parsed->entries()[2]) == "the required attribute 'specversion' is missing");
  CHECK(parsed->entries()[2].id == "x\n");
  CHECK(parsed->entries()[3].event.subject == "b");
  const auto empty = parse_batch(" [ ] ", {});
  REQUIRE(empty.ok());
  CHECK(empty->entries().empty());
}

TEST_CASE("a batch that is none is one error for all") {
  const auto code_of = [](const Result<ParsedEvents>& parsed) { return parsed.error().code; };
  CHECK(code_of(parse_batch(event_with(""), {})) == Code::invalid_event);
  CHECK(code_of(parse_batch("[{}", {})) == Code::malformed_json);
  CHECK(code_of(parse_batch("[1,2,3]", {.batch_events = 2})) == Code::batch_too_large);
  CHECK(parse_batch("[1,2]", {.batch_events = 2}).ok());
}

TEST_CASE("views stay valid when the parsed events are moved") {
  const std::string body = event_with(R"("subject":"\u0061","n":"\u0062","data_base64":"QUJD")");
  auto parsed = parse_structured(body, {});
  REQUIRE(parsed.ok());
  const ParsedEvents moved = std::move(*parsed);
  const Event& event = moved.entries().at(0).event;
  CHECK(event.subject == "a");
  CHECK(event.find_extension("n")->value == "b");
  CHECK(event.data == "ABC");
}

TEST_CASE("the request's trace is adopted by events that have none") {
  constexpr std::string_view kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  constexpr std::string_view kOwn = "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const std::string own = fmt::format(R"("traceparent":"{}")", kOwn);
  const std::string body = "[" + event_with(R"("a":"1","z":"2")") + "," + event_with(own) + ",7]";
  auto parsed = parse_batch(body, {});
  REQUIRE(parsed.ok());
  parsed->adopt_trace({{"traceparent", "00-bad"}, {"tracestate", "a=1"}});
  CHECK(parsed->entries()[0].event.extensions.size() == 2);
  parsed->adopt_trace(
      {{"tracestate", "a=1"}, {"traceparent", kParent}, {"tracestate", "b=2"}, {"baggage", "k=v"}});
  CHECK(parsed->entries()[0].event.extensions == std::vector<Extension>{{"a", "1"},
                                                                        {"baggage", "k=v"},
                                                                        {"traceparent", kParent},
                                                                        {"tracestate", "a=1,b=2"},
                                                                        {"z", "2"}});
  CHECK(parsed->entries()[1].event.extensions == std::vector<Extension>{{"traceparent", kOwn}});
  CHECK_FALSE(parsed->entries()[2].ok);
}

}  // namespace
}  // namespace weir::wire
