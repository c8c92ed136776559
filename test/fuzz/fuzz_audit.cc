// SPDX-License-Identifier: Apache-2.0
// A line of an export: what is read is what was written, byte for byte, and the verifier takes it
// in any order.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "wire/audit_chain.h"
#include "wire/audit_lines.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(bytes), size);
  (void)weir::wire::parse_audit_head(line);
  const auto checkpoint = weir::wire::parse_audit_checkpoint(line);
  if (checkpoint.ok()) {
    WEIR_ASSERT(weir::wire::to_line(*checkpoint) == line);
    (void)weir::wire::is_genuine(*checkpoint);
  }
  const auto entry = weir::wire::parse_audit_entry(line);
  if (!entry.ok()) return 0;
  WEIR_ASSERT(weir::wire::to_line(*entry) == line);
  weir::wire::AuditVerifier verifier;
  verifier.next(*entry);
  verifier.next(*entry);
  verifier.finish();
  WEIR_ASSERT(!verifier.sound());
  return 0;
}
