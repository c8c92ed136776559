// SPDX-License-Identifier: Apache-2.0
#include "config/problem.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::config {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

// Under the place in the line as it is printed, where a control character takes more room.
std::size_t caret_column(const Problem& problem) {
  const std::string_view line = problem.excerpt;
  std::size_t bytes = 0;
  for (int left = problem.place.column; bytes < line.size(); ++bytes) {
    if (starts_character(line[bytes]) && --left <= 0) break;
  }
  const std::string before = printable(line.substr(0, bytes));
  return static_cast<std::size_t>(std::ranges::count_if(before, starts_character)) + 1;
}

}  // namespace

std::string label(const Problem& problem) {
  if (problem.severity == Severity::warning)
    return problem.lint.empty() ? "warning" : fmt::format("warning[{}]", problem.lint);
  return fmt::format("error[{}{}{}]", describe(problem.code).id, problem.lint.empty() ? "" : ", ",
                     problem.lint);
}

std::string render(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += fmt::format("{}:{}:{}: {}: {}\n", problem.place.file, problem.place.line,
                        problem.place.column, label(problem), printable(problem.message));
    if (!problem.excerpt.empty()) {
      text += fmt::format("  {}\n  {:>{}}\n", printable(problem.excerpt), "^",
                          caret_column(problem));
    }
    if (!problem.hint.empty()) text += fmt::format("hint: {}\n", printable(problem.hint));
  }
  return text;
}

}  // namespace weir::config
