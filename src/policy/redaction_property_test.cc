// SPDX-License-Identifier: Apache-2.0
// Random documents under random rules, against a second way of knowing what is hidden: every leaf
// is written with the way to it, so that a rule can be held against each leaf by itself.
#include <fmt/format.h>

#include "policy/redaction.h"
#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using testing::Draws;
using Steps = std::vector<std::string>;

struct Leaf {
  Steps way;
  std::string text;  // as in the document, unique
};

struct Document {
  std::string text;
  std::vector<Leaf> leaves;
};

// Names with everything that pointers and JSON escape.
std::string draw_name(Draws& draws) {
  return draws.one_of<const char*>({"a", "b", "a/b", "m~n", "~1", "0", "1", "ö", "x y", ""});
}

void grow(Draws& draws, Steps& way, Document& into) {
  const bool is_leaf = way.size() >= 4 || (!way.empty() && draws.one_in(3));
  if (is_leaf) {
    const auto number = into.leaves.size();
    const std::string text = draws.coin() ? fmt::format("\"canary-{}-end\"", number)
                                          : fmt::format("77{:05}77", number);
    into.text += text;
    into.leaves.push_back({way, text});
    return;
  }
  const bool object = draws.coin();
  std::set<std::string> names;
  const int children = draws.in(0, 4);
  for (int i = 0; i < children; ++i) names.insert(object ? draw_name(draws) : std::to_string(i));
  into.text += object ? "{" : "[";
  bool first = true;
  for (const std::string& one : names) {
    into.text += first ? "" : " , ";
    first = false;
    if (object) wire::append_json_string(into.text, one);
    if (object) into.text += ":";
    way.push_back(one);
    grow(draws, way, into);
    way.pop_back();
  }
  into.text += object ? "}" : "]";
}

struct Rule {
  RedactionRule::Kind kind;
  Steps steps;  // of a pointer, "*" for any; of a member its name
};

Rule draw_rule(Draws& draws) {
  Rule rule{draws.one_in(3) ? RedactionRule::Kind::member : RedactionRule::Kind::pointer, {}};
  const int steps = rule.kind == RedactionRule::Kind::member ? 1 : draws.in(1, 5);
  for (int i = 0; i < steps; ++i) {
    const bool any = rule.kind == RedactionRule::Kind::pointer && draws.one_in(3);
    rule.steps.push_back(any ? "*" : draw_name(draws));
  }
  if (rule.kind == RedactionRule::Kind::member && rule.steps[0].empty()) rule.steps[0] = "a";
  return rule;
}

RedactionRule written(const Rule& rule) {
  if (rule.kind == RedactionRule::Kind::member) return {rule.kind, rule.steps[0], {}};
  std::string pointer;
  for (const std::string& step : rule.steps) {
    pointer += '/';
    for (const char c : step) pointer += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return {rule.kind, pointer, {}};
}

// `way` may step through an array with a number, which is no member's name.
bool hides(const Rule& rule, const Steps& way, const std::vector<bool>& in_object) {
  if (rule.kind == RedactionRule::Kind::member) {
    for (std::size_t i = 0; i < way.size(); ++i) {
      if (in_object[i] && way[i] == rule.steps[0]) return true;
    }
    return false;
  }
  if (rule.steps.size() > way.size()) return false;
  for (std::size_t i = 0; i < rule.steps.size(); ++i) {
    if (rule.steps[i] != "*" && rule.steps[i] != way[i]) return false;
  }
  return true;
}

// Which steps go through objects, found by walking the document itself.
std::vector<bool> kinds_on(wire::Json at, const Steps& way) {
  std::vector<bool> kinds;
  for (const std::string& step : way) {
    const bool object = at.is(wire::JsonType::object);
    kinds.push_back(object);
    std::size_t index = 0;
    for (const wire::Json child : at) {
      if (object ? child.key() == step : std::to_string(index++) == step) {
        at = child;
        break;
      }
    }
  }
  return kinds;
}

TEST_CASE("no hidden leaf is shown, every other leaf is, and what nothing hides stays as it is") {
  testing::holds("redaction", [] {
    Draws draws;
    Document document;
    Steps way;
    grow(draws, way, document);
    std::vector<Rule> rules(static_cast<std::size_t>(*rc::gen::inRange(0, 4)));
    RedactionSpec spec;
    for (Rule& rule : rules) {
      rule = draw_rule(draws);
      spec.rules.push_back(written(rule));
    }
    const auto parsed = wire::parse_json(document.text);
    RC_ASSERT(parsed.ok());
    const std::string shown = Redaction(spec, nullptr, "secret").redact_json(document.text);
    RC_ASSERT(wire::parse_json(shown).ok());
    bool any = false;
    for (const Leaf& leaf : document.leaves) {
      const auto kinds = kinds_on(parsed->root(), leaf.way);
      const bool hidden = std::ranges::any_of(
          rules, [&](const Rule& rule) { return hides(rule, leaf.way, kinds); });
      any = any || hidden;
      RC_ASSERT((shown.find(leaf.text) == std::string::npos) == hidden);
    }
    if (!any && rules.empty()) RC_ASSERT(shown == document.text);
  });
}

}  // namespace
}  // namespace weir::policy
