// SPDX-License-Identifier: Apache-2.0
// Audit chains for tests.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/audit_chain.h"

namespace weir::wire::testing {

// Entries 1..size, with texts of several lengths, empty ones and characters that JSON escapes.
std::vector<AuditEntry> audit_chain(std::size_t size);
// Makes the hashes from this index on anew, as somebody would who knows how.
void relink(std::vector<AuditEntry>& chain, std::size_t first);
std::vector<std::string> problems_of(const std::vector<AuditEntry>& chain,
                                     std::vector<AuditCheckpoint> checkpoints = {},
                                     const std::optional<AuditHead>& kept = std::nullopt);

}  // namespace weir::wire::testing
