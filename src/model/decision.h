// SPDX-License-Identifier: Apache-2.0
// What the engine did next and why, as a typed record. Explanations, logs and metrics are views of
// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "model/position.h"

namespace weir {

enum class FailureClass : std::uint8_t {
  ok,
  transient,   // worth another try
  throttled,   // the server asked us to slow down
  overloaded,  // the server is out of capacity
  refused,     // the request was not looked at
  ambiguous,   // may have been applied
  permanent,   // another try cannot succeed
  auth,        // credentials
  config,      // wrong name, certificate or address
  conflict,
  cancelled,
  expired,      // the deadline of the event passed
  interrupted,  // cut short by our own crash too often
};
inline constexpr int kFailureClassCount = static_cast<int>(FailureClass::interrupted) + 1;

// What a failure mode says to do, instead of what its class would mean.
enum class ModeAction : std::uint8_t { none, quarantine, retryLater, discard, pauseFlow };
std::string_view to_text(ModeAction action);

// One row of the classification table, applied to one outcome.
struct Classification {
  FailureClass failure = FailureClass::ok;
  std::string_view
      rule;  // stable name of the row: "http.503", "transport.refused", "failureMode.<name>"
  std::string reason;  // one sentence for people
  bool retryable = false;
  bool needs_idempotent = false;  // retryable only if the flow's handler is idempotent
  bool counts_breaker = false;
  bool counts_limiter = false;          // an explicit decrease signal for the adaptive limit
  bool in_doubt = false;                // a side effect may have happened
  std::optional<Duration> retry_after;  // the server's minimum, clamped
  Duration mode_delay{};                // the failure mode's, beside it
  std::string hint_note;     // what was wrong with the server's hint; empty if nothing was
  std::string failure_mode;  // name of the matching failure mode, or empty
  ModeAction mode_action = ModeAction::none;
  enum class Override : std::uint8_t {
    none,
    done,
    retry,
    quarantine,
    discard
  } forced = Override::none;  // Weir-Outcome
};

enum class DecisionKind : std::uint8_t { done, retryAt, defer, quarantine, discard, pauseFlow };

struct Decision {
  DecisionKind kind = DecisionKind::done;
  FailureClass failure = FailureClass::ok;
  std::string rule;    // the rule of the Classification, or of the guardrail or cap that decided
  std::string reason;  // one sentence for people: "422 is permanent"
  WallTime at{};       // for retryAt: not before
  bool in_doubt = false;
  std::string failure_mode;
};

// A refusal by one of our own guardrails: costs no attempt.
enum class Guardrail : std::uint8_t {
  breaker,
  retryBudget,
  rateLimit,
  concurrency,
  memory,
  paused
};

struct Refusal {
  Guardrail guardrail;
  MonoTime until;      // ask again then; MonoTime::max() = when something finishes
  std::string reason;  // "breaker open until 14:02:11 (61 % of 120 calls failed)"
};

std::string_view to_text(FailureClass failure);
std::optional<FailureClass> parse_failure_class(std::string_view text);
std::string_view to_text(DecisionKind kind);
std::string_view to_text(Guardrail guardrail);

}  // namespace weir
