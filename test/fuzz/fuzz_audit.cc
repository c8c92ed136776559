// SPDX-License-Identifier: Apache-2.0
// A line of an export: what is read is what was written, byte for byte, and the verifier takes it
// in any order.
#include <string_view>

#include "base/assert.h"
#include "input.h"
#include "wire/audit_chain.h"
#include "wire/audit_lines.h"

WEIR_FUZZ_TARGET(text) {
  const std::string_view line = text;
  (void)weir::wire::parse_audit_head(line);
  const auto checkpoint = weir::wire::parse_audit_checkpoint(line);
  if (checkpoint.ok()) {
    WEIR_ASSERT(weir::wire::to_line(*checkpoint) == line);
    (void)weir::wire::is_genuine(*checkpoint);
  }
  const auto entry = weir::wire::parse_audit_entry(line);
  if (!entry.ok()) return;
  WEIR_ASSERT(weir::wire::to_line(*entry) == line);
  weir::wire::AuditVerifier verifier;
  verifier.next(*entry);
  verifier.next(*entry);
  verifier.finish();
  WEIR_ASSERT(!verifier.sound());
}
