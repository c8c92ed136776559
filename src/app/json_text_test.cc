// SPDX-License-Identifier: Apache-2.0
#include "app/json_text.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

template <class Render>
std::string rendered(Render render, std::string_view text) {
  const auto document = wire::parse_json(text);
  REQUIRE(document.ok());
  return render(document->root());
}

constexpr std::string_view kSample =
    R"({"flows":[{"flow":"sync-issues","backlog":12,"ok":true,"note":null},{"flow":"no"}],"empty":[],"where":{}})";

TEST_CASE("pretty JSON has one member per line") {
  CHECK(rendered(to_pretty_json, R"({"a":[1,{"b":"x"}],"c":{},"d":[]})") ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x\"\n    }\n  ],\n  \"c\": {},\n  \"d\": "
        "[]\n}\n");
}

TEST_CASE("a JSON line has no newline but the last, and numbers keep their spelling") {
  CHECK(rendered(to_json_line, "{ \"a\" : [ 1.50 ,\n 1e3 ] }") == "{\"a\":[1.50,1e3]}\n");
}

TEST_CASE("YAML nests lists and maps") {
  CHECK(rendered(to_yaml, kSample) ==
        "flows:\n"
        "- flow: sync-issues\n"
        "  backlog: 12\n"
        "  ok: true\n"
        "  note: null\n"
        "- flow: \"no\"\n"
        "empty: []\n"
        "where: {}\n");
  CHECK(rendered(to_yaml, R"([[1,2],["a"]])") == "- - 1\n  - 2\n- - a\n");
  CHECK(rendered(to_yaml, R"("text")") == "text\n");
}

TEST_CASE("YAML quotes what could be read as something else") {
  struct Case {
    std::string_view json;
    std::string_view yaml;
  };
  const Case cases[] = {
      {R"("github#1042")", "github#1042\n"},
      {R"("a # comment")", "\"a # comment\"\n"},
      {R"("a: b")", "\"a: b\"\n"},
      {R"("http://127.0.0.1:9900")", "http://127.0.0.1:9900\n"},
      {R"("ends:")", "\"ends:\"\n"},
      {R"("True")", "\"True\"\n"},
      {R"("12")", "\"12\"\n"},
      {R"("2026-11-21T14:00:00Z")", "\"2026-11-21T14:00:00Z\"\n"},
      {R"("")", "\"\"\n"},
      {R"("- x")", "\"- x\"\n"},
      {R"("two\nlines")", "\"two\\nlines\"\n"},
      {R"("trailing ")", "\"trailing \"\n"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.json);
    CHECK(rendered(to_yaml, one.json) == one.yaml);
  }
}

TEST_CASE("characters that could fool a terminal are escaped in every form") {
  constexpr std::string_view text =
      "{\"name\":\"a\xE2\x80\xAE"
      "b\xC2\x9B\xC3\xBC\"}";
  CHECK(rendered(to_json_line, text) == "{\"name\":\"a\\u202eb\\u009b\xC3\xBC\"}\n");
  CHECK(rendered(to_yaml, text) == "name: \"a\\u202eb\\u009b\xC3\xBC\"\n");
}

}  // namespace
}  // namespace weir::app
