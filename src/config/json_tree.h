// SPDX-License-Identifier: Apache-2.0
// JSON text as the tree that YAML text becomes. JSON is YAML 1.2, but the YAML library refuses what
// half the JSON writers make of a character beyond U+FFFF: a surrogate pair, "\ud83d\ude00".
#pragma once

#include <memory>
#include <string_view>

#include "config/yaml_tree.h"

namespace weir::config {

// nullptr for what is no JSON or above the limits: the YAML library says what is wrong with it.
std::unique_ptr<YamlNode> json_tree(std::string_view text, const YamlLimits& limits);

}  // namespace weir::config
