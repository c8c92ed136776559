// SPDX-License-Identifier: Apache-2.0
// What a person may make of an event before it is sent again: the rules of its flow, masks for what
// is redacted, and a list of what changes. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "model/config_model.h"
#include "model/event.h"
#include "policy/json_diff.h"
#include "policy/redaction.h"

namespace weir::policy {

inline constexpr std::size_t kChangesMax = 500;  // of one edit

struct EventEdit {
  std::optional<std::string> data;  // JSON text, masks included; nullopt = as it is
  std::vector<std::pair<std::string, std::optional<std::string>>> attributes;  // nullopt = removed
  bool revealed = false;  // whoever edits has seen what is redacted, and may change it
};

struct EditRules {
  const FlowSpec& flow;
  const Redaction& redaction;
  std::size_t event_bytes = 0;  // at most, of the data
};

struct EditedEvent {
  std::string record;           // encode_event()
  std::vector<Change> changes;  // never empty
};

// `base` is the newest revision, which is edited. Errors: edit_locked and edit_hidden (name the
// place), edit_not_json, event_too_large, malformed_json, invalid_event, edit_moves (the flow would
// filter it, or its ordering key would change), invalid_argument (nothing changes, or too much).
Result<EditedEvent> edit_event(const Event& base, const EventEdit& edit, const EditRules& rules);

// Data that people can edit. Error: edit_not_json.
Result<> check_editable(const Event& event);

// Attributes first. Data that is no JSON is one change of "".
std::vector<Change> event_diff(const Event& before, const Event& after, const Redaction& redaction);

// Attributes that no flow can allow: they say which event it is, or Weir reckons with them.
std::vector<std::string> never_edited();

}  // namespace weir::policy
