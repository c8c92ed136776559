// SPDX-License-Identifier: Apache-2.0
// A scenario and one setting of it: it is read, or every problem has a place; never both, and twice
// the same.
#include "input.h"
#include "sim/read_scenario.h"
#include "sim/scenario_sections.h"
#include "sim/settings.h"

WEIR_FUZZ_TARGET(text) {
  if (text.size() > 64 * 1024) return;
  using namespace weir;
  const auto line = text.find('\n');
  sim::Surroundings around;
  around.read = [](const std::string&) -> Result<std::vector<config::SourceFile>> {
    return Error{Code::config_unreadable, "there are no files here", ""};
  };
  if (line != text.npos) {
    const auto setting = sim::parse_setting(text.substr(0, line));
    if (setting.ok()) around.settings.push_back(*setting);
    text.remove_prefix(line + 1);
  }
  const config::SourceFile file{"s.yaml", std::string(text)};
  const auto once = sim::read_scenario(file, around);
  const auto twice = sim::read_scenario(file, around);
  const bool refused = !once.problems.empty() || once.wrong_setting.has_value();
  WEIR_ASSERT(once.scenario.has_value() != refused);
  WEIR_ASSERT(config::render(once.problems) == config::render(twice.problems));
  for (const config::Problem& problem : once.problems) WEIR_ASSERT(!problem.message.empty());
}
