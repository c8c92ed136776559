// SPDX-License-Identifier: Apache-2.0
#include "app/simulate_compare.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "app/config_files.h"
#include "app/simulate_problems.h"
#include "base/text.h"
#include "sim/under_policy.h"
#include "wire/json.h"

namespace weir::app {
namespace {

bool is_configuration(const std::vector<config::SourceFile>& files) {
  std::vector<config::Problem> told_later;
  const auto tree = config::parse_yaml(files[0].name, files[0].text, told_later);
  return files.size() > 1 || (tree != nullptr && tree->find("flows") != nullptr);
}

Result<sim::Scenario> read_side(const config::SourceFile& file, const SimulateFlags& flags,
                                const sim::Surroundings& around) {
  sim::ScenarioOutcome outcome = sim::read_scenario(file, around);
  if (outcome.wrong_setting) return *outcome.wrong_setting;
  if (!outcome.scenario) {
    Error wrong = wrong_scenario(flags, std::move(outcome.problems));
    wrong.detail = fmt::format("--compare {}: {}", flags.compare, wrong.detail);
    return wrong;
  }
  return std::move(*outcome.scenario);
}

}  // namespace

Result<sim::Scenario> other_side(const config::SourceFile& file, const sim::Scenario& scenario,
                                 const SimulateFlags& flags, const sim::Surroundings& around) {
  const std::string& path = flags.compare;
  WEIR_TRY(auto files, read_config_files(path));
  sim::Surroundings own = around;
  own.settings.clear();  // they are about the first side
  const bool takes_its_place = is_configuration(files);
  if (takes_its_place) {
    std::string quoted;
    wire::append_json_string(quoted, path);
    own.settings = {{"config", quoted}};
  }
  own.read = [&](const std::string& named) {
    if (takes_its_place && named == path) return read_config_files(path);
    if (takes_its_place) return around.read(named);
    return read_config_files((std::filesystem::path(path).parent_path() / named).string());
  };
  WEIR_TRY(const sim::Scenario other, read_side(takes_its_place ? file : files[0], flags, own));
  WEIR_TRY(sim::Scenario changed, sim::under_policy(scenario, other));
  // Two sides with one name could not be told apart.
  if (changed.policy == scenario.policy) {
    changed.policy = changed.policy == path ? fmt::format("{}, compared", path)
                                            : fmt::format("{} of {}", changed.policy, path);
  }
  return changed;
}

}  // namespace weir::app
