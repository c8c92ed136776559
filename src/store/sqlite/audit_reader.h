// SPDX-License-Identifier: Apache-2.0
// The whole audit of a data folder, without a server: for verifying and exporting it. Takes no lock
// and works beside a running Weir; reads one snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "model/audit.h"
#include "store/sqlite/connection.h"
#include "wire/audit_chain.h"

namespace weir::store::sqlite {

// In the order of their numbers; a damaged record is store_corrupt.
using EachEntry = std::function<void(std::uint64_t number, const Result<AuditEntry>& entry)>;
EachEntry verifier_of(wire::AuditVerifier& verifier);

struct AuditTable {
  AuditHead kept;  // beside the entries; number 0 if it is gone or damaged
  std::uint64_t incarnation = 0;
};

Result<AuditTable> read_audit(Connection& db, const EachEntry& each);
// Errors: store_unreadable, store_newer_format, store_older_format, store_corrupt.
Result<AuditTable> read_audit(const std::string& folder, const EachEntry& each);

}  // namespace weir::store::sqlite
