// SPDX-License-Identifier: Apache-2.0
// Entries and checkpoints of the audit as JSON, one a line in files. What is read back must be,
// byte for byte, what would be written: nobody can hide a change in another spelling.
//
// What is signed of a checkpoint are the netstrings (netstring.h) of: "weir-audit-checkpoint-1",
// number, hash, at, incarnation.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "model/audit.h"
#include "wire/json.h"

namespace weir::wire {

void write_audit(JsonWriter& json, const AuditEntry& entry);
void write_checkpoint(JsonWriter& json, const AuditCheckpoint& checkpoint);
std::string to_line(const AuditEntry& entry);  // without the newline
std::string to_line(const AuditCheckpoint& checkpoint);

// Code::audit_unreadable. `line` is without its newline.
Result<AuditEntry> parse_audit_entry(std::string_view line);
Result<AuditCheckpoint> parse_audit_checkpoint(std::string_view line);
// Of an object that came otherwise, as a member of an answer.
Result<AuditEntry> audit_entry_of(Json object);
Result<AuditCheckpoint> audit_checkpoint_of(Json object);

// Fills key and signature. `seed` as in signing.h.
AuditCheckpoint sign_checkpoint(std::string_view seed, AuditCheckpoint checkpoint);
// By the key that it names itself; whose key that is the caller has to know.
bool is_genuine(const AuditCheckpoint& checkpoint);

}  // namespace weir::wire
