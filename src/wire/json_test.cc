// SPDX-License-Identifier: Apache-2.0
#include "wire/json.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include "wire/testing/random_json.h"

namespace weir::wire {
namespace {

std::string fault_of(std::string_view text, const JsonLimits& limits = {}) {
  const auto parsed = parse_json(text, limits);
  if (parsed.ok()) return "accepted";
  CHECK(parsed.error().code == Code::malformed_json);
  return parsed.error().detail;
}

struct Fault {
  std::string_view text;
  std::string_view detail;
};

constexpr auto kFaults = std::to_array<Fault>({
    {"", "line 1, column 1: the document ends where a value is expected"},
    {" \n ", "line 2, column 2: the document ends where a value is expected"},
    {"nul", "line 1, column 1: expected a value"},
    {"True", "line 1, column 1: expected a value"},
    {"truefalse", "line 1, column 5: text after the end of the document"},
    {"{} {}", "line 1, column 4: text after the end of the document"},
    {"NaN", "line 1, column 1: expected a value"},
    {"'a'", "line 1, column 1: expected a value"},
    {"\xEF\xBB\xBF{}", "line 1, column 1: a byte order mark is not allowed"},
    {"01", "line 1, column 2: a number may not start with a zero"},
    {"-", "line 1, column 2: expected a digit"},
    {"-x", "line 1, column 2: expected a digit"},
    {"+1", "line 1, column 1: expected a value"},
    {".5", "line 1, column 1: expected a value"},
    {"1.", "line 1, column 3: expected a digit"},
    {"1.e5", "line 1, column 3: expected a digit"},
    {"1e", "line 1, column 3: expected a digit"},
    {"1e+", "line 1, column 4: expected a digit"},
    {"0x10", "line 1, column 2: text after the end of the document"},
    {"[", "line 1, column 2: the document ends where a value is expected"},
    {"[1", "line 1, column 3: expected ',' or ']'"},
    {"[1 2]", "line 1, column 4: expected ',' or ']'"},
    {"[1,]", "line 1, column 4: expected a value"},
    {"[,1]", "line 1, column 2: expected a value"},
    {"[1}", "line 1, column 3: expected ',' or ']'"},
    {"{", "line 1, column 2: expected a name in double quotes"},
    {"{1:2}", "line 1, column 2: expected a name in double quotes"},
    {"{\"a\"}", "line 1, column 5: expected ':' after a name"},
    {"{\"a\":}", "line 1, column 6: expected a value"},
    {"{\"a\":1,}", "line 1, column 8: expected a name in double quotes"},
    {"{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}'"},
    {"{\"a\":1]", "line 1, column 7: expected ',' or '}'"},
    {"{\"a\":1,\n \"a\":2}", "line 2, column 2: this name stands twice in one object"},
    {"{\"a\":1,\"\\u0061\":2}", "line 1, column 8: this name stands twice in one object"},
    {"\"a", "line 1, column 3: the document ends inside a string"},
    {"\"a\\", "line 1, column 4: unknown escape"},
    {"\"a\\n", "line 1, column 5: the document ends inside a string"},
    {"\"a\nb\"", "line 1, column 3: control character in a string"},
    {"\"12345678901\tx\"", "line 1, column 13: control character in a string"},
    {"\"\\x41\"", "line 1, column 3: unknown escape"},
    {"\"\\u12g4\"", "line 1, column 6: expected four hexadecimal digits"},
    {"\"\\u12", "line 1, column 6: expected four hexadecimal digits"},
    {"\"\\ud800\"", "line 1, column 2: half of a surrogate pair"},
    {"\"\\ud800\\n\"", "line 1, column 2: half of a surrogate pair"},
    {"\"\\ud800\\ud800\"", "line 1, column 2: half of a surrogate pair"},
    {"\"\\udc00\"", "line 1, column 2: half of a surrogate pair"},
    {"\"\x80\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xC0\xAF\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xC3\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xE0\x9F\xBF\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xED\xA0\x80\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xF0\x8F\xBF\xBF\"", "line 1, column 2: invalid UTF-8"},
    {"\"\xF4\x90\x80\x80\"", "line 1, column 2: invalid UTF-8"},
    {"\"ä€😀\xFF\"", "line 1, column 5: invalid UTF-8"},
});

TEST_CASE("each fault is refused with its place") {
  for (const Fault& fault : kFaults) {
    CAPTURE(fault.text);
    CHECK(fault_of(fault.text) == fault.detail);
  }
}

struct Accepted {
  std::string_view text;
  JsonType type;
};

constexpr auto kAccepted = std::to_array<Accepted>({
    {"null", JsonType::null},
    {"true", JsonType::boolean},
    {" \t\r\nfalse \n", JsonType::boolean},
    {"0", JsonType::number},
    {"-0", JsonType::number},
    {"-0.0e-0", JsonType::number},
    {"123456789012345678901234567890", JsonType::number},
    {"1E+400", JsonType::number},
    {"\"\"", JsonType::string},
    {"\"\x7f\"", JsonType::string},
    {"\"\xF4\x8F\xBF\xBF\"", JsonType::string},
    {"[]", JsonType::array},
    {"[ ]", JsonType::array},
    {"{}", JsonType::object},
    {"{\"\":{\"\":[]}}", JsonType::object},
});

TEST_CASE("each kind of document is accepted") {
  for (const Accepted& row : kAccepted) {
    CAPTURE(row.text);
    const auto parsed = parse_json(row.text);
    REQUIRE(parsed.ok());
    CHECK(parsed->root().type() == row.type);
  }
}

struct StringRow {
  std::string_view text;
  std::string_view decoded;
};

constexpr auto kStrings = std::to_array<StringRow>({
    {R"("plain")", "plain"},
    {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
    {R"("\u0041\u00e4\u20AC")", "Aä€"},
    {R"("\ud83d\ude00\uDBFF\uDFFF")", "😀\U0010FFFF"},
    {R"("a\u0000b")", std::string_view("a\0b", 3)},
    {R"("ä long text before \n and after")", "ä long text before \n and after"},
    {R"("0123456789abcdef\\")", "0123456789abcdef\\"},
});

TEST_CASE("strings are decoded") {
  for (const StringRow& row : kStrings) {
    CAPTURE(row.text);
    const auto parsed = parse_json(row.text);
    REQUIRE(parsed.ok());
    CHECK(parsed->root().string() == row.decoded);
    CHECK(parsed->root().raw() == row.text);
  }
}

TEST_CASE("decoded strings survive a move of their document") {
  auto parsed = parse_json(R"(["\n", "\t"])");
  REQUIRE(parsed.ok());
  const std::string_view before = (*parsed->root().begin()).string();
  const JsonDocument moved = std::move(*parsed);
  CHECK(before == "\n");
  CHECK((*moved.root().begin()).string().data() == before.data());
}

struct NumberRow {
  std::string_view text;
  std::optional<std::int64_t> integer;
  double number;
};

constexpr auto kNumbers = std::to_array<NumberRow>({
    {"0", 0, 0},
    {"-0", 0, 0},
    {"42", 42, 42},
    {"-42", -42, -42},
    {"42.0", std::nullopt, 42},
    {"42e0", std::nullopt, 42},
    {"9223372036854775807", INT64_MAX, 9223372036854775808.0},
    {"9223372036854775808", std::nullopt, 9223372036854775808.0},
    {"-9223372036854775808", INT64_MIN, -9223372036854775808.0},
    {"-9223372036854775809", std::nullopt, -9223372036854775808.0},
    {"1e999", std::nullopt, std::numeric_limits<double>::infinity()},
    {"-1e999", std::nullopt, -std::numeric_limits<double>::infinity()},
    {"1e-999", std::nullopt, 0},
    {"3.0e2", std::nullopt, 300},
});

TEST_CASE("numbers keep their spelling and give their value") {
  for (const NumberRow& row : kNumbers) {
    CAPTURE(row.text);
    const auto parsed = parse_json(row.text);
    REQUIRE(parsed.ok());
    CHECK(parsed->root().integer() == row.integer);
    CHECK(parsed->root().number() == row.number);
    CHECK(parsed->root().raw() == row.text);
  }
}

TEST_CASE("values are reached by name and by iteration, in source order") {
  constexpr std::string_view kText =
      R"({"a":[1,[2,{"x":3}],"s"],"b":{"c":null,"d":true},"e\n":{},"f":[]})";
  const auto parsed = parse_json(kText);
  REQUIRE(parsed.ok());
  const Json root = parsed->root();
  CHECK(root.size() == 4);
  std::string names;
  for (const Json member : root)
    names += std::string(member.key()) + "=" + std::string(member.raw()) + ";";
  CHECK(names == "a=[1,[2,{\"x\":3}],\"s\"];b={\"c\":null,\"d\":true};e\n={};f=[];");
  std::string elements;
  const Json array = *root.find("a");
  for (const Json element : array) elements += std::string(element.raw()) + "|";
  CHECK(elements == "1|[2,{\"x\":3}]|\"s\"|");
  CHECK(root.find("b")->find("d")->boolean());
  CHECK(root.find("b")->key() == "b");
  CHECK(root.find("e\n")->size() == 0);
  const Json empty = *root.find("f");
  CHECK(empty.begin() == empty.end());
  CHECK_FALSE(root.find("c").has_value());
  CHECK(root.key().empty());
  CHECK((*array.begin()).key().empty());
  CHECK(root.find("b")->offset() == kText.find("{\"c\""));
  CHECK(root.find("b")->key_offset() == kText.find("\"b\""));
}

TEST_CASE("limits hold at the exact edge") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(fault_of(nested(64)) == "accepted");
  CHECK(fault_of(nested(65)) == "line 1, column 65: nested too deeply");
  CHECK(fault_of(nested(kJsonDepthMax), {.depth = 100'000}) == "accepted");
  CHECK(fault_of(nested(kJsonDepthMax + 1), {.depth = 100'000}) ==
        "line 1, column 1001: nested too deeply");
  CHECK(fault_of(std::string(1 << 20, '[')) == "line 1, column 65: nested too deeply");
  CHECK(fault_of(R"({"a":1,"b":2})", {.keys = 2}) == "accepted");
  CHECK(fault_of(R"({"a":1,"b":2,"c":3})", {.keys = 2}) ==
        "line 1, column 14: too many names in one object");
  const auto object = [](std::size_t names) {
    std::string text = "{\"n\":0";
    for (std::size_t i = 1; i < names; ++i) text += fmt::format(",\"n{}\":0", i);
    return text + "}";
  };
  CHECK(fault_of(object(9'999)) == "accepted");
  CHECK(fault_of(object(10'000)) == "accepted");
  CHECK(fault_of(object(10'001)).ends_with("too many names in one object"));
  CHECK(fault_of("[1,2,3]", {.values = 4}) == "accepted");
  CHECK(fault_of("[1,2,3,4]", {.values = 4}) ==
        "line 1, column 8: too many values in one document");
  std::string large(kJsonBytesMax + 1, ' ');
  CHECK(fault_of(large) == "larger than 64 MiB");
  large[kJsonBytesMax - 1] = '1';
  large.pop_back();
  CHECK(fault_of(large) == "accepted");
}

TEST_CASE("a duplicate among many names is found, whatever its spelling") {
  for (const std::size_t count : {7, 8, 9, 127, 128, 129, 5000}) {
    CAPTURE(count);
    std::string text = "{";
    for (std::size_t i = 0; i < count; ++i) text += fmt::format("\"name{}\":[{{}}],", i);
    CHECK(fault_of(text + "\"other\":1}") == "accepted");
    CHECK(fault_of(text + "\"\\u006eame6\":1}").ends_with("this name stands twice in one object"));
  }
}

TEST_CASE("places count characters, not bytes") {
  CHECK(locate("ab", 0) == TextPosition{1, 1});
  CHECK(locate("ä€😀x", 9) == TextPosition{1, 4});
  CHECK(locate("a\n\nb", 3) == TextPosition{3, 1});
  CHECK(locate("a", 99) == TextPosition{1, 2});
}

// Writes the value again from what the reader says about it.
void rewrite(const Json& value, JsonWriter& out) {
  switch (value.type()) {
    case JsonType::null: out.null(); break;
    case JsonType::boolean: out.value(value.boolean()); break;
    case JsonType::number: out.raw(value.raw()); break;
    case JsonType::string: out.value(value.string()); break;
    case JsonType::array:
      out.begin_array();
      for (const Json element : value) rewrite(element, out);
      out.end_array();
      break;
    case JsonType::object:
      out.begin_object();
      for (const Json member : value) rewrite(member, out.key(member.key()));
      out.end_object();
      break;
  }
}

std::string rewritten(const JsonDocument& document) {
  JsonWriter out;
  rewrite(document.root(), out);
  return std::move(out).take();
}

TEST_CASE("what was read and written again reads the same") {
  CHECK(rc::check("read, write, read, write", [](std::uint64_t seed) {
    Rng rng(seed);
    const std::string text = testing::random_json(rng);
    const auto first = parse_json(text);
    RC_ASSERT(first.ok());
    const std::string once = rewritten(*first);
    const auto second = parse_json(once);
    RC_ASSERT(second.ok());
    RC_ASSERT(rewritten(*second) == once);
    RC_ASSERT(first->root().size() == second->root().size());
  }));
}

}  // namespace
}  // namespace weir::wire
