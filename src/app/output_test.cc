// SPDX-License-Identifier: Apache-2.0
#include "app/output.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

const WallTime kShownAt = *parse_rfc3339("2026-11-21T14:00:00Z");
constexpr std::string_view kAnswer =
    R"({"groups":[{"group":"9ad1","open":1204,"title":"a\u0007b",)"
    R"("lastAt":"2026-11-21T13:57:00Z"},{"group":"07fc","open":2}],"cursor":"1-2"})";

std::string data(Format format, std::string_view text, std::string_view list,
                 std::string_view name) {
  const auto document = wire::parse_json(text);
  REQUIRE(document.ok());
  return render_data(format, document->root(), list, name);
}

TEST_CASE("a list as a table has a cell for every member, or a dash") {
  const auto document = wire::parse_json(kAnswer);
  REQUIRE(document.ok());
  const std::vector<Column> columns = {{"GROUP", "group"},
                                       {"OPEN", "open", CellKind::count},
                                       {"LAST", "lastAt", CellKind::age},
                                       {"TITLE", "title"}};
  CHECK(list_table(*document->root().find("groups"), columns, {}, kShownAt) ==
        "GROUP   OPEN  LAST       TITLE\n"
        "9ad1   1,204  3 min ago  a\\u{7}b\n"
        "07fc       2  -          -\n");
}

TEST_CASE("facts stand under each other, absent ones are left out") {
  const auto document = wire::parse_json(R"({"flow":"sync","backlog":12000,"reason":"","x":{}})");
  REQUIRE(document.ok());
  CHECK(fact_lines(document->root(),
                   {{"flow", "flow"},
                    {"because", "reason"},
                    {"backlog", "backlog", CellKind::count},
                    {"x", "x"}},
                   kShownAt) ==
        "flow     sync\n"
        "backlog  12,000\n");
}

TEST_CASE("jsonl and name print one item per line, json and yaml the whole answer") {
  CHECK(data(Format::name, kAnswer, "groups", "group") == "9ad1\n07fc\n");
  CHECK(data(Format::jsonl, R"({"flows":[{"a":1},{"a":2}]})", "flows", "a") ==
        "{\"a\":1}\n{\"a\":2}\n");
  CHECK(data(Format::json, R"({"flows":[]})", "flows", "a") == "{\n  \"flows\": []\n}\n");
  CHECK(data(Format::yaml, R"({"flows":[{"a":1}]})", "flows", "a") == "flows:\n- a: 1\n");
}

TEST_CASE("one object in every form") {
  CHECK(data(Format::name, R"({"flow":"sync"})", "", "flow") == "sync\n");
  CHECK(data(Format::jsonl, R"({"flow": "sync"})", "", "flow") == "{\"flow\":\"sync\"}\n");
}

TEST_CASE("a list that is missing is an empty list") {
  CHECK(data(Format::name, R"({"other":1})", "flows", "flow") == "");
}

}  // namespace
}  // namespace weir::app
