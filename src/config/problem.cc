// SPDX-License-Identifier: Apache-2.0
#include "config/problem.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::config {

std::string render(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += fmt::format("{}:{}:{}: error[{}]: {}\n", problem.place.file, problem.place.line,
                        problem.place.column, describe(problem.code).id,
                        printable(problem.message));
    if (!problem.excerpt.empty()) {
      text += fmt::format("  {}\n  {:>{}}\n", printable(problem.excerpt), "^",
                          std::max(1, problem.place.column));
    }
    if (!problem.hint.empty()) text += fmt::format("hint: {}\n", problem.hint);
  }
  return text;
}

}  // namespace weir::config
