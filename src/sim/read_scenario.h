// SPDX-License-Identifier: Apache-2.0
// A scenario from YAML, or everything that is wrong with it, each with its place.
// docs/guide/simulate.md describes the format.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/load.h"
#include "sim/scenario.h"
#include "sim/settings.h"

namespace weir::sim {

// What a scenario can name beside itself, and what the command line says about it.
struct Surroundings {
  // The files of a configuration, or the one with recorded arrivals; disk is the caller's.
  std::function<Result<std::vector<config::SourceFile>>(const std::string& path)> read;
  std::vector<Setting> settings;  // of the scenario, or of the configuration that it takes
  // Of a running Weir, by stream: they take the place of the load of its flows.
  std::map<std::string, std::vector<Duration>> recorded;
};

struct ScenarioOutcome {
  std::optional<Scenario> scenario;  // only if there is no problem
  std::vector<config::Problem> problems;
  // Of which a setting is to blame: no place in a file tells where it stands.
  std::optional<Error> wrong_setting;
};

ScenarioOutcome read_scenario(const config::SourceFile& file, const Surroundings& around);

}  // namespace weir::sim
