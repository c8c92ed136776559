// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "config/extends.h"
#include "sim/scenario_sections.h"

namespace weir::sim {

using config::MapReader;
using config::YamlNode;

std::vector<std::string> Policies::names() const {
  std::vector<std::string> names;
  for (const auto& [name, policy] : named) names.push_back(name);
  return names;
}

config::PolicySpec Policies::chosen(MapReader& map) const {
  const YamlNode* node = map.take("policy");
  if (node == nullptr) return fallback;
  if (node->kind == YamlNode::Kind::map) {
    MapReader own(map.report(), map.file(), *node, fmt::format("'policy' of {}", map.what()));
    return config::read_policy(own);
  }
  const auto found = named.find(node->text);
  if (node->kind == YamlNode::Kind::scalar && found != named.end()) return found->second;
  map.problem("policy", fmt::format("unknown policy '{}'", node->text),
              did_you_mean(node->text, names()));
  return fallback;
}

Policies read_policies(MapReader& top) {
  Policies policies;
  if (const auto map = top.map("policies")) {
    std::vector<const config::YamlMember*> members;
    for (const config::YamlMember& member : map->node().members) members.push_back(&member);
    for (auto& policy : config::follow_extends(top.report(), top.file(), members)) {
      MapReader own(top.report(), top.file(), *policy.node,
                    fmt::format("policy '{}'", policy.name));
      policies.named.insert_or_assign(policy.name, config::read_policy(own));
      if (policy.merged) policies.merged.push_back(std::move(policy.merged));
    }
  }
  policies.fallback = policies.chosen(top);
  return policies;
}

}  // namespace weir::sim
