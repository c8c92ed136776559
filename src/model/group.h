// SPDX-License-Identifier: Apache-2.0
// Deliveries that fail with one fingerprint.
#pragma once

#include <string>

#include "base/time.h"
#include "model/decision.h"
#include "model/position.h"

namespace weir {

// What the fingerprint was made of, so that people can see why two failures are one group.
struct Fingerprint {
  std::string hash;  // 16 hex digits; the group's public name (unique prefixes are accepted)
  std::string
      title;  // "422 urn:tracker:missing-repository" or "500 KeyError in service.py:sync_ticket"
  std::string normalised;  // the normalised reason that was hashed
  bool operator==(const Fingerprint&) const = default;
};

// What people say about a group.
struct GroupNotes {
  std::string name;   // instead of the fingerprint's title; empty = that one
  std::string owner;  // who looks after it
  std::string note;
  WallTime snoozed_until{};  // it raises no alarm before; epoch zero = it may
  GroupId merged_into;       // shown and selected as a part of that group
  bool operator==(const GroupNotes&) const = default;
};

struct Group {
  GroupId id;
  Fingerprint fingerprint;
  FlowId flow;
  std::string dependency;
  FailureClass failure = FailureClass::permanent;
  std::string failure_mode;  // empty = no named failure mode matched
  std::uint64_t open = 0;    // members now in quarantine
  std::uint64_t total = 0;   // members ever
  WallTime first_at{};
  WallTime last_at{};
  Position sample;         // one member
  std::uint64_t keys = 0;  // distinct ordering keys among open members; filled by reads
  GroupNotes notes;
  const std::string& title() const { return notes.name.empty() ? fingerprint.title : notes.name; }
  bool operator==(const Group&) const = default;
};

}  // namespace weir
