// SPDX-License-Identifier: Apache-2.0
// Reads configuration files, the environment and secret files for config/load.h.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/load.h"
#include "telemetry/log.h"

namespace weir::app {

// A file, or every *.yaml and *.yml of a folder in name order. Error: config_unreadable.
Result<std::vector<config::SourceFile>> read_config_files(const std::string& path);

// ${env:NAME} and ${file:/path}. Errors name the variable or the file, never the value.
Result<std::string> resolve_secret(std::string_view kind, std::string_view name);

// config::load() with the environment and secret files of this machine. A warning more for every
// secret file that others than its owner may read; no error, since mounted secrets often are.
config::LoadOutcome load_with_secrets(const std::vector<config::SourceFile>& files);

struct LoadedConfig {
  Config config;
  std::vector<config::SourceFile> files;
  std::vector<config::Problem> warnings;
};

// Loads and validates, or an Error whose detail has every problem with its place.
Result<LoadedConfig> load_config(const std::string& path);
Result<LoadedConfig> load_config(std::vector<config::SourceFile> files);
// One line per warning, event config.warning.
void log_warnings(telemetry::Log& log, WallTime now, const std::vector<config::Problem>& warnings);

}  // namespace weir::app
