// SPDX-License-Identifier: Apache-2.0
// Reads configuration files, the environment and secret files for config/load.h.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/load.h"

namespace weir::app {

// A file, or every *.yaml and *.yml of a folder in name order. Error: config_unreadable.
Result<std::vector<config::SourceFile>> read_config_files(const std::string& path);

// ${env:NAME} and ${file:/path}. Errors name the variable or the file, never the value.
Result<std::string> resolve_secret(std::string_view kind, std::string_view name);

// Loads and validates, or an Error whose detail has every problem with its place.
Result<Config> load_config(const std::string& path);

}  // namespace weir::app
