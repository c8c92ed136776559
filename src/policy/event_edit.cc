// SPDX-License-Identifier: Apache-2.0
#include "policy/event_edit.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/filter.h"
#include "policy/json_pointer.h"
#include "policy/ordering_key.h"
#include "wire/event_checks.h"

namespace weir::policy {
namespace {

using wire::Json;
using wire::JsonType;

std::string json_text_of(std::string_view text) {
  std::string json;
  wire::append_json_string(json, text);
  return json;
}

void add_attribute(std::string_view name, std::string_view before, std::string_view after,
                   const Redaction& redaction, std::vector<Change>& changes) {
  if (before == after) return;
  const bool hidden = redaction.hides_attribute(name);
  const auto shown = [&](std::string_view value) {
    if (value.empty()) return std::string{};
    return json_text_of(hidden ? redaction.mask(value) : std::string(value));
  };
  changes.push_back({.pointer = std::string(name),
                     .before = shown(before),
                     .after = shown(after),
                     .hidden = hidden,
                     .masks = after.starts_with("[redacted") && after.ends_with("]")});
}

std::string_view value_of(const Event& event, std::string_view name) {
  const Extension* found = event.find_extension(name);
  return found == nullptr ? std::string_view{} : found->value;
}

std::vector<Change> attribute_diff(const Event& before, const Event& after,
                                   const Redaction& redaction) {
  std::vector<Change> changes;
  add_attribute("subject", before.subject, after.subject, redaction, changes);
  add_attribute("dataschema", before.dataschema, after.dataschema, redaction, changes);
  std::set<std::string_view> names;
  for (const Extension& one : before.extensions) names.insert(one.name);
  for (const Extension& one : after.extensions) names.insert(one.name);
  for (const std::string_view name : names)
    add_attribute(name, value_of(before, name), value_of(after, name), redaction, changes);
  return changes;
}

void set_extension(Event& event, std::string_view name, const std::optional<std::string>& value) {
  std::erase_if(event.extensions, [&](const Extension& one) { return one.name == name; });
  if (!value) return;
  const auto place = std::ranges::lower_bound(event.extensions, name, {}, &Extension::name);
  event.extensions.insert(place, {name, *value, AttributeType::string});
}

// The place of an attribute that may be edited as text.
Result<> check_attribute(const Event& base, std::string_view name,
                         const std::optional<std::string>& value, const EditSpec& spec) {
  if (std::ranges::find(spec.attributes, name) == spec.attributes.end()) {
    return Error{Code::edit_locked, fmt::format("attribute '{}' is locked", printable(name)),
                 "edit.attributes of the flow lists those that may be changed"};
  }
  const Extension* found = base.find_extension(name);
  if (found != nullptr && found->type != AttributeType::string) {
    return Error{Code::edit_locked,
                 fmt::format("attribute '{}' is no text, and stays as it is", name), ""};
  }
  if (value && value->empty()) {
    return Error{Code::invalid_argument, fmt::format("attribute '{}' is empty", name),
                 "null removes it"};
  }
  return {};
}

Result<> apply_attributes(const Event& base, const EventEdit& edit, const EditRules& rules,
                          Event& into) {
  for (const auto& [name, value] : edit.attributes) {
    const std::string_view before = name == "subject"      ? base.subject
                                    : name == "dataschema" ? base.dataschema
                                                           : value_of(base, name);
    const bool hidden = !before.empty() && rules.redaction.hides_attribute(name);
    const std::string shown = hidden ? rules.redaction.mask(before) : std::string(before);
    if (value && !shown.empty() && *value == shown) continue;
    if (hidden && !edit.revealed) return hidden_would_change(name);
    WEIR_CHECK(check_attribute(base, name, value, rules.flow.edit));
    if (name == "subject") {
      into.subject = value ? std::string_view(*value) : "";
    } else if (name == "dataschema") {
      into.dataschema = value ? std::string_view(*value) : "";
    } else {
      set_extension(into, name, value);
    }
  }
  return {};
}

using Found = std::vector<std::pair<std::string, Json>>;

void collect(Json value, const PointerPattern& pattern, std::size_t step, const std::string& path,
             Found& found) {
  if (step == pattern.size()) {
    found.emplace_back(path, value);
    return;
  }
  if (value.type() < JsonType::array) return;
  std::size_t index = 0;
  for (const Json child : value) {
    const std::string name = value.is(JsonType::object) ? std::string(child.key())
                                                        : std::to_string(index++);
    if (!pattern[step].fits(name)) continue;
    std::string below = path;
    below.append("/").append(name);
    collect(child, pattern, step + 1, below, found);
  }
}

bool same_values(Found before, Found after) {
  const auto by_path = [](const auto& a, const auto& b) { return a.first < b.first; };
  std::ranges::sort(before, by_path);
  std::ranges::sort(after, by_path);
  return std::ranges::equal(before, after, [](const auto& a, const auto& b) {
    return a.first == b.first && same_json(a.second, b.second);
  });
}

Result<> check_locked(std::string_view before, std::string_view after, const EditSpec& spec) {
  WEIR_TRY(const auto old, wire::parse_json(before));
  WEIR_TRY(const auto now, wire::parse_json(after));
  for (const std::string& text : spec.locked) {
    WEIR_TRY(const PointerPattern pattern, parse_pointer(text));
    Found was;
    Found is;
    collect(old.root(), pattern, 0, "", was);
    collect(now.root(), pattern, 0, "", is);
    if (same_values(std::move(was), std::move(is))) continue;
    return Error{Code::edit_locked, fmt::format("'{}' is locked, and would change", text),
                 "edit.locked of the flow lists what stays as it came"};
  }
  return {};
}

Result<> check_changes(const std::vector<Change>& changes, bool revealed) {
  if (changes.empty())
    return Error{Code::invalid_argument, "nothing changes", "edit the data or an attribute"};
  if (changes.size() > kChangesMax) {
    return Error{Code::invalid_argument,
                 fmt::format("the edit changes {} places, at most {}", changes.size(), kChangesMax),
                 "publish another event instead"};
  }
  for (const Change& change : changes) {
    if (change.masks) {
      return Error{Code::edit_hidden,
                   fmt::format("a mask stands at '{}' that does not belong there",
                               printable(change.pointer)),
                   "a mask keeps the value at its own place only; write the value itself"};
    }
    if (change.hidden && !revealed) return hidden_would_change(change.pointer);
  }
  return {};
}

Result<> check_place(const Event& base, const Event& edited, const FlowSpec& flow) {
  if (ordering_key(base, flow) != ordering_key(edited, flow)) {
    return Error{Code::edit_moves,
                 fmt::format("the ordering key '{}' would change", flow.ordering_key),
                 "deliveries of one key go in order: publish another event instead"};
  }
  if (flow.where.empty()) return {};
  WEIR_TRY(const Filter filter, Filter::compile(flow.where));
  if (filter.matches(edited)) return {};
  return Error{Code::edit_moves, "the event pattern of the flow would not match any more",
               "an event that the flow does not want is resolved or discarded"};
}

}  // namespace

std::vector<std::string> never_edited() {
  std::vector<std::string> names = never_redacted();
  names.insert(names.end(), {"time", "tracestate"});
  return names;
}

Result<> check_editable(const Event& event) {
  if (!event.has_data || !event.data_is_json() || event.data_is_binary) {
    return Error{Code::edit_not_json,
                 event.has_data
                     ? fmt::format("its data is {}, not JSON",
                                   event.datacontenttype.empty() ? "binary"
                                                                 : printable(event.datacontenttype))
                     : "it has no data",
                 "only JSON can be edited: publish another event instead"};
  }
  if (wire::parse_json(event.data).ok()) return {};
  return Error{Code::edit_not_json, "its data says that it is JSON, and is not",
               "what cannot be read cannot be compared: publish another event instead"};
}

std::vector<Change> event_diff(const Event& before, const Event& after,
                               const Redaction& redaction) {
  std::vector<Change> changes = attribute_diff(before, after, redaction);
  if (before.data == after.data) return changes;
  auto data = json_diff(before.data, after.data, redaction);
  if (!data.ok()) {
    changes.push_back({.hidden = true});
    return changes;
  }
  changes.insert(changes.end(), std::make_move_iterator(data->begin()),
                 std::make_move_iterator(data->end()));
  return changes;
}

Result<EditedEvent> edit_event(const Event& base, const EventEdit& edit, const EditRules& rules) {
  WEIR_CHECK(check_editable(base));
  Event edited = base;
  WEIR_CHECK(apply_attributes(base, edit, rules, edited));
  std::string data(base.data);
  if (edit.data) {
    WEIR_TRY(data, unmasked(base.data, *edit.data, rules.redaction, edit.revealed));
  }
  edited.data = data;
  if (data.size() > rules.event_bytes) {
    return Error{Code::event_too_large,
                 fmt::format("{} bytes, at most {}", data.size(), rules.event_bytes),
                 "limits.eventBytes"};
  }
  WEIR_CHECK(check_locked(base.data, data, rules.flow.edit));
  EditedEvent result{.record = {}, .changes = event_diff(base, edited, rules.redaction)};
  WEIR_CHECK(check_changes(result.changes, edit.revealed));
  if (const auto fault = wire::find_fault(edited, "1.0", {}))
    return Error{Code::invalid_event, *fault, ""};
  WEIR_CHECK(check_place(base, edited, rules.flow));
  result.record = encode_event(edited);
  return result;
}

}  // namespace weir::policy
