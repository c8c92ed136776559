// SPDX-License-Identifier: Apache-2.0
#include "app/selection_flags.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

namespace weir::app {
namespace {

std::string body(const SelectionFlags& flags) {
  wire::JsonWriter json;
  json.begin_object();
  write_selection(json, flags);
  json.end_object();
  return std::move(json).take();
}

TEST_CASE("a selection has the members that were given, and no others") {
  CHECK(body({}) == "{}");
  CHECK(body({.group = "9ad1",
              .failure = "permanent",
              .where = R"({"type":["a"]})",
              .ids = {"github#1", "x\"y"}}) ==
        R"({"group":"9ad1","class":"permanent","where":{"type":["a"]},"ids":["github#1","x\"y"]})");
  CHECK(body({.flow = "sync", .since = "15m", .until = "5m"}) ==
        R"({"flow":"sync","since":"15m","until":"5m"})");
}

TEST_CASE("what is bulk and what is one event") {
  CHECK(SelectionFlags{}.empty());
  CHECK_FALSE(SelectionFlags{.until = "5m"}.empty());
  CHECK_FALSE(SelectionFlags{}.is_single());
  CHECK(SelectionFlags{.ids = {"a"}}.is_single());
  CHECK_FALSE(SelectionFlags{.ids = {"a", "b"}}.is_single());
  CHECK_FALSE(SelectionFlags{.group = "9ad1"}.is_single());
}

TEST_CASE("--where is checked before anything is sent") {
  SelectionFlags good{.where = R"({"type":["a"]})"};
  CHECK(resolve_where(good).ok());
  SelectionFlags bad{.where = "{type: a}"};
  const auto refused = resolve_where(bad);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().detail.starts_with("--where: line 1, column 2"));
}

TEST_CASE("--where @FILE reads a file, and only a small one") {
  const std::string path =
      (std::filesystem::temp_directory_path() / "weir_selection_flags_test.json").string();
  std::ofstream(path) << R"({"source":["/shop"]})";
  SelectionFlags flags{.where = "@" + path};
  REQUIRE(resolve_where(flags).ok());
  CHECK(flags.where == R"({"source":["/shop"]})");
  std::ofstream(path) << '"' << std::string(70'000, 'x') << '"';
  SelectionFlags large{.where = "@" + path};
  CHECK_FALSE(resolve_where(large).ok());
  std::filesystem::remove(path);
  SelectionFlags missing{.where = "@" + path};
  const auto refused = resolve_where(missing);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Code::usage);
}

}  // namespace
}  // namespace weir::app
