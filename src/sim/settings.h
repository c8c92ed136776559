// SPDX-License-Identifier: Apache-2.0
// `--set policies.careful.retry.maxAttempts=3`: one value of a YAML tree replaced by its path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/yaml_tree.h"

namespace weir::sim {

struct Setting {
  std::string path;   // names joined by dots
  std::string value;  // YAML
};

// "path=value". Error: usage.
Result<Setting> parse_setting(std::string_view text);

// Maps on the way that are missing are made. What it puts there stands at `line`, which no file
// has. Error: usage, if something on the way is no map or the value is no YAML.
Result<> apply(const Setting& setting, config::YamlNode& root, int line = 0);

}  // namespace weir::sim
