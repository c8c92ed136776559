// SPDX-License-Identifier: Apache-2.0
#include "model/decision.h"

#include <array>

#include "base/assert.h"

namespace weir {
namespace {

constexpr std::array<std::string_view, kFailureClassCount> kFailures = {
    "ok",   "transient", "throttled", "overloaded", "refused", "ambiguous",  "permanent",
    "auth", "config",    "conflict",  "cancelled",  "expired", "interrupted"};
constexpr std::array<std::string_view, 6> kDecisions = {"done",       "retryAt", "defer",
                                                        "quarantine", "discard", "pauseFlow"};
constexpr std::array<std::string_view, 6> kGuardrails = {"breaker",     "retryBudget", "rateLimit",
                                                         "concurrency", "memory",      "paused"};

template <std::size_t N, class Enum>
std::string_view name_of(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  WEIR_ASSERT(index < N);
  return names[index];
}

}  // namespace

std::string_view to_text(FailureClass failure) { return name_of(kFailures, failure); }
std::string_view to_text(DecisionKind kind) { return name_of(kDecisions, kind); }
std::string_view to_text(Guardrail guardrail) { return name_of(kGuardrails, guardrail); }

std::optional<FailureClass> parse_failure_class(std::string_view text) {
  for (std::size_t i = 0; i < kFailures.size(); ++i) {
    if (kFailures[i] == text) return static_cast<FailureClass>(i);
  }
  return std::nullopt;
}

std::string_view to_text(ModeAction action) {
  switch (action) {
    case ModeAction::none: return "none";
    case ModeAction::quarantine: return "quarantine";
    case ModeAction::retryLater: return "retryLater";
    case ModeAction::discard: return "discard";
    case ModeAction::pauseFlow: return "pauseFlow";
  }
  return "";
}

}  // namespace weir
