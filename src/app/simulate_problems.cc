// SPDX-License-Identifier: Apache-2.0
#include "app/simulate_problems.h"

#include <fmt/format.h>

#include "base/text.h"

namespace weir::app {
namespace {

// The user wrote options, and not the lines that they became.
void name_option(const SimulateFlags& flags, config::Problem& problem) {
  const bool is_set_by_config = problem.place.file.starts_with("--set config=");
  if (is_set_by_config && !flags.config.empty()) problem.place.file = "--config " + flags.config;
  if (problem.place.file != kMadeScenario) return;
  const int outage = problem.place.line - kMadeOutagesFrom;
  const bool is_outage = outage >= 0 && static_cast<std::size_t>(outage) < flags.outages.size();
  problem.place.line = 0;
  problem.place.file = is_outage ? "--outage " + flags.outages[static_cast<std::size_t>(outage)]
                                 : "--config " + flags.config;
}

}  // namespace

Error wrong_scenario(const SimulateFlags& flags, std::vector<config::Problem> problems) {
  std::string text = fmt::format("{} problem{}", problems.size(), problems.size() == 1 ? "" : "s");
  for (config::Problem& problem : problems) {
    name_option(flags, problem);
    text += '\n';
    if (problem.place.line > 0) {
      text += config::render({problem});
      text.pop_back();
      continue;
    }
    text += fmt::format("{}: {}: {}", problem.place.file, config::label(problem), problem.message);
    if (!problem.hint.empty()) text += fmt::format("\nhint: {}", problem.hint);
  }
  return {Code::config_invalid, std::move(text), ""};
}

}  // namespace weir::app
