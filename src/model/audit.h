// SPDX-License-Identifier: Apache-2.0
// The audit: what people did and what stopped by itself. Entries form a chain, each with the hash
// of the one before it (wire/audit_chain.h), so that none can be changed, moved or taken away
// unseen; checkpoints are signed words about where the chain was, to be kept elsewhere.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace weir {

struct AuditEntry {
  WallTime at{};       // stored in whole milliseconds
  std::string actor;   // local:<user>, or weir for rules
  std::string action;  // "quarantine.resolve", "replay.start", "flow.pause"
  std::string target;  // what it acted on
  std::string reason;
  std::string detail;  // numbers, before and after; never a payload
  // Both are made by the store when it writes the entry; what a caller sets is not read.
  std::uint64_t number = 0;  // from 1, without gaps
  std::string hash;          // 64 lower-case hex digits
};

// What comes before the first entry.
inline constexpr std::string_view kAuditGenesis =
    "0000000000000000000000000000000000000000000000000000000000000000";

// The end of the chain: its newest entry.
struct AuditHead {
  std::uint64_t number = 0;  // 0 = no entry yet
  std::string hash{kAuditGenesis};
  friend bool operator==(const AuditHead&, const AuditHead&) = default;
};

// "The chain had this entry with this hash", signed (wire/audit_checkpoint.h).
struct AuditCheckpoint {
  AuditHead head;
  WallTime at{};                  // whole milliseconds
  std::uint64_t incarnation = 0;  // of the store: one more after each restore from a backup
  std::string key;                // public key, 64 hex digits
  std::string signature;          // 128 hex digits
};

}  // namespace weir
