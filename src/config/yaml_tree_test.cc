// SPDX-License-Identifier: Apache-2.0
#include "config/yaml_tree.h"

#include <doctest/doctest.h>

namespace weir::config {
namespace {

std::string fault(const std::string& text, const YamlLimits& limits = {}) {
  std::vector<Problem> problems;
  const auto tree = parse_yaml("f", text, problems, limits);
  CHECK((tree == nullptr) == !problems.empty());
  return problems.empty() ? "accepted" : problems.front().message;
}

TEST_CASE("every node has its place, also an empty one") {
  std::vector<Problem> problems;
  const auto tree = parse_yaml("f", "a: 1\nb:\n  - x\n  - 'y'\nc: { d: }\n", problems);
  REQUIRE(tree != nullptr);
  REQUIRE(tree->kind == YamlNode::Kind::map);
  REQUIRE(tree->members.size() == 3);
  const YamlNode* list = tree->find("b");
  REQUIRE(list != nullptr);
  REQUIRE(list->items.size() == 2);
  CHECK(list->items[1].text == "y");
  CHECK(list->items[1].quoted);
  CHECK_FALSE(list->items[0].quoted);
  CHECK(list->items[1].line == 4);
  CHECK(list->items[1].column == 5);
  const YamlNode* empty = tree->find("c")->find("d");
  REQUIRE(empty != nullptr);
  CHECK(empty->kind == YamlNode::Kind::null);
  CHECK(empty->line == 5);
  CHECK(tree->find("nosuch") == nullptr);
}

TEST_CASE("a key given twice is a problem, and the tree is whole") {
  std::vector<Problem> problems;
  const auto tree = parse_yaml("f", "a: { k: 1, k: 2 }\nb: 3\n", problems);
  REQUIRE(tree != nullptr);
  CHECK(to_json(*tree) == R"({"a":{"k":1},"b":3})");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].place == Place{"f", 1, 12});
  CHECK(problems[0].message == "'k' is given twice, first in line 1");
}

TEST_CASE("anchors and aliases are expanded") {
  std::vector<Problem> problems;
  const auto tree = parse_yaml("f", "a: &x { k: [1] }\nb: *x\n", problems);
  REQUIRE(tree != nullptr);
  CHECK(to_json(*tree) == R"({"a":{"k":[1]},"b":{"k":[1]}})");
}

TEST_CASE("size, depth and number of values are bounded") {
  CHECK(fault("abcd", {.bytes = 4}) == "accepted");
  CHECK(fault("abcde", {.bytes = 4}) == "the file has more than 4 bytes");
  CHECK(fault("[[[x]]]", {.depth = 3}) == "accepted");
  CHECK(fault("[[[[x]]]]", {.depth = 3}) == "nested deeper than 3 levels");
  CHECK(fault("[1, 2]", {.nodes = 3}) == "accepted");
  CHECK(fault("[1, 2, 3]", {.nodes = 3}) == "more than 3 values, aliases included");
  CHECK(fault(std::string(100'000, '[')) != "accepted");
  std::string flow(50'000, '[');
  flow += std::string(50'000, ']');
  CHECK(fault(flow) != "accepted");
}

TEST_CASE("text after the document is refused, whatever it is") {
  CHECK(fault("a: 1\n---\nb: 2\n") == "only one document per file");
  CHECK(fault("---\na: 1\n...\n") == "accepted");
  CHECK(fault(",a: 1") == "not valid YAML: this cannot stand here");
  CHECK(fault("[a] b") == "not valid YAML: this cannot stand here");
  CHECK(fault("[a] ]") == "not valid YAML: illegal flow end");
}

TEST_CASE("text that looks like UTF-16 has places in itself only") {
  using namespace std::string_literals;
  const std::string text = "'\0pt\0l{ } }]\n    to: { http: { path: /sync } }\n  pic\0 gb'\0{}"s;
  CHECK(fault(text) != "accepted");
}

TEST_CASE("aliases cannot blow a small file up") {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j == 0 ? "" : ", ") + last;
    text += "]\n";
  }
  CHECK(fault(text) == "more than 200000 values, aliases included");
  CHECK(fault("a: &a [*a]\n") == "an alias refers to what it is part of");
  CHECK(fault("a: &a { b: { c: *a } }\n") == "an alias refers to what it is part of");
}

TEST_CASE("bytes that are no text are refused or kept, never more") {
  CHECK(fault(std::string("\0\0\0\0", 4)) != "");
  CHECK(fault("\xFF\xFE") == "not valid UTF-8");
  CHECK(fault("a: \"\xC3\"") == "not valid UTF-8");  // fuzz corpus replay-plan/not-utf8
  CHECK(fault("\xEF\xBB\xBF"
              "a: 1") == "accepted");  // a byte order mark is YAML
}

}  // namespace
}  // namespace weir::config
