// SPDX-License-Identifier: Apache-2.0
#include "app/csv_text.h"

#include <doctest/doctest.h>

namespace weir::app {
namespace {

std::string csv_of(std::string_view json, bool headers = true) {
  const auto document = wire::parse_json(json);
  REQUIRE(document.ok());
  return to_csv(document->root(), headers);
}

TEST_CASE("a line per item, a column per member that any has") {
  CHECK(csv_of(R"([{"a":1,"b":"x"},{"b":"y","c":true},{"a":null}])") ==
        "\"a\",\"b\",\"c\"\n1,\"x\",\n,\"y\",true\n,,\n");
  CHECK(csv_of(R"([{"a":1}])", false) == "1\n");
  CHECK(csv_of(R"({"a":{"b":[1,"x"]}})") == "\"a\"\n\"{\"\"b\"\":[1,\"\"x\"\"]}\"\n");
  CHECK(csv_of("[]").empty());
  CHECK(csv_of("[1,2]").empty());
  CHECK(csv_of("7").empty());
}

TEST_CASE("quotes, commas and line breaks stay in their cell") {
  CHECK(csv_of(R"([{"a":"x,\"y\";z"}])", false) == "\"x,\"\"y\"\";z\"\n");
  CHECK(csv_of(R"([{"a":"x\r\ny"}])", false) == "\"x\\u{d}\\ny\"\n");
  CHECK(csv_of(R"([{"a\",b":1}])") == "\"a\"\",b\"\n1\n");
  CHECK(csv_of(R"([{"a":""}])", false) == "\n");
}

TEST_CASE("no cell is a formula") {
  for (const char* text : {"=1+1", "+1", "-1", "@SUM(A1)", "=HYPERLINK(\\\"http://x\\\")", "\\t=1",
                           "\\r=1", "＝1", "＋1", "－1", "＠1"}) {
    CAPTURE(text);
    const std::string line = csv_of("[{\"a\":\"" + std::string(text) + "\"}]", false);
    CHECK(line.starts_with("\"'"));
  }
  CHECK(csv_of(R"([{"=cmd":1}])").starts_with("\"'=cmd\"\n"));
  CHECK(csv_of(R"([{"a":-1}])", false) == "-1\n");  // a number is no text
  CHECK(csv_of(R"([{"a":"1=1"}])", false) == "\"1=1\"\n");
}

TEST_CASE("nothing in a cell moves the cursor of a terminal") {
  CHECK(csv_of("[{\"a\":\"\\u001b[2J\\u009b\\u202e\"}]", false) ==
        "\"\\u{1b}[2J\\u{9b}\\u{202e}\"\n");
}

}  // namespace
}  // namespace weir::app
