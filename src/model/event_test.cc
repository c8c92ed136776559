// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

// The texts that an Event views.
struct OwnedEvent {
  std::vector<std::string> texts;  // the seven attributes, then name and value of each extension
  std::string data;
  Event event;
};

OwnedEvent any_event() {
  OwnedEvent made;
  const auto extensions = *rc::gen::inRange<std::size_t>(0, 5);
  made.texts = *rc::gen::container<std::vector<std::string>>(7 + 2 * extensions,
                                                             rc::gen::arbitrary<std::string>());
  made.data = *rc::gen::arbitrary<std::string>();
  const auto& t = made.texts;
  made.event = {.id = t[0],
                .source = t[1],
                .type = t[2],
                .subject = t[3],
                .time = t[4],
                .datacontenttype = t[5],
                .dataschema = t[6]};
  for (std::size_t i = 7; i < t.size(); i += 2) {
    made.event.extensions.push_back(
        {t[i], t[i + 1],
         *rc::gen::element(AttributeType::string, AttributeType::integer, AttributeType::boolean)});
  }
  made.event.data = made.data;
  made.event.has_data = !made.data.empty() || *rc::gen::arbitrary<bool>();
  made.event.data_is_binary = *rc::gen::arbitrary<bool>();
  return made;
}

Event example_event() {
  return {.id = "7f3c",
          .source = "/octo/hello",
          .type = "com.github.issues.opened",
          .subject = "octo/hello#17",
          .time = "2026-11-21T14:02:11Z",
          .datacontenttype = "application/json",
          .extensions = {{"partitionkey", "a"}, {"retries", "3", AttributeType::integer}},
          .data = R"({"a": 1})",
          .has_data = true};
}

TEST_CASE("an event is read back from its record as it was") {
  CHECK(rc::check("event round trip", [] {
    const OwnedEvent made = any_event();
    const std::string record = encode_event(made.event);
    const Result<Event> read = decode_event(record);
    RC_ASSERT(read.ok());
    RC_ASSERT(*read == made.event);
  }));
}

TEST_CASE("the record's first format stays readable") {
  const std::string record =
      "\x01\x03"
      "\x01i"
      "\x01s"
      "\x01t"
      "\x00"
      "\x00"
      "\x0A"
      "text/plain"
      "\x00"
      "\x01"
      "\x02"
      "\x04"
      "flag"
      "\x04"
      "true"
      "da\x00ta"s;
  const Event event = {.id = "i",
                       .source = "s",
                       .type = "t",
                       .datacontenttype = "text/plain",
                       .extensions = {{"flag", "true", AttributeType::boolean}},
                       .data = "da\0ta"sv,
                       .has_data = true,
                       .data_is_binary = true};
  CHECK(encode_event(event) == record);
  const Result<Event> read = decode_event(record);
  REQUIRE(read.ok());
  CHECK(*read == event);
}

TEST_CASE("decoding copies nothing") {
  const std::string record = encode_event(example_event());
  const Result<Event> read = decode_event(record);
  REQUIRE(read.ok());
  const auto inside = [&](std::string_view view) {
    return view.data() >= record.data() &&
           view.data() + view.size() <= record.data() + record.size();
  };
  for (const auto view :
       {read->id, read->source, read->type, read->subject, read->time, read->datacontenttype,
        read->data, read->extensions[0].name, read->extensions[1].value}) {
    CHECK(inside(view));
  }
  CHECK(read->data == example_event().data);
}

TEST_CASE("empty data and none are told apart") {
  Event event = example_event();
  event.data = "";
  const std::string with = encode_event(event);
  event.has_data = false;
  const std::string without = encode_event(event);
  CHECK(decode_event(with)->has_data);
  CHECK_FALSE(decode_event(without)->has_data);
}

TEST_CASE("a record that ends within its attributes is damaged") {
  Event event = example_event();
  event.data = "";
  event.has_data = false;
  const std::string record = encode_event(event);
  for (std::size_t size = 0; size < record.size(); ++size) {
    CAPTURE(size);
    const Result<Event> read = decode_event(std::string_view(record).substr(0, size));
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == Code::store_corrupt);
    CHECK(read.error().hint == "weir store check");
  }
}

TEST_CASE("unknown versions, flags, types and counts are damaged") {
  const std::string good = encode_event(example_event());
  const auto refused = [](std::string record, std::size_t at, char byte) {
    record[at] = byte;
    return !decode_event(record).ok();
  };
  CHECK(refused(good, 0, 0));
  CHECK(refused(good, 0, 2));
  CHECK(refused(good, 1, 4));
  const std::size_t count = good.find("\x02\x00\x0Cpartitionkey"s);
  REQUIRE(count != good.npos);
  CHECK(refused(good, count + 1, 3));     // attribute type
  CHECK(refused(good, count, 100));       // more extensions than there are bytes
  CHECK(refused(good, count + 2, 0x7F));  // a name longer than the record

  std::string many(9, '\0');
  many[0] = 1;
  many += "\xE9\x07";               // 1001 extensions
  many += std::string(5000, '\0');  // each three bytes
  CHECK_FALSE(decode_event(many).ok());
  many[9] = '\xE8';  // 1000
  CHECK(decode_event(many).ok());
}

TEST_CASE("no bytes make the decoder read outside of them") {
  CHECK(rc::check("garbage", [](std::string bytes) {
    if (!bytes.empty()) bytes[0] = 1;
    if (bytes.size() > 1) bytes[1] = static_cast<char>(bytes[1] & 3);
    (void)decode_event(bytes);
  }));
  CHECK(rc::check("one wrong byte", [] {
    std::string record = encode_event(any_event().event);
    record[*rc::gen::inRange<std::size_t>(0, record.size())] = *rc::gen::arbitrary<char>();
    if (const Result<Event> read = decode_event(record); read.ok()) {
      RC_ASSERT(encode_event(*read).size() <= record.size());
    }
  }));
}

TEST_CASE("extensions are found by their name") {
  const Event event = example_event();
  REQUIRE(event.find_extension("retries") != nullptr);
  CHECK(event.find_extension("retries")->value == "3");
  CHECK(event.find_extension("retrie") == nullptr);
  CHECK(event.find_extension("") == nullptr);
}

TEST_CASE("JSON data is told by the content type") {
  const auto is_json = [](std::string_view type) {
    return Event{.datacontenttype = type}.data_is_json();
  };
  for (const auto* type :
       {"", "application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json ;charset=utf-8", "text/json", "application/vnd.github.v3+json",
        "application/cloudevents+json"}) {
    CAPTURE(type);
    CHECK(is_json(type));
  }
  for (const auto* type : {"text/plain", "application/xml", "application/jsonl", "json",
                           "application/json-seq", "text/plain; a=application/json", ";", " "}) {
    CAPTURE(type);
    CHECK_FALSE(is_json(type));
  }
}

TEST_CASE("content is type, subject, content type and data; nothing else counts") {
  const Event event = example_event();
  Event other = event;
  other.time = "2027-01-01T00:00:00Z";
  other.dataschema = "urn:x";
  other.extensions.clear();
  CHECK(same_content(event, other));

  const auto differs = [&](auto change) {
    Event changed = event;
    change(changed);
    return !same_content(event, changed) && !same_content(changed, event);
  };
  CHECK(differs([](Event& one) { one.type = "x"; }));
  CHECK(differs([](Event& one) { one.subject = ""; }));
  CHECK(differs([](Event& one) { one.datacontenttype = "text/plain"; }));
  CHECK(differs([](Event& one) { one.data = R"({"a":1})"; }));  // bytes, not meaning
  Event empty = event, none = event;
  empty.data = none.data = "";
  none.has_data = false;
  CHECK_FALSE(same_content(empty, none));
}

}  // namespace
}  // namespace weir
