// SPDX-License-Identifier: Apache-2.0
// What was found about an audit, for people and scripts. Pure.
#pragma once

#include <string>
#include <vector>

#include "model/audit.h"
#include "wire/audit_chain.h"

namespace weir::app {

// Which checkpoints may be believed.
struct ScreenedCheckpoints {
  std::string public_key;  // the key they are signed with; "" if there are none
  bool key_given = false;  // it was kept elsewhere
  std::vector<AuditCheckpoint> good;
  std::vector<wire::AuditProblem> bad;
};
// Without `public_key` that of the first genuine one counts for all.
ScreenedCheckpoints screened(const std::vector<AuditCheckpoint>& checkpoints,
                             const std::string& public_key, bool key_given);

struct AuditVerdict {
  std::uint64_t entries = 0;
  AuditHead head;
  std::size_t checkpoints = 0;  // met on the way
  std::optional<AuditCheckpoint> newest;
  std::string public_key;
  bool key_given = false;
  std::uint64_t problems_total = 0;
  std::vector<wire::AuditProblem> problems;

  bool sound() const { return problems_total == 0; }
};
AuditVerdict verdict_of(const wire::AuditVerifier& verifier, const ScreenedCheckpoints& screened);

// Several lines, each with its newline.
std::string verdict_text(const AuditVerdict& verdict);
std::string verdict_json(const AuditVerdict& verdict);

}  // namespace weir::app
