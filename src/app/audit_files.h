// SPDX-License-Identifier: Apache-2.0
// What is kept of the audit beside the store: the signing key, its public half, and the checkpoints
// that were signed, one JSON line each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/audit.h"

namespace weir::app {

inline constexpr std::string_view kAuditKeyFile = "/audit-signing.key";
inline constexpr std::string_view kAuditPublicKeyFile = "/audit-signing.pub";
inline constexpr std::string_view kAuditCheckpointsFile = "/audit-checkpoints.jsonl";

struct SigningKeys {
  std::string seed;        // as in wire/signing.h; never printed
  std::string public_key;  // hex
};

// Those of the folder, or new ones if it has none: the key in a file that only its owner can read,
// both durable before they are used. Code::audit_key_refused: a key that others may read, that is
// no key, or that has lost its public half.
Result<SigningKeys> audit_keys(const std::string& folder);
// 64 hex digits in a file. Code::audit_unreadable.
Result<std::string> read_public_key(const std::string& path);

struct CheckpointLines {
  std::vector<AuditCheckpoint> checkpoints;
  std::size_t others = 0;  // lines that are none
};
// Of a file of checkpoints, of an export, or of Weir's own log. Code::audit_unreadable.
Result<CheckpointLines> read_checkpoints(const std::string& path);
CheckpointLines checkpoints_in(std::string_view lines);

// Durable when it returns. A line that a crash cut short stays behind as a line of its own.
Result<> append_checkpoint(const std::string& folder, const AuditCheckpoint& checkpoint);

// Code::audit_unreadable with the path.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace weir::app
