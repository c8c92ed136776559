// SPDX-License-Identifier: Apache-2.0
#include "config/testing/fault_rows.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::config::testing {

Result<std::string> no_secrets(std::string_view kind, std::string_view name) {
  return Error{Code::secret_missing, fmt::format("{} '{}' is not set", kind, name), ""};
}

std::string listed(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    if (problem.place.file != "w.yaml") text += problem.place.file + ":";
    text += fmt::format("{}:{}", problem.place.line, problem.place.column);
    if (problem.code != Code::config_invalid) text += fmt::format(" {}", describe(problem.code).id);
    text += ": " + problem.message;
    if (!problem.hint.empty()) text += " | " + problem.hint;
  }
  return text;
}

void check_rows(std::string_view before, std::span<const FaultRow> rows) {
  for (const FaultRow& row : rows) {
    CAPTURE(std::string(row.text));
    const LoadOutcome outcome = load({{"w.yaml", std::string(before) + row.text}}, no_secrets);
    CHECK_FALSE(outcome.config.has_value());
    CHECK(listed(outcome.problems) == std::string(row.problems));
  }
}

}  // namespace weir::config::testing
