// SPDX-License-Identifier: Apache-2.0
#include "config/version.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir::config {
namespace {

std::string diff(const std::string& before, const std::string& after) {
  return diff_lines({{"w.yaml", before}}, {{"w.yaml", after}});
}

// What a reader who follows the diff from the text before arrives at. Needs diffs that show all.
std::string applied(const std::string& text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find('\n', at);
    if (text[at] == ' ' || text[at] == '+') out += text.substr(at + 1, end - at);
    at = end + 1;
  }
  return out;
}

}  // namespace

TEST_CASE("a version is read as it was written") {
  const Version version{3,           from_micros(17),
                        "local:ana", "lower\nthe rate",
                        2,           {{"a.yaml", "version: 1\n\"x\"\n"}, {"b.yaml", ""}}};
  const auto read = decode_version(encode(version));
  REQUIRE(read);
  CHECK(read->number == 3);
  CHECK(read->at == from_micros(17));
  CHECK(read->actor == "local:ana");
  CHECK(read->reason == "lower\nthe rate");
  CHECK(read->rolled_back_to == 2);
  REQUIRE(read->files.size() == 2);
  CHECK(read->files[0].name == "a.yaml");
  CHECK(read->files[0].text == "version: 1\n\"x\"\n");
}

TEST_CASE("what is no version is not read as one") {
  for (const std::string_view text :
       {"", "{}", "[1]", R"({"number":1})", R"({"number":0,"files":[]})"})
    CHECK_FALSE(decode_version(text));
}

TEST_CASE("a diff shows what changed, where, and a little around it") {
  CHECK(diff("a\nb\n", "a\nb\n").empty());
  CHECK(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\nsix\n7\n8\n9\n") ==
        "@@ w.yaml:3\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n");
  CHECK(diff("", "a\n") == "@@ w.yaml:1\n+a\n");
  CHECK(diff("x\n1\n2\n3\n4\n5\n6\n7\n8\ny\n", "1\n2\n3\n4\n5\n6\n7\n8\nz\n") ==
        "@@ w.yaml:1\n-x\n 1\n 2\n 3\n@@ w.yaml:6\n 6\n 7\n 8\n-y\n+z\n");
}

TEST_CASE("files that came and went are told with their names") {
  CHECK(diff_lines({{"a.yaml", "1\n"}}, {{"b.yaml", "1\n"}}) ==
        "@@ a.yaml:1\n-1\n@@ b.yaml:1\n+1\n");
}

TEST_CASE("texts too large to compare line by line are told as one block") {
  std::string before, after;
  for (int i = 0; i < 3000; ++i) {
    before += "a" + std::to_string(i) + "\n";
    after += "b" + std::to_string(i) + "\n";
  }
  const std::string text = diff(before, after);
  CHECK(std::ranges::count(text, '\n') == 6001);
  CHECK(applied(text) == after);
}

// Fuzz corpus stored-texts/minus.
TEST_CASE("a version that could not have been written is none") {
  const std::string text = encode({.number = 3, .actor = "anna", .reason = "r", .files = {}});
  CHECK(decode_version(text));
  std::string negative = text;
  negative.insert(negative.find(":3") + 1, "-");
  CHECK_FALSE(decode_version(negative));
}

TEST_CASE("whoever follows the diff arrives at the text after") {
  CHECK(rc::check("diff_lines", [] {
    const auto lines = rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("a", "b", "c", "d"));
    std::string before, after;
    for (const std::string& line : *rc::gen::resize(12, lines)) before += line + "\n";
    for (const std::string& line : *rc::gen::resize(12, lines)) after += line + "\n";
    const std::string text = diff(before, after);
    const bool shows_all = text.find('@') == text.rfind('@') - 1 &&
                           text.starts_with("@@ w.yaml:1\n");
    if (before == after) RC_ASSERT(text.empty());
    if (before != after && shows_all) RC_ASSERT(after.starts_with(applied(text)));
  }));
}

}  // namespace weir::config
