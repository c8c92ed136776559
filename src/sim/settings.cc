// SPDX-License-Identifier: Apache-2.0
#include "sim/settings.h"

#include <algorithm>

#include <fmt/format.h>

namespace weir::sim {
namespace {

using config::YamlMember;
using config::YamlNode;

// Its member, made if it is missing.
YamlNode& member(YamlNode& map, std::string_view name, int line) {
  map.kind = YamlNode::Kind::map;
  for (YamlMember& one : map.members) {
    if (one.key.text == name) return one.value;
  }
  YamlMember made;
  made.key = {.kind = YamlNode::Kind::scalar, .text = std::string(name)};
  made.key.line = made.value.line = line;
  map.members.push_back(std::move(made));
  return map.members.back().value;
}

void place(YamlNode& node, int line) {
  node.line = line;
  node.column = 0;
  for (YamlNode& item : node.items) place(item, line);
  for (YamlMember& one : node.members) {
    place(one.key, line);
    place(one.value, line);
  }
}

Error usage(std::string detail) {
  return {Code::usage, std::move(detail), "for example --set policies.careful.retry.maxAttempts=3"};
}

}  // namespace

Result<Setting> parse_setting(std::string_view text) {
  const auto equals = text.find('=');
  const std::string_view path = text.substr(0, equals);
  const bool empty_name = path.empty() || path.starts_with('.') || path.ends_with('.') ||
                          path.contains("..");
  if (equals == text.npos || empty_name) return usage(fmt::format("'{}' is no path=value", text));
  return Setting{std::string(path), std::string(text.substr(equals + 1))};
}

Result<> apply(const Setting& setting, YamlNode& root, int line) {
  std::vector<config::Problem> problems;
  auto value = config::parse_yaml("--set", setting.value, problems);
  if (!value) {
    return usage(fmt::format("the value of --set {} is wrong: {}", setting.path,
                             problems.empty() ? "not YAML" : problems.front().message));
  }
  YamlNode* at = &root;
  std::string_view rest = setting.path;
  while (!rest.empty()) {
    if (at->kind != YamlNode::Kind::map && at->kind != YamlNode::Kind::null) {
      return usage(fmt::format("--set {}: what comes before '{}' is no map", setting.path, rest));
    }
    const auto dot = std::min(rest.find('.'), rest.size());
    at = &member(*at, rest.substr(0, dot), line);
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  *at = std::move(*value);
  place(*at, line);
  return {};
}

}  // namespace weir::sim
