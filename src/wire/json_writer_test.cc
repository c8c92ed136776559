// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "base/text.h"
#include "wire/json.h"

namespace weir::wire {
namespace {

TEST_CASE("commas stand between values and nowhere else") {
  JsonWriter json;
  json.begin_object().field("a", 1).key("b").begin_array().value("x").null().value(true);
  json.begin_object().end_object().begin_array().end_array().raw("[1]").end_array();
  json.field("c", std::string("y")).field("d", false).end_object();
  CHECK(json.text() == R"({"a":1,"b":["x",null,true,{},[],[1]],"c":"y","d":false})");
}

TEST_CASE("numbers of every type") {
  JsonWriter json;
  json.begin_array().value(INT64_MIN).value(UINT64_MAX).value(-1).value(7u);
  json.value(0.1).value(1e300).value(-0.0).value(3.0);
  json.value(std::numeric_limits<double>::quiet_NaN());
  json.value(-std::numeric_limits<double>::infinity()).end_array();
  CHECK(json.text() ==
        "[-9223372036854775808,18446744073709551615,-1,7,0.1,1e+300,-0,3,null,null]");
}

TEST_CASE("a double reads back as the same double") {
  CHECK(rc::check("double", [](std::uint64_t bits) {
    const auto number = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(number));
    JsonWriter json;
    json.value(number);
    const auto parsed = parse_json(json.text());
    RC_ASSERT(parsed.ok());
    RC_ASSERT(std::bit_cast<std::uint64_t>(parsed->root().number()) == bits);
  }));
}

struct Row {
  std::string_view text;
  std::string_view json;
};

constexpr auto kStrings = std::to_array<Row>({
    {"", R"("")"},
    {"plain", R"("plain")"},
    {"a\"b\\c/d", R"("a\"b\\c/d")"},
    {"\n\r\t\b\x01\x1f", R"("\n\r\t\u0008\u0001\u001f")"},
    {std::string_view("\0", 1), R"("\u0000")"},
    {"ä€😀\x7f", "\"ä€😀\x7f\""},
    {"a\xFFz", "\"a\uFFFDz\""},
    {"\xC3", "\"\uFFFD\""},
    {"\xED\xA0\x80", "\"\uFFFD\uFFFD\uFFFD\""},
});

TEST_CASE("strings are escaped, and what is no UTF-8 is replaced") {
  for (const Row& row : kStrings) {
    std::string out;
    append_json_string(out, row.text);
    CHECK(out == row.json);
  }
}

TEST_CASE("any string of bytes makes valid JSON, and valid UTF-8 reads back unchanged") {
  CHECK(rc::check("string", [](const std::string& text) {
    std::string out;
    append_json_string(out, text);
    const auto parsed = parse_json(out);
    RC_ASSERT(parsed.ok());
    if (is_valid_utf8(text)) RC_ASSERT(parsed->root().string() == text);
  }));
}

}  // namespace
}  // namespace weir::wire
