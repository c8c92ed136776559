// SPDX-License-Identifier: Apache-2.0
// The configuration: YAML text to a validated Config, or every problem with its place.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/problem.h"
#include "model/config_model.h"

namespace weir::config {

struct SourceFile {
  std::string name;  // as shown in problems
  std::string text;
};

// Resolves ${env:NAME} (kind "env") and ${file:/path} (kind "file"): the caller owns environment
// and disk. Error if it is missing.
using SecretResolver =
    std::function<Result<std::string>(std::string_view kind, std::string_view name)>;

struct LoadOutcome {
  std::optional<Config> config;   // only if there is no problem
  std::optional<Config> refused;  // well formed, but its worst case breaks bounds.enforce: reject
  std::vector<Problem> problems;
  std::vector<Problem> warnings;  // of policy/bound_lints.h, if there is no other problem
};

// Several files are one configuration: maps are merged, and a name defined twice is a problem that
// names both places.
// By place, each once, with its line of the source.
void put_in_order(std::vector<Problem>& problems, const std::vector<SourceFile>& files);

LoadOutcome load(const std::vector<SourceFile>& files, const SecretResolver& secrets);

}  // namespace weir::config
