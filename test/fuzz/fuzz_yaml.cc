// SPDX-License-Identifier: Apache-2.0
// YAML as a tree: every place lies within the text, what is read can be written as JSON, and the
// JSON is read back as the same tree. A JSON document is YAML with the same meaning, and so is what
// `-o yaml` prints of it.
#include <string>

#include "app/json_text.h"
#include "base/assert.h"
#include "config/yaml_tree.h"
#include "input.h"
#include "policy/json_diff.h"
#include "wire/json.h"

namespace {

using namespace weir;

constexpr config::YamlLimits kLimits{.bytes = 64 * 1024, .depth = 40, .nodes = 5'000};

std::unique_ptr<config::YamlNode> read(std::string_view text) {
  std::vector<config::Problem> problems;
  auto tree = config::parse_yaml("f", text, problems, kLimits);
  const auto lines = std::ranges::count(text, '\n') + std::ranges::count(text, '\r') + 1;
  for (const config::Problem& problem : problems)
    WEIR_ASSERT(!problem.message.empty() && problem.place.line <= lines);
  WEIR_ASSERT(tree != nullptr || !problems.empty());
  return problems.empty() ? std::move(tree) : nullptr;
}

void check_yaml_of(const wire::JsonDocument& document, std::string_view yaml) {
  const auto tree = read(yaml);
  WEIR_ASSERT(tree != nullptr);
  const std::string json = config::to_json(*tree);
  const auto again = wire::parse_json(json);
  WEIR_ASSERT(again.ok() && policy::same_json(document.root(), again->root()));
}

}  // namespace

WEIR_FUZZ_TARGET(text) {
  if (const auto tree = read(text)) {
    const std::string json = config::to_json(*tree);
    const auto document = wire::parse_json(json, {.depth = 64});
    WEIR_ASSERT(document.ok());
    const auto again = read(json);
    WEIR_ASSERT(again != nullptr && config::to_json(*again) == json);
  }
  const auto document = wire::parse_json(text, {.depth = 30, .values = 1'000});
  if (!document.ok()) return;
  check_yaml_of(*document, text);
  check_yaml_of(*document, app::to_yaml(document->root()));
}
