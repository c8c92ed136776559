// SPDX-License-Identifier: Apache-2.0
// Edits of what a quarantined delivery sends: the event stays, a revision lies beside it, and of
// two people who edit the same one wins. Audited in the same transaction.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/revision.h"
#include "policy/event_edit.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

// A revision as it may be shown.
struct ShownRevision {
  std::uint32_t number = kFirstRevision;
  WallTime at{};
  std::string editor;
  std::string reason;
  std::vector<policy::Change> changes;  // against the one before
};
// `original` is the event as it came; oldest first. Records that cannot be read end the list.
std::vector<ShownRevision> shown_revisions(const std::vector<Revision>& revisions,
                                           const std::string& original,
                                           const policy::Redaction& redaction);

// What is edited: the newest revision, with masks.
struct EditDocument {
  DeliveryRef ref;
  std::string reference;  // "github#42"
  std::string flow;
  std::uint32_t revision = kFirstRevision;
  std::string base;  // names these bytes; an edit says what it was made from
  std::vector<std::pair<std::string, std::string>>
      attributes;    // that may be edited; "" = not there
  std::string data;  // JSON text
};

// `flow` may be empty if `reference` is "flow/stream#seq". Errors: those of find_event() and
// find_flow(); unknown_delivery, wrong_state, edit_off, edit_unsafe, edit_not_json,
// already_in_replay.
async::Task<Result<EditDocument>> edit_document(ports::Store& store, const Live& live,
                                                std::string reference, std::string flow);

struct EditOrder {
  std::string reference;
  std::string flow;
  std::string base;
  policy::EventEdit edit;
  std::string reason;
  std::string actor;
  std::string subject;  // of the editor, whatever they came with
  std::size_t event_bytes = 0;
  bool dry_run = false;
};
struct EditResult {
  EditDocument made;  // with dry_run what would be made
  std::vector<policy::Change> changes;
};
// Errors: those of edit_document() and policy::edit_event(); edit_conflict (says who and when),
// reason_required. One who says that he has seen what is redacted is audited before anything is
// compared, also if nothing comes of it.
async::Task<Result<EditResult>> edit_delivery(ports::Store& store, async::Clock& clock,
                                              const Live& live, EditOrder order);

// Of any delivery that has a row, whatever became of it; empty without edits.
async::Task<Result<std::vector<ShownRevision>>> list_revisions(ports::Store& store,
                                                               const Live& live,
                                                               std::string reference,
                                                               std::string flow);

}  // namespace weir::recovery
