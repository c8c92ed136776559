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
  std::function<Result<std::vector<config::SourceFile>>(const std::string& path)> read =
      [](const std::string& path) {
        return Result<std::vector<config::SourceFile>>(
            Error{Code::config_unreadable, "'" + path + "' cannot be read from here", ""});
      };
  std::vector<Setting> settings;  // of the scenario, or of the configuration that it takes
  // Of a running Weir, by stream: they take the place of the load of its flows.
  std::map<std::string, std::vector<Duration>> recorded;
};

struct ScenarioOutcome {
  std::optional<Scenario> scenario;       // only if there is no problem
  std::vector<config::Problem> problems;  // line 0: of the setting that the place names as its file
  // Of which a setting is to blame: no place in a file tells where it stands.
  std::optional<Error> wrong_setting;
};

ScenarioOutcome read_scenario(const config::SourceFile& file, const Surroundings& around);

}  // namespace weir::sim
