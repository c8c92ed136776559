// SPDX-License-Identifier: Apache-2.0
// YAML text as our own tree with the place of every node. The only door to the YAML library.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/problem.h"

namespace weir::config {

struct YamlMember;

struct YamlNode {
  enum class Kind : std::uint8_t { null, scalar, list, map } kind = Kind::null;
  std::string text;                 // scalar
  bool quoted = false;              // scalar in quotes: a string whatever it looks like
  std::vector<YamlNode> items;      // list
  std::vector<YamlMember> members;  // map, in source order
  int line = 0;                     // from 1
  int column = 0;

  const YamlNode* find(std::string_view key) const;
};

struct YamlMember {
  YamlNode key;  // a scalar
  YamlNode value;
};

struct YamlLimits {
  std::size_t bytes = 4 * 1024 * 1024;
  std::size_t depth = 40;
  std::size_t nodes = 200'000;  // aliases count each time they are used
};

// nullptr and problems if the text is no YAML or a key is no scalar. A key given twice is a problem
// in a whole tree, where the first one counts. JSON text is read as JSON (json_tree.h).
std::unique_ptr<YamlNode> parse_yaml(const std::string& file, std::string_view text,
                                     std::vector<Problem>& problems, const YamlLimits& limits = {});

// The JSON spelling of a node by the YAML 1.2 core schema: unquoted true, false, null and numbers
// keep their type.
std::string to_json(const YamlNode& node);

}  // namespace weir::config
