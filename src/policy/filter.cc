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
      if (event_.has_data && !event_.data_is_binary && event_.data_is_json()) {
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

bool event_matches(const PatternObject& pattern, const Event& event, Payload& payload) {
  // Attributes first: they are cheap, and most events fall here.
  for (const PatternField& field : pattern.fields) {
    if (field.name == "data") continue;
    const bool good = field.nested ? object_matches(*field.nested, std::nullopt)
                                   : any_matches(field.any_of, attribute_leaf(event, field.name));
    if (!good) return false;
  }
  for (const PatternField& field : pattern.fields) {
    if (field.name != "data") continue;
    const bool good = field.nested ? nested_matches(*field.nested, payload.root())
                                   : field_matches(field.any_of, payload.root());
    if (!good) return false;
  }
  return std::ranges::all_of(pattern.any_groups, [&](const std::vector<PatternObject>& branches) {
    return std::ranges::any_of(branches, [&](const PatternObject& branch) {
      return event_matches(branch, event, payload);
    });
  });
}

bool needs_data(const PatternObject& pattern) {
  const bool here = std::ranges::any_of(
      pattern.fields, [](const PatternField& field) { return field.name == "data"; });
  return here ||
         std::ranges::any_of(pattern.any_groups, [](const std::vector<PatternObject>& branches) {
           return std::ranges::any_of(branches, needs_data);
         });
}

}  // namespace

Result<Filter> Filter::compile(std::string_view pattern_json) {
  WEIR_TRY(auto pattern, compile_pattern(pattern_json));
  auto node = std::make_shared<Node>();
  node->looks_into_data = needs_data(pattern);
  node->attributes = std::move(pattern);
  return Filter(std::move(node));
}

Filter Filter::all() { return Filter(std::make_shared<Node>()); }

bool Filter::matches(const Event& event) const {
  Payload payload(event);
  return event_matches(root_->attributes, event, payload);
}

bool Filter::looks_into_data() const { return root_->looks_into_data; }

}  // namespace weir::policy
