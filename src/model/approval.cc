// SPDX-License-Identifier: Apache-2.0
#include "model/approval.h"

#include <charconv>

#include <fmt/format.h>

namespace weir {

std::string to_text(ApprovalId id) { return fmt::format("a{}", id.value); }

std::optional<ApprovalId> parse_approval_id(std::string_view text) {
  if (text.starts_with('a')) text.remove_prefix(1);
  ApprovalId id;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.value);
  if (error != std::errc{} || end != text.data() + text.size() || !id) return std::nullopt;
  return id;
}

std::string_view to_text(ApprovalAct act) {
  switch (act) {
    case ApprovalAct::replay: return "replay";
    case ApprovalAct::discard: return "discard";
    case ApprovalAct::resolve: return "resolve";
    case ApprovalAct::effect: return "effect";
    case ApprovalAct::remove: return "remove";
  }
  return "replay";
}

std::string_view to_text(ApprovalState state) {
  switch (state) {
    case ApprovalState::pending: return "pending";
    case ApprovalState::granted: return "granted";
    case ApprovalState::used: return "used";
    case ApprovalState::expired: return "expired";
    case ApprovalState::voided: return "voided";
  }
  return "voided";
}

ApprovalState Approval::state(WallTime now) const {
  if (used != WallTime{}) return ApprovalState::used;
  if (voided != WallTime{}) return ApprovalState::voided;
  if (now >= expires) return ApprovalState::expired;
  return granted != WallTime{} ? ApprovalState::granted : ApprovalState::pending;
}

}  // namespace weir
