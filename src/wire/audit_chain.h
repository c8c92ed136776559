// SPDX-License-Identifier: Apache-2.0
// The chain of the audit. The canonical bytes of an entry are the netstrings (netstring.h) of:
// "weir-audit-1", number, at (RFC 3339, UTC, milliseconds), actor, action, target, reason, detail.
// Its hash is SHA-256 (FIPS 180-4) over the 32 bytes of the hash before it and those.
// docs/guide/audit.md has the same in twenty lines of Python.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/audit.h"

namespace weir::wire {

// What a reason or a detail may take; actor, action and target may take a quarter of it.
inline constexpr std::size_t kAuditTextMax = 4096;

std::string canonical_audit(const AuditEntry& entry);
// Lower-case hex; `previous` is the hash before it.
std::string audit_hash(std::string_view previous, const AuditEntry& entry);
// The entry as it is stored after `head`: whole milliseconds, valid UTF-8, texts cut to their
// bounds (and saying so), its number and its hash. Only stores call this, inside the transaction.
AuditEntry linked(AuditEntry entry, const AuditHead& head);

// "12 3f0a...": the newest number and hash, as stores keep them beside the entries.
std::string to_text(const AuditHead& head);
std::optional<AuditHead> parse_audit_head(std::string_view text);

struct AuditProblem {
  std::uint64_t number = 0;  // of the first entry that it is about
  std::string text;
};

// Walks a chain from an entry that is known (by default from before the first one) and says what
// is wrong. Memory is bounded; after a fault it goes on from what is there, so that one changed
// entry is one problem. Checkpoints must have been found genuine before they are given.
class AuditVerifier {
 public:
  explicit AuditVerifier(AuditHead from = {}, std::vector<AuditCheckpoint> checkpoints = {});

  void next(const AuditEntry& entry);
  // In the place of an entry that cannot be read; 0 if it does not even have a number.
  void unreadable(std::uint64_t number, std::string_view why);
  // After the last entry; `kept` is the head that the store keeps beside them.
  void finish(const std::optional<AuditHead>& kept = std::nullopt);

  bool sound() const { return total_ == 0; }
  std::uint64_t problems_total() const { return total_; }
  const std::vector<AuditProblem>& problems() const { return problems_; }  // at most kProblemsMax
  std::uint64_t entries() const { return entries_; }
  std::size_t checkpoints_met() const { return met_; }
  const AuditHead& head() const { return last_; }

  static constexpr std::size_t kProblemsMax = 100;

 private:
  struct Misplaced {
    std::string previous;  // the hash before its place
    AuditEntry entry;
  };
  void problem(std::uint64_t number, std::string text);
  bool in_order(std::uint64_t number);
  void changed(const AuditEntry& entry);
  void meet_checkpoints();

  AuditHead last_;
  bool last_readable_ = true;
  std::vector<AuditCheckpoint> checkpoints_;  // by number
  std::size_t next_checkpoint_ = 0;
  std::size_t met_ = 0;
  std::uint64_t entries_ = 0;
  std::uint64_t total_ = 0;
  std::vector<AuditProblem> problems_;
  std::vector<Misplaced> changed_;  // at most kSwapsMax, to tell a swap from two edits
};

}  // namespace weir::wire
