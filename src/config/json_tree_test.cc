// SPDX-License-Identifier: Apache-2.0
#include "config/json_tree.h"

#include <doctest/doctest.h>

namespace weir::config {
namespace {

std::string places_of(const YamlNode& node) {
  std::string text = fmt::format("{}:{}{} ", node.line, node.column, node.quoted ? "q" : "");
  for (const YamlNode& item : node.items) text += places_of(item);
  for (const auto& [name, value] : node.members) text += places_of(name) + places_of(value);
  return text;
}

TEST_CASE("every value has its place, counted in characters") {
  const auto tree = json_tree("{\n  \"ä\": [1, \"x\"],\n\"b\": null}", {});
  REQUIRE(tree != nullptr);
  CHECK(places_of(*tree) == "1:1 2:3q 2:8 2:9 2:12q 3:1q 3:6 ");
  CHECK(to_json(*tree) == R"({"ä":[1,"x"],"b":null})");
}

TEST_CASE("what YAML says of other JSON: the same tree") {
  for (const std::string_view text : {R"({"a":[1,-0.5e3,true,null,"",{}],"b":{"c":[]}})",
                                      R"(["~","null","1","true"," x"])", "7"}) {
    CAPTURE(text);
    std::vector<Problem> problems;
    const auto json = json_tree(text, {});
    const auto yaml = parse_yaml("f", "# not JSON\n" + std::string(text), problems);
    REQUIRE(json != nullptr);
    REQUIRE(yaml != nullptr);
    CHECK(to_json(*json) == to_json(*yaml));
  }
}

TEST_CASE("a character as a surrogate pair, as many JSON writers have it") {
  std::vector<Problem> problems;
  const auto tree = parse_yaml("f", R"({"reason":"\ud83d\ude00"})", problems);
  REQUIRE(tree != nullptr);
  CHECK(tree->members.at(0).value.text == "\U0001F600");
}

TEST_CASE("what is no JSON, or too much of it, is left to YAML") {
  CHECK(json_tree("a: 1", {}) == nullptr);
  CHECK(json_tree(R"({"a":1,"a":2})", {}) == nullptr);
  CHECK(json_tree("[[1]]", {.depth = 1}) == nullptr);
  CHECK(json_tree("[1,2,3]", {.nodes = 4}) == nullptr);
}

}  // namespace
}  // namespace weir::config
