// SPDX-License-Identifier: Apache-2.0
#include "policy/contrast.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::policy {
namespace {

Event with_data(std::string_view data) {
  return Event{.id = "1", .source = "/s", .type = "t", .data = data, .has_data = true};
}

const Trait* find_trait(const std::vector<Trait>& traits, std::string_view path) {
  for (const Trait& trait : traits) {
    if (trait.path == path) return &trait;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("what the failed ones share and the passed ones do not is told, the most telling first") {
  Contrast contrast;
  for (int i = 0; i < 40; ++i) {
    const std::string failed = fmt::format(R"({{"repo":{{"id":7}},"n":{},"plan":"free"}})", i);
    const std::string passed = fmt::format(
        R"({{"repo":{{"id":{}}},"n":{},"plan":"{}","org":{{"id":1}}}})", i % 10, i,
        i % 2 == 0 ? "free" : "paid");
    contrast.add_failed(with_data(failed));
    contrast.add_passed(with_data(passed));
  }
  const auto traits = contrast.traits(10);
  REQUIRE(traits.size() == 3);
  CHECK(traits[0] == Trait{"data.org", "", true, 1, 0});
  CHECK(traits[1] == Trait{"data.repo.id", "7", false, 1, 0.1});
  CHECK(traits[2] == Trait{"data.plan", "\"free\"", false, 1, 0.5});
  CHECK(find_trait(traits, "type") == nullptr);  // all have it
  CHECK(find_trait(traits, "data.n") == nullptr);
  CHECK(contrast.traits(1).size() == 1);
}

TEST_CASE("without anything that passed, all that is shared is told") {
  Contrast contrast;
  CHECK(contrast.traits(10).empty());
  for (int i = 0; i < 2; ++i) contrast.add_failed(with_data(R"({"a":true})"));
  const auto traits = contrast.traits(10);
  CHECK(find_trait(traits, "type") != nullptr);
  CHECK(find_trait(traits, "data.a")->value == "true");
  CHECK(Contrast().traits(10).empty());
}

TEST_CASE("an event has a bounded number of fields, of bounded size and depth") {
  std::string wide = "{";
  for (int i = 0; i < 2 * static_cast<int>(kPathsMax); ++i)
    wide += fmt::format("{}\"m{}\":1", i == 0 ? "" : ",", i);
  wide += "}";
  CHECK(fields_of(with_data(wide)).size() == kPathsMax);
  const std::string text = fmt::format(R"({{"t":"{}","deep":{{"a":{{"b":{{"c":{{"d":1}}}}}}}}}})",
                                       std::string(1000, 'x'));
  for (const Field& field : fields_of(with_data(text))) {
    CHECK(field.value.size() <= kValueMax);
    CHECK(field.path != "data.deep.a.b.c.d");
  }
  const auto paths = fields_of(with_data(fmt::format(R"({{"large":{},"after":1}})", wide)));
  CHECK(std::ranges::count(paths, "data.after", &Field::path) == 1);
  CHECK(fields_of(with_data("{broken")).size() == 2);  // type and source
  CHECK(fields_of(with_data(R"({"list":[1,2]})")).back().path == "data.list.length");
  CHECK(fields_of(with_data("[1,2,3]")).back().path == "data.length");
  CHECK(fields_of(with_data("17")).back().path == "data");
}

TEST_CASE("different values beyond the bound are not counted") {
  Contrast contrast;
  for (std::size_t i = 0; i < Contrast::kFieldsMax + 100; ++i)
    contrast.add_passed(with_data(fmt::format(R"({{"n":{}}})", i)));
  contrast.add_failed(with_data(R"({"late":1})"));
  CHECK(find_trait(contrast.traits(100), "data.late") == nullptr);
}

}  // namespace weir::policy
