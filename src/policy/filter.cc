// SPDX-License-Identifier: Apache-2.0
#include "policy/filter.h"

#include <algorithm>
#include <optional>
#include <span>

#include "policy/filter_compile.h"

namespace weir::policy {
namespace {

using wire::Json;
using wire::JsonType;

constexpr std::string_view kData = "data";

Leaf leaf_of(const Json& value) {
  switch (value.type()) {
    case JsonType::string: return {Leaf::Type::string, value.string()};
    case JsonType::number: return {Leaf::Type::number, value.raw()};
    case JsonType::boolean: return {Leaf::Type::boolean, value.raw()};
    case JsonType::null: return {Leaf::Type::null, {}};
    default: return {};
  }
}

bool any_matches(const std::vector<Matcher>& any_of, const Leaf& leaf) {
  return std::ranges::any_of(any_of,
                             [&](const Matcher& matcher) { return matches(matcher, leaf); });
}

// The leaves below a field: of an array its elements, also those of arrays in it. Calls `visit`
// until that returns true, and tells whether it did.
template <class Visit>
bool any_leaf(const Json& value, const Visit& visit) {
  if (value.is(JsonType::object)) return false;  // an object is no leaf: it counts as absent
  if (!value.is(JsonType::array)) return visit(leaf_of(value));
  return std::any_of(value.begin(), value.end(),
                     [&](const Json& element) { return any_leaf(element, visit); });
}

bool field_matches(const std::vector<Matcher>& any_of, const std::optional<Json>& value) {
  const bool exists = value && any_leaf(*value, [](const Leaf&) { return true; });
  if (!exists) return any_matches(any_of, Leaf{});
  // One common element is enough.
  return any_leaf(*value, [&](const Leaf& leaf) { return any_matches(any_of, leaf); });
}

bool object_matches(const PatternObject& pattern, const std::optional<Json>& value);

// The objects below a field that holds them in arrays. Calls `visit` like any_leaf.
template <class Visit>
bool any_object(const Json& value, const Visit& visit) {
  if (value.is(JsonType::object)) return visit(value);
  if (!value.is(JsonType::array)) return false;
  return std::any_of(value.begin(), value.end(),
                     [&](const Json& element) { return any_object(element, visit); });
}

// Below an array of objects every field of the nested pattern must hold for one and the same
// element.
bool nested_matches(const PatternObject& pattern, const std::optional<Json>& value) {
  const bool exists = value && any_object(*value, [](const Json&) { return true; });
  if (!exists) return object_matches(pattern, std::nullopt);
  return any_object(*value, [&](const Json& object) { return object_matches(pattern, object); });
}

bool object_matches(const PatternObject& pattern, const std::optional<Json>& value) {
  const bool is_object = value && value->is(JsonType::object);
  for (const PatternField& field : pattern.fields) {
    const auto member = is_object ? value->find(field.name) : std::nullopt;
    const bool good = field.nested ? nested_matches(*field.nested, member)
                                   : field_matches(field.any_of, member);
    if (!good) return false;
  }
  return std::ranges::all_of(pattern.any_groups, [&](const std::vector<PatternObject>& branches) {
    return std::ranges::any_of(
        branches, [&](const PatternObject& branch) { return object_matches(branch, value); });
  });
}

Leaf attribute_leaf(const Event& event, std::string_view name) {
  const std::pair<std::string_view, std::string_view> known[] = {
      {"id", event.id},
      {"source", event.source},
      {"type", event.type},
      {"subject", event.subject},
      {"time", event.time},
      {"datacontenttype", event.datacontenttype},
      {"dataschema", event.dataschema},
      {"specversion", "1.0"}};
  for (const auto& [attribute, value] : known) {
    if (attribute == name) return value.empty() ? Leaf{} : Leaf{Leaf::Type::string, value};
  }
  const Extension* extension = event.find_extension(name);
  if (extension == nullptr) return {};
  switch (extension->type) {
    case AttributeType::integer: return {Leaf::Type::number, extension->value};
    case AttributeType::boolean: return {Leaf::Type::boolean, extension->value};
    case AttributeType::string: return {Leaf::Type::string, extension->value};
  }
  return {};
}

// The payload, parsed at most once and only when something asks for it.
class Payload {
 public:
  explicit Payload(const Event& event) : event_(event) {}
  std::optional<Json> root() {
    if (!tried_) {
      tried_ = true;
      if (event_.has_data && event_.data_is_json()) {
        auto parsed = wire::parse_json(event_.data);
        if (parsed.ok()) document_ = std::move(*parsed);
      }
    }
    return document_ ? std::optional<Json>(document_->root()) : std::nullopt;
  }

 private:
  const Event& event_;
  std::optional<wire::JsonDocument> document_;
  bool tried_ = false;
};

bool event_matches(const PatternObject& pattern, const Event& event, Payload& payload);

bool any_branch(const std::vector<PatternObject>& branches, const Event& event, Payload& payload) {
  return std::ranges::any_of(
      branches, [&](const PatternObject& branch) { return event_matches(branch, event, payload); });
}

// Attributes first: they are cheap, most events fall here, and the payload stays unread.
bool event_matches(const PatternObject& pattern, const Event& event, Payload& payload) {
  for (const PatternField& field : pattern.fields) {
    if (field.name == kData) continue;
    if (!any_matches(field.any_of, attribute_leaf(event, field.name))) return false;
  }
  const std::span groups(pattern.any_groups);
  for (const auto& branches : groups.first(pattern.attribute_groups)) {
    if (!any_branch(branches, event, payload)) return false;
  }
  for (const PatternField& field : pattern.fields) {
    if (field.name != kData) continue;
    const bool good = field.nested ? nested_matches(*field.nested, payload.root())
                                   : field_matches(field.any_of, payload.root());
    if (!good) return false;
  }
  return std::ranges::all_of(groups.subspan(pattern.attribute_groups), [&](const auto& branches) {
    return any_branch(branches, event, payload);
  });
}

bool needs_data(const PatternObject& pattern);

bool branches_need_data(const std::vector<PatternObject>& branches) {
  return std::ranges::any_of(branches, needs_data);
}

bool needs_data(const PatternObject& pattern) {
  const bool here = std::ranges::any_of(
      pattern.fields, [](const PatternField& field) { return field.name == kData; });
  return here || std::ranges::any_of(pattern.any_groups, branches_need_data);
}

}  // namespace

Result<Filter> Filter::compile(std::string_view pattern_json) {
  WEIR_TRY(auto pattern, compile_pattern(pattern_json));
  auto node = std::make_shared<Node>();
  node->looks_into_data = needs_data(pattern);
  const auto with_data = std::ranges::partition(
      pattern.any_groups, [](const auto& branches) { return !branches_need_data(branches); });
  pattern.attribute_groups = pattern.any_groups.size() - with_data.size();
  node->pattern = std::move(pattern);
  return Filter(std::move(node));
}

Filter Filter::all() { return Filter(std::make_shared<Node>()); }

bool Filter::matches(const Event& event) const {
  Payload payload(event);
  return event_matches(root_->pattern, event, payload);
}

bool Filter::looks_into_data() const { return root_->looks_into_data; }

}  // namespace weir::policy
