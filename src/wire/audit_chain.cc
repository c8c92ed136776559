// SPDX-License-Identifier: Apache-2.0
#include "wire/audit_chain.h"

#include <charconv>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/seeded_bug.h"
#include "wire/digest.h"
#include "wire/netstring.h"
#include "wire/utf8.h"

namespace weir::wire {
namespace {

// Valid UTF-8 of at most `bytes_max`. What JSON cannot carry would not verify outside.
std::string bounded(std::string_view text, std::size_t bytes_max) {
  std::string clean;
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char next = first_utf8(text.substr(i));
    const std::size_t size = next.size == 0 ? 3 : next.size;
    if (clean.size() + size > bytes_max) {
      return clean + fmt::format(" [{} more bytes]", text.size() - i);
    }
    if (next.size == 0) {
      append_utf8(clean, U'\uFFFD');
    } else {
      clean.append(text, i, next.size);
    }
    i += next.size == 0 ? 1 : next.size;
  }
  return clean;
}

}  // namespace

std::string canonical_audit(const AuditEntry& entry) {
  const std::string& reason = WEIR_SEEDED_BUG("audit.reason_not_hashed") ? entry.action
                                                                         : entry.reason;
  return netstrings({"weir-audit-1", std::to_string(entry.number), to_rfc3339(entry.at),
                     entry.actor, entry.action, entry.target, reason, entry.detail});
}

std::string audit_hash(std::string_view previous, const AuditEntry& entry) {
  return sha256_hex(from_hex(previous).value_or("") + canonical_audit(entry));
}

AuditEntry linked(AuditEntry entry, const AuditHead& head) {
  entry.at = std::chrono::floor<std::chrono::milliseconds>(entry.at);
  for (std::string* text : {&entry.actor, &entry.action, &entry.target})
    *text = bounded(*text, kAuditTextMax / 4);
  for (std::string* text : {&entry.reason, &entry.detail}) *text = bounded(*text, kAuditTextMax);
  entry.number = head.number + 1;
  entry.hash = audit_hash(head.hash, entry);
  return entry;
}

std::string to_text(const AuditHead& head) { return fmt::format("{} {}", head.number, head.hash); }

std::optional<AuditHead> parse_audit_head(std::string_view text) {
  AuditHead head;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, head.number);
  if (error != std::errc() || at == end || *at != ' ') return std::nullopt;
  head.hash.assign(at + 1, end);
  if (head.hash.size() != kAuditGenesis.size() || !from_hex(head.hash)) return std::nullopt;
  return head;
}

}  // namespace weir::wire
