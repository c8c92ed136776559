// SPDX-License-Identifier: Apache-2.0
// What an outcome means. One table with a reason and a source in every row; the function over it is
// total. Precedence: the reply header Weir-Outcome, then failure modes in their order, then the
// table.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/decision.h"
#include "model/outcome.h"
#include "model/policy_spec.h"

namespace weir::policy {

// What is longer is nonsense; decide() applies the flow's own retry.serverDirected.maxInterval.
inline constexpr Duration kRetryAfterMax = std::chrono::hours{24};

struct ClassifyRules {
  std::vector<FailureModeSpec> failure_modes;  // the first that matches wins
};

// Whether a row wants the server's word about when to come back (Retry-After that parses, or
// x-envoy-overloaded).
enum class Hint : std::uint8_t { any, present, absent };

struct ClassRow {
  std::string_view rule;  // "http.503.hinted", "transport.refused": stable
  int status_first = 0;   // inclusive range; 0..0 in a row for a fault
  int status_last = 0;
  Fault fault = Fault::none;
  Hint hint = Hint::any;
  FailureClass failure = FailureClass::ok;
  bool retryable = false;
  bool needs_idempotent = false;
  bool counts_breaker = false;
  bool counts_limiter = false;
  bool in_doubt = false;
  std::string_view reason;  // completes "503 ...": "is temporary"
  std::string_view source;  // RFC section or system the row comes from
};

// The rule of a call that we cancelled ourselves: no failure of anybody, and no attempt.
inline constexpr std::string_view kRuleCancelledHere = "transport.cancelled";

// In order of precedence; the last rows of a hundred are its default, and the last status row takes
// what is no HTTP status.
std::span<const ClassRow> class_table();

// Total over every status and fault. `now` is only for Retry-After as a date. Does not allocate for
// class ok without failure modes that match. A phase before maybeSeen clears doubt: what was not
// looked at can always be repeated.
Classification classify(const Outcome& outcome, const ClassifyRules& rules, std::string_view flow,
                        std::string_view dependency, WallTime now);

// The rule that a decision names: "failureMode.<name>" if one matched, otherwise the row's.
std::string rule_name(const Classification& classification);

// Delay seconds or an HTTP date (IMF-fixdate, RFC 850 and asctime forms; RFC 9110 sections 5.6.7
// and 10.2.3). A past date is zero. nullopt for anything else, negative numbers included; the
// result is at most `max`.
std::optional<Duration> parse_retry_after(std::string_view text, WallTime now, Duration max);

}  // namespace weir::policy
