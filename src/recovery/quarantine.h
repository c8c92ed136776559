// SPDX-License-Identifier: Apache-2.0
// What an operator does with quarantined deliveries without delivering them again. Nothing leaves
// quarantine silently: every step has an actor and a reason, audited in the same transaction.
#pragma once

#include <string>
#include <vector>

#include "async/clock.h"
#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"
#include "recovery/approvals.h"
#include "recovery/live.h"

namespace weir::recovery {

// resolve and discard settle a delivery; archive puts it aside, where no plan takes it, and restore
// takes that back. A key that it holds stays held.
enum class Settle : std::uint8_t { resolve, discard, archive, restore };

struct BulkResult {
  std::uint64_t selected = 0;
  std::uint64_t settled = 0;         // or archived, or restored
  std::uint64_t skipped = 0;         // changed by somebody else meanwhile
  std::vector<std::string> samples;  // references of the first few
};

// What one approval may cover.
inline constexpr std::size_t kApprovedMax = 100'000;

// Settles everything selected. dry_run counts only. A selection that asks about what is redacted is
// audited as such first, and needs a reason for a dry run, too (note_question()). Errors:
// reason_required, and those of resolve_selection(). What settles more than the configuration lets
// one person settle (approvals), or something in doubt that it lets nobody settle alone, is bound
// to the deliveries, the reason and the act that were approved, and needs a yes: approval_required,
// conflict (somebody else used it).
async::Task<Result<BulkResult>> settle_quarantined(ports::Store& store, async::Clock& clock,
                                                   const Live& live, Settle what,
                                                   Selection selection, Doer doer, bool dry_run);

// Discards what was archived longer ago than `keep`, audited, on behalf of the configuration.
async::Task<Result<BulkResult>> discard_archived(ports::Store& store, async::Clock& clock,
                                                 const Live& live, Duration keep);

}  // namespace weir::recovery
