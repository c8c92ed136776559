// SPDX-License-Identifier: Apache-2.0
// Where an audit can be read from: a running server, the data folder of a stopped one (or a live
// one), or a file that `weir audit export` has written. Each gives its entries in order.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/session.h"
#include "base/result.h"
#include "model/audit.h"

namespace weir::app {

struct AuditPlace {
  std::string folder;  // "" unless it is one
  std::string file;    // "" unless it is one; without both it is the server
  int exit = kExitOk;  // of a server that refused or did not answer, once that has been printed
};

// What is known beside the entries.
struct AuditWitness {
  std::string public_key;  // hex; "" if the place has none
  std::vector<AuditCheckpoint> checkpoints;
  std::size_t others = 0;  // lines of a folder's file that are none
};
Result<AuditWitness> audit_witness(Session& session, AuditPlace& place);

// An error instead of an entry says why what is there is none; its number may be 0.
using EachAuditEntry = std::function<void(std::uint64_t number, const Result<AuditEntry>& entry)>;
// The head that the store keeps beside the entries, where there is one.
Result<std::optional<AuditHead>> walk_audit(Session& session, AuditPlace& place,
                                            const EachAuditEntry& each);

}  // namespace weir::app
