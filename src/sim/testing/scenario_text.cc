// SPDX-License-Identifier: Apache-2.0
#include "sim/testing/scenario_text.h"

#include <stdexcept>

#include <fmt/format.h>

#include "sim/run.h"

namespace weir::sim::testing {

Scenario scenario_of(const std::string& text, const Surroundings& around) {
  auto outcome = read_scenario({"s.yaml", text}, around);
  if (outcome.wrong_setting) throw std::runtime_error(outcome.wrong_setting->detail);
  if (!outcome.scenario) throw std::runtime_error(config::render(outcome.problems));
  return *std::move(outcome.scenario);
}

std::string problems_of(const std::string& text, const Surroundings& around) {
  std::string lines;
  for (const config::Problem& problem : read_scenario({"s.yaml", text}, around).problems) {
    lines += fmt::format("{}:{} {}{}\n", problem.place.line, problem.place.column, problem.message,
                         problem.hint.empty() ? "" : fmt::format(" ({})", problem.hint));
  }
  return lines;
}

RunResult run_of(const std::string& text, std::uint64_t seed) {
  return run(scenario_of(text), seed);
}

}  // namespace weir::sim::testing
