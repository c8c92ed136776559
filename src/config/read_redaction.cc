// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/sections.h"
#include "policy/redaction.h"

namespace weir::config {
namespace {

constexpr std::initializer_list<std::string_view> kKinds = {"pointer", "member", "attribute"};
constexpr std::size_t kNameMax = 1024;  // bytes

void check_pointer(MapReader& map, const std::string& text) {
  const auto pointer = policy::parse_pointer(text);
  if (!pointer.ok()) map.problem("pointer", pointer.error().detail, pointer.error().hint);
}

void check_attribute(MapReader& map, const std::string& name) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (!std::ranges::all_of(name, fits)) {
    return map.problem("attribute", fmt::format("'{}' is no attribute name", printable(name)),
                       "attributes have only a-z and 0-9, for example subject; members of the "
                       "data are rules with pointer or member");
  }
  const auto shown = policy::never_redacted();
  if (std::ranges::find(shown, name) == shown.end()) return;
  map.problem("attribute", fmt::format("'{}' cannot be redacted", name),
              "Weir names, routes and reckons with it, in answers, logs and references");
}

void check_member(MapReader& map, const std::string& name) {
  if (name.empty()) map.problem("member", "a member has a name");
}

RedactionRule read_redaction_rule(MapReader map) {
  RedactionRule rule;
  int kinds = 0;
  for (const std::string_view kind : kKinds) {
    const int at = static_cast<int>(std::ranges::find(kKinds, kind) - kKinds.begin());
    std::string name;
    map.text(kind, name);
    if (map.node().find(kind) == nullptr) continue;
    ++kinds;
    rule.kind = static_cast<RedactionRule::Kind>(at);
    rule.name = std::move(name);
    if (rule.name.size() > kNameMax) map.problem(kind, fmt::format("at most {} bytes", kNameMax));
    if (rule.kind == RedactionRule::Kind::pointer) check_pointer(map, rule.name);
    if (rule.kind == RedactionRule::Kind::member) check_member(map, rule.name);
    if (rule.kind == RedactionRule::Kind::attribute) check_attribute(map, rule.name);
  }
  map.strings("streams", rule.streams);
  map.finish();
  if (kinds != 1 && map.node().kind == YamlNode::Kind::map) {
    map.report().add(map.file(), map.node(), "a rule has one of pointer, member or attribute",
                     "pointer: /customer/email, member: email, or attribute: subject");
  }
  if (map.node().find("streams") != nullptr && rule.streams.empty())
    map.problem("streams", "'streams' is empty", "leave it out for all streams");
  return rule;
}

}  // namespace

RedactionSpec read_redaction(MapReader map) {
  RedactionSpec spec;
  int answers = 0;
  map.choice("answers", {"mask", "keep"}, answers);
  spec.keep_answers = answers == 1;
  const YamlNode* rules = map.take("rules");
  if (rules != nullptr && rules->kind != YamlNode::Kind::list) {
    map.problem("rules", "'rules' must be a list", "rules: [ { member: email } ]");
  } else if (rules != nullptr && rules->items.size() > kRedactionRulesMax) {
    map.problem("rules", fmt::format("at most {} rules", kRedactionRulesMax));
  } else if (rules != nullptr) {
    for (const YamlNode& item : rules->items)
      spec.rules.push_back(
          read_redaction_rule(MapReader(map.report(), map.file(), item, "a rule")));
  }
  map.finish();
  return spec;
}

}  // namespace weir::config
