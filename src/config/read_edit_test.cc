// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

constexpr std::string_view kBeforeEdit = R"(version: 1
data: x
streams: { s: {} }
dependencies: { d: { url: "http://127.0.0.1:1" } }
flows:
  f:
    from: { stream: s }
    to: { http: { dependency: d } }
)";

TEST_CASE("edits are off unless a flow says so") {
  const auto edit_of = [](const std::string& line) {
    const LoadOutcome loaded = load({{"w.yaml", std::string(kBeforeEdit) + line}},
                                    testing::no_secrets);
    CHECK(testing::listed(loaded.problems) == "");
    REQUIRE(loaded.config);
    return loaded.config->flows[0].edit;
  };
  CHECK(edit_of("") == EditSpec{});
  CHECK_FALSE(edit_of("").allowed);
  CHECK_FALSE(edit_of("    edit: { locked: [/id] }\n").allowed);
  const EditSpec wanted{
      .allowed = true, .locked = {"/id", "/items/*/sku"}, .attributes = {"subject"}};
  CHECK(edit_of("    edit: { allow: true, locked: [/id, /items/*/sku], attributes: subject }\n") ==
        wanted);
}

TEST_CASE("what cannot be locked or edited is refused with its place") {
  const testing::FaultRow rows[] = {
      {"    edit: { alow: true }\n",
       "9:13: unknown setting 'alow' in 'edit' of flow 'f' | did you mean 'allow'?"},
      {"    edit: { locked: [id] }\n",
       "9:21: 'id' is no JSON pointer: it starts with '/' | did you mean '/id'?"},
      {"    edit: { attributes: [type] }\n",
       "9:25: 'type' cannot be edited | it says which event this is, or Weir reckons with it"},
      {"    edit: { attributes: [Subject] }\n",
       "9:25: 'Subject' is no attribute name | attributes have only a-z and 0-9, for example "
       "subject; members of the data may be changed unless they are locked"},
  };
  testing::check_rows(kBeforeEdit, rows);
}

}  // namespace
}  // namespace weir::config
