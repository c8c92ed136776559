// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "api/views.h"
#include "recovery/references.h"

namespace weir::api {
namespace {

// Counts and times of the group with those of its parts.
void add_part(Group& group, const Group& part) {
  group.open += part.open;
  group.total += part.total;
  group.keys += part.keys;
  group.first_at = std::min(group.first_at, part.first_at);
  group.last_at = std::max(group.last_at, part.last_at);
}

void write_notes(wire::JsonWriter& json, const GroupNotes& notes, const std::vector<Group>& all) {
  for (const auto& [name, text] : {std::pair{"owner", &notes.owner}, {"note", &notes.note}}) {
    if (!text->empty()) json.field(name, *text);
  }
  time_field(json, "snoozedUntil", notes.snoozed_until);
  const auto into = std::ranges::find(all, notes.merged_into, &Group::id);
  if (notes.merged_into && into != all.end()) json.field("mergedInto", into->fingerprint.hash);
}

}  // namespace

void write_group(wire::JsonWriter& json, const recovery::Live& live, Group group,
                 const std::vector<Group>& all) {
  std::vector<std::string> merged;
  for (const Group& part : all) {
    if (part.notes.merged_into != group.id || !group.id) continue;
    add_part(group, part);
    merged.push_back(part.fingerprint.hash);
  }
  json.begin_object().field("group", group.fingerprint.hash).field("title", group.title());
  json.field("flow", flow_name(live, group.flow)).field("dependency", group.dependency);
  json.field("class", to_text(group.failure)).field("open", group.open).field("total", group.total);
  json.field("keys", group.keys);
  if (group.failure_mode.empty()) {
    json.key("failureMode").null();
  } else {
    json.field("failureMode", group.failure_mode);
    const FailureModeSpec* mode = live.failure_mode(group.failure_mode);
    if (mode != nullptr && !mode->runbook.empty()) json.field("runbook", mode->runbook);
  }
  time_field(json, "firstAt", group.first_at);
  time_field(json, "lastAt", group.last_at);
  json.field("sample", recovery::to_reference(live, group.sample))
      .field("reason", group.fingerprint.normalised);
  write_notes(json, group.notes, all);
  if (!merged.empty()) {
    json.key("merged").begin_array();
    for (const std::string& hash : merged) json.value(hash);
    json.end_array();
  }
  json.end_object();
}

}  // namespace weir::api
