// SPDX-License-Identifier: Apache-2.0
// What policy/bound_lints.h finds in a configuration, with the lines where it stands.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/problem.h"
#include "config/yaml_tree.h"
#include "model/config_model.h"

namespace weir::config {

// Where one flow, dependency or policy was written, and which policy it names.
struct Written {
  std::string file;
  const YamlNode* node = nullptr;
  std::string policy;  // empty = the defaults
};

struct WrittenPlaces {
  std::map<std::string, Written> flows;
  std::map<std::string, Written> dependencies;
  std::map<std::string, Written> policies;
};

// Findings of a policy with bounds.enforce: reject become errors, all others warnings.
void check_bounds(const Config& config, const WrittenPlaces& written, std::vector<Problem>& errors,
                  std::vector<Problem>& warnings);

}  // namespace weir::config
