// SPDX-License-Identifier: Apache-2.0
#include "policy/failure_modes.h"

#include <algorithm>

#include "policy/evidence.h"

namespace weir::policy {
namespace {

struct ClassTraits {
  bool retryable;
  bool breaker;
  bool limiter;
  bool nothing_done;  // the handler says so by answering with this class
};

ClassTraits traits_of(FailureClass failure) {
  switch (failure) {
    case FailureClass::ok: return {false, false, false, true};
    case FailureClass::transient: return {true, true, false, false};
    case FailureClass::throttled: return {true, false, true, true};
    case FailureClass::overloaded: return {true, false, true, true};
    case FailureClass::refused: return {true, false, false, true};
    case FailureClass::ambiguous: return {true, true, false, false};
    case FailureClass::permanent:
    case FailureClass::auth:
    case FailureClass::config:
    case FailureClass::conflict: return {false, false, false, true};
    case FailureClass::cancelled:
    case FailureClass::expired:
    case FailureClass::interrupted: return {false, false, false, false};
  }
  return {false, false, false, false};
}

template <class List, class Value>
bool absent_or_listed(const List& list, const Value& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool matches_mode(const FailureModeSpec& mode, const Outcome& outcome, std::string_view flow,
                  std::string_view dependency) {
  if (!mode.flow.empty() && mode.flow != flow) return false;
  if (!mode.dependency.empty() && mode.dependency != dependency) return false;
  if (!absent_or_listed(mode.status, outcome.status)) return false;
  if (!absent_or_listed(mode.fault, outcome.fault)) return false;
  if (mode.problem_type.empty()) return true;
  return absent_or_listed(mode.problem_type, problem_type_of(outcome));
}

}  // namespace

const FailureModeSpec* find_mode(std::span<const FailureModeSpec> modes, const Outcome& outcome,
                                 bool row_ok, std::string_view flow, std::string_view dependency) {
  for (const FailureModeSpec& mode : modes) {
    // A success becomes a failure only if the mode lists its status and says which class it is.
    if (row_ok && (mode.status.empty() || !mode.failure)) continue;
    if (matches_mode(mode, outcome, flow, dependency)) return &mode;
  }
  return nullptr;
}

void apply_class(Classification& into, FailureClass failure, const Outcome& outcome) {
  const ClassTraits traits = traits_of(failure);
  // Words of the handler end the doubt that its status leaves; nothing ends the doubt of a call
  // without an answer.
  const bool answered = outcome.fault == Fault::none;
  into.failure = failure;
  into.retryable = traits.retryable;
  into.counts_breaker = traits.breaker;
  into.counts_limiter = traits.limiter;
  if (failure == FailureClass::ambiguous) into.in_doubt = true;
  if (failure == FailureClass::ok || (traits.nothing_done && answered)) into.in_doubt = false;
  into.needs_idempotent = into.retryable && into.in_doubt;
}

}  // namespace weir::policy
