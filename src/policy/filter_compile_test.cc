// SPDX-License-Identifier: Apache-2.0
#include "policy/filter_compile.h"

#include <fmt/format.h>

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

struct Row {
  std::string pattern;
  const char* detail;
  const char* hint = "";
};

void check_rows(std::span<const Row> rows) {
  for (const Row& row : rows) {
    CAPTURE(row.pattern.substr(0, 200));
    const auto filter = Filter::compile(row.pattern);
    REQUIRE_FALSE(filter.ok());
    CHECK(filter.error().code == Code::pattern_invalid);
    CHECK(filter.error().detail == row.detail);
    CHECK(filter.error().hint == row.hint);
  }
}

TEST_CASE("a pattern that is no pattern is refused with its place") {
  const Row rows[] = {
      {"", "line 1, column 1: the document ends where a value is expected"},
      {"{", "line 1, column 2: expected a name in double quotes"},
      {"{\"a\":[1],\n \"a\":[2]}", "line 2, column 2: this name stands twice in one object"},
      {"[]", "line 1, column 1: a pattern must be an object"},
      {"\"x\"", "line 1, column 1: a pattern must be an object"},
      {"null", "line 1, column 1: a pattern must be an object"},
      {"{}", "line 1, column 1: an empty object matches nothing in particular",
       "leave the field out"},
      {"{\"data\":{}}", "line 1, column 9: an empty object matches nothing in particular",
       "leave the field out"},
      {"{\"a\":\"x\"}", "line 1, column 6: the values of 'a' must be in an array", "write [\"x\"]"},
      {"{\"data\": {\n  \"é\": 1,\n  \"b\": 5\n}}",
       "line 2, column 8: the values of 'é' must be in an array", "write [1]"},
      {"{\"a\":null}", "line 1, column 6: the values of 'a' must be in an array", "write [null]"},
      {"{\"a\":[]}", "line 1, column 6: 'a' has no values"},
      {"{\"data\":{\"b\":[]}}", "line 1, column 14: 'b' has no values"},
      {"{\"a\":[[1]]}", "line 1, column 7: a value may not be an array"},
      {"{\"a\":[\"x\",[1]]}", "line 1, column 11: a value may not be an array"},
      {"{\"a\":[{}]}", "line 1, column 7: a matcher has exactly one name"},
      {"{\"a\":[{\"prefix\":\"x\",\"suffix\":\"y\"}]}",
       "line 1, column 7: a matcher has exactly one name"},
      {"{\"a\":[{\"prefx\":\"x\"}]}", "line 1, column 7: unknown matcher 'prefx'",
       "did you mean 'prefix'?"},
      {"{\"a\":[\"ok\",\n{\"anythingbut\":\"x\"}]}",
       "line 2, column 1: unknown matcher 'anythingbut'", "did you mean 'anything-but'?"},
      {"{\"a\":[{\"zzzzzzzzzz\":1}]}", "line 1, column 7: unknown matcher 'zzzzzzzzzz'",
       "known: prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr"},
      {"{\"data\":{\"$or\":[{\"a\":[1]}]}}", "line 1, column 17: unknown matcher 'a'",
       "known: prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, exists, cidr"},
      {"{\"$or\":[{\"a\":[1]},{}]}",
       "line 1, column 19: an empty object matches nothing in particular", "leave the field out"},
      {"{\"$or\":[{\"a\":[1]},{\"b\":2}]}",
       "line 1, column 24: the values of 'b' must be in an array", "write [2]"},
  };
  check_rows(rows);
}

TEST_CASE("a name that no event can have at the top level is refused") {
  const char* names = "attributes have only a-z and 0-9; fields of the payload stand in \"data\"";
  const char* fields = "its values must be in an array; fields of the payload stand in \"data\"";
  const Row rows[] = {
      {R"({"detail-type":["x"]})", "line 1, column 2: 'detail-type' is no attribute name", names},
      {R"({"id":["1"],"":["x"]})", "line 1, column 13: '' is no attribute name", names},
      {R"({"data.a":[1]})", "line 1, column 2: 'data.a' is no attribute name", names},
      {R"({"Type":["x"]})", "line 1, column 2: 'Type' is no attribute name", names},
      {R"({"detail":{"a":[1]}})", "line 1, column 2: the attribute 'detail' has no fields", fields},
      {R"({"type":{"prefix":"x"}})", "line 1, column 2: the attribute 'type' has no fields",
       fields},
      {R"({"$or":[{"id":["1"]},{"a-b":[1]}]})", "line 1, column 23: 'a-b' is no attribute name",
       names},
      {R"({"$or":["x"]})", "line 1, column 2: '$or' takes two or more patterns"},
      {R"({"$or":[{"id":["x"]}]})", "line 1, column 2: '$or' takes two or more patterns"},
      {R"({"$or":[{"prefix":"a"},{"id":["x"]}]})",
       "line 1, column 2: '$or' takes two or more patterns"},
  };
  check_rows(rows);
}

TEST_CASE("a matcher with the wrong content is refused with its place") {
  const std::string stars = R"({"a":[{"wildcard":"*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*"}]})";
  const char* anything =
      "'anything-but' takes values, prefix, suffix, wildcard or equals-ignore-case";
  const std::string but = std::string("line 1, column 23: ") + anything;
  const Row rows[] = {
      {R"({"a":[{"prefix":1}]})", "line 1, column 17: 'prefix' takes a string"},
      {R"({"a":[{"suffix":["x"]}]})", "line 1, column 17: 'suffix' takes a string"},
      {R"({"a":[{"suffix":{"prefix":"x"}}]})",
       "line 1, column 17: 'suffix' takes a string or {\"equals-ignore-case\": ...}"},
      {R"({"a":[{"prefix":{"equals-ignore-case":1}}]})",
       "line 1, column 39: 'equals-ignore-case' takes a string"},
      {R"({"a":[{"equals-ignore-case":null}]})",
       "line 1, column 29: 'equals-ignore-case' takes a string"},
      {R"({"a":[{"wildcard":true}]})", "line 1, column 19: 'wildcard' takes a string"},
      {R"({"a":[{"wildcard":"a**b"}]})", "line 1, column 19: '**' is not allowed in a wildcard",
       "one '*' matches any run of characters"},
      {R"({"a":[{"wildcard":"a\\b"}]})",
       "line 1, column 19: in a wildcard a backslash may only stand before '*' and another "
       "backslash"},
      {R"({"a":[{"wildcard":"a\\"}]})",
       "line 1, column 19: in a wildcard a backslash may only stand before '*' and another "
       "backslash"},
      {stars, "line 1, column 19: more than 16 stars in one wildcard"},
      {R"({"a":[{"exists":"true"}]})", "line 1, column 17: 'exists' takes true or false"},
      {R"({"a":[{"anything-but":[]}]})", "line 1, column 23: 'anything-but' has no values"},
      {R"({"a":[{"anything-but":{}}]})", but.c_str()},
      {R"({"a":[{"anything-but":{"numeric":["=",1]}}]})", but.c_str()},
      {R"({"a":[{"anything-but":{"prefix":"a","suffix":"b"}}]})", but.c_str()},
      {R"({"a":[{"anything-but":["x",1]}]})",
       "line 1, column 28: an 'anything-but' list holds only strings or only numbers"},
      {R"({"a":[{"anything-but":[null]}]})",
       "line 1, column 24: an 'anything-but' list holds only strings or only numbers"},
      {R"({"a":[{"anything-but":{"prefix":[]}}]})",
       "line 1, column 33: 'anything-but' has no values"},
      {R"({"a":[{"anything-but":{"prefix":["x",1]}}]})",
       "line 1, column 38: 'prefix' takes a string"},
      {R"({"a":[{"anything-but":{"wildcard":["**"]}}]})",
       "line 1, column 36: '**' is not allowed in a wildcard",
       "one '*' matches any run of characters"},
  };
  check_rows(rows);
}

TEST_CASE("a range that is no range is refused with its place") {
  const char* shape = "'numeric' takes [operator, number] or [operator, number, operator, number]";
  const std::string place = std::string("line 1, column 18: ") + shape;
  const char* op_hint = "use =, >, >=, < or <=";
  const Row rows[] = {
      {R"({"a":[{"numeric":5}]})", place.c_str()},
      {R"({"a":[{"numeric":[]}]})", place.c_str()},
      {R"({"a":[{"numeric":[">"]}]})", place.c_str()},
      {R"({"a":[{"numeric":[">",1,"<"]}]})", place.c_str()},
      {R"({"a":[{"numeric":[5,">"]}]})", "line 1, column 19: 'numeric' needs an operator here",
       op_hint},
      {R"({"a":[{"numeric":["",5]}]})", "line 1, column 19: 'numeric' needs an operator here",
       op_hint},
      {R"({"a":[{"numeric":["!=",5]}]})", "line 1, column 19: 'numeric' needs an operator here",
       op_hint},
      {R"({"a":[{"numeric":[">","5"]}]})",
       "line 1, column 23: 'numeric' needs a number between -5.0e9 and 5.0e9 here"},
      {R"({"a":[{"numeric":[">",5000000001]}]})",
       "line 1, column 23: 'numeric' needs a number between -5.0e9 and 5.0e9 here"},
      {R"({"a":[{"numeric":["=",1,"<",2]}]})",
       "line 1, column 19: a range has one lower and one upper bound"},
      {R"({"a":[{"numeric":[">",1,">=",2]}]})",
       "line 1, column 25: a range has one lower and one upper bound"},
      {R"({"a":[{"numeric":[">",5,"<",1]}]})", "line 1, column 18: this range is empty"},
      {R"({"a":[{"numeric":[">",5,"<=",5]}]})", "line 1, column 18: this range is empty"},
      {R"({"a":[{"cidr":7}]})", "line 1, column 15: 'cidr' takes a string"},
      {R"({"a":[{"cidr":"10.0.0/8"}]})", "line 1, column 15: '10.0.0/8' is no IP address range",
       "for example 10.0.0.0/24"},
      {R"({"a":[{"cidr":"10.0.0.0/33"}]})",
       "line 1, column 15: '10.0.0.0/33' has no prefix length from 0 to 32"},
      {R"({"a":[{"cidr":"10.0.0.0/"}]})",
       "line 1, column 15: '10.0.0.0/' has no prefix length from 0 to 32"},
      {R"({"a":[{"cidr":"10.0.0.0/-1"}]})",
       "line 1, column 15: '10.0.0.0/-1' has no prefix length from 0 to 32"},
      {R"({"a":[{"cidr":"::/129"}]})",
       "line 1, column 15: '::/129' has no prefix length from 0 to 128"},
      {R"({"a":[{"cidr":"::/8x"}]})",
       "line 1, column 15: '::/8x' has no prefix length from 0 to 128"},
  };
  check_rows(rows);
}

std::string repeated(std::string_view text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i) result += (i == 0 ? "" : ",") + std::string(text);
  return result;
}

TEST_CASE("a pattern's size is bounded, and the bounds themselves are allowed") {
  const auto refused = [](const std::string& pattern) {
    const auto filter = Filter::compile(pattern);
    if (filter.ok()) return std::string("accepted");
    CHECK(filter.error().code == Code::pattern_invalid);
    return filter.error().detail.substr(filter.error().detail.find(": ") + 2);
  };
  const auto values = [](int count) { return "{\"a\":[" + repeated("1", count) + "]}"; };
  CHECK(refused(values(2000)) == "accepted");
  CHECK(refused(values(2001)) == "more than 2000 values in one pattern");
  const auto listed = [](std::string_view one, int count) {
    return fmt::format(R"({{"a":[{{"anything-but":{{"wildcard":[{}]}}}}]}})", repeated(one, count));
  };
  CHECK(refused(listed(R"("*x")", 1999)) == "accepted");  // the matcher itself counts too
  CHECK(refused(listed(R"("*x")", 2000)) == "more than 2000 values in one pattern");
  const std::string but = "{\"a\":[{\"anything-but\":[" + repeated("1", 2000) + "]}]}";
  CHECK(refused(but) == "more than 2000 values in one pattern");

  const auto branches = [](int count) {
    return "\"$or\":[" + repeated(R"({"a":[1]})", count) + "]";
  };
  CHECK(refused("{" + branches(1000) + "}") == "accepted");
  CHECK(refused("{" + branches(1001) + "}") == "$or makes more than 1000 combinations");
  CHECK(refused("{" + branches(40) + ",\"data\":{" + branches(25) + "}}") == "accepted");
  CHECK(refused("{" + branches(40) + ",\"data\":{" + branches(26) + "}}") ==
        "$or makes more than 1000 combinations");
  // Of alternatives within alternatives the sum counts, not the product.
  const std::string within = "{\"$or\":[{" + branches(999) + "},{\"a\":[1]}]}";
  CHECK(refused(within) == "accepted");
  const std::string beyond = "{\"$or\":[{" + branches(999) + "},{\"a\":[1]},{\"a\":[2]}]}";
  CHECK(refused(beyond) == "$or makes more than 1000 combinations");
  // Fields beside $or that share a name with it are multiplied out, up to a bound.
  const auto shared = [&](int count, int beside) {
    std::string names;
    for (int i = 0; i < beside; ++i) names += fmt::format("{}\"f{}\":[1]", i == 0 ? "" : ",", i);
    const std::string with = repeated(R"({"data":{"a":[1]}})", count);
    return "{\"data\":{" + names + "},\"$or\":[" + with + "]}";
  };
  CHECK(refused(shared(100, 190)) == "accepted");
  CHECK(refused(shared(100, 210)) ==
        "$or beside fields of the same names makes more than 20000 fields");

  const auto padded = [](std::size_t size) {
    const std::string pattern = R"({"a":[1]})";
    return pattern + std::string(size - pattern.size(), ' ');
  };
  CHECK(refused(padded(64 * 1024)) == "accepted");
  CHECK(refused(padded(64 * 1024 + 1)) == "the pattern has more than 65536 bytes");

  const auto nested = [](int depth) {
    std::string text = "{\"data\":";
    for (int i = 1; i < depth; ++i) text += "{\"a\":";
    return text + "[1]" + std::string(static_cast<std::size_t>(depth), '}');
  };
  CHECK(refused(nested(31)) == "accepted");
  CHECK(refused(nested(32)) == "nested too deeply");
}

TEST_CASE("a damaged pattern is compiled or refused, never more") {
  const std::string whole =
      R"({"type":[{"prefix":"a"}],"$or":[{"data":{"n":[{"numeric":[">",0,"<=",5]}]}},)"
      R"({"data":{"ip":[{"cidr":"10.0.0.0/8"}]}}],"x":[{"anything-but":{"wildcard":["a*"]}},null]})";
  REQUIRE(Filter::compile(whole).ok());
  testing::holds("damage", [&](const std::vector<std::pair<unsigned, char>>& changes) {
    std::string damaged = whole;
    const std::string_view letters = "{}[]\",:*\\01.x>";
    for (const auto& [at, letter] : changes) {
      const auto pick = static_cast<unsigned char>(letter) % letters.size();
      damaged[at % damaged.size()] = letters[pick];
    }
    const auto filter = Filter::compile(damaged);
    if (!filter.ok()) {
      RC_ASSERT(filter.error().code == Code::pattern_invalid);
      RC_ASSERT(filter.error().detail.starts_with("line "));
      return;
    }
    Event event;
    event.type = "abc";
    event.data = R"({"n":3,"ip":"10.1.1.1"})";
    event.has_data = true;
    RC_ASSERT(filter->matches(event) == Filter::compile(damaged)->matches(event));
  });
}

}  // namespace
}  // namespace weir::policy
