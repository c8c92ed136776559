// SPDX-License-Identifier: Apache-2.0
// What an outcome means. One table with a reason and a source in every row; the functions over it
// are total. Precedence: the reply header Weir-Outcome, then failure modes in their order, then the
// table; within the table the server's own hint, the error code, the status, the fault.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/decision.h"
#include "model/outcome.h"
#include "model/policy_spec.h"

namespace weir::policy {

struct ClassifyRules {
  std::vector<FailureModeSpec> failure_modes;  // the first that matches wins
};

// The parts of the table: which kind of answer a row is about.
enum class Protocol : std::uint8_t {
  http,       // status
  transport,  // no answer: a fault
  grpc,       // status code
  aws,        // error code
  sql,        // SQLSTATE
};
inline constexpr int kProtocolCount = static_cast<int>(Protocol::sql) + 1;

// Whether a row wants the server's word about when to come back (Retry-After that parses, or
// x-envoy-overloaded). rateLimited: x-envoy-ratelimited, whatever the status of the failure.
enum class Hint : std::uint8_t { any, present, absent, rateLimited };

struct ClassRow {
  std::string_view rule;  // "http.503.hinted", "transport.refused", "grpc.ABORTED": stable
  Protocol protocol = Protocol::http;
  int status_first = 0;  // http: inclusive range; 0..0 elsewhere
  int status_last = 0;
  Fault fault = Fault::none;  // transport
  std::string_view code;      // grpc, aws, sql: "ABORTED", "AccessDenied*", "40001", "53*"
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

// In order of precedence. The last rows of a hundred are its default; the last row of a protocol
// takes what no other takes.
std::span<const ClassRow> class_table(Protocol protocol);

// Total over every status and fault. `now` is only for Retry-After as a date. Does not allocate for
// class ok without failure modes that match. A phase before maybeSeen clears doubt: what was not
// looked at can always be repeated.
Classification classify(const Outcome& outcome, const ClassifyRules& rules, std::string_view flow,
                        std::string_view dependency, WallTime now);

// The same for an answer in a protocol with codes of its own: the name or number of a gRPC status,
// an AWS error code, five characters of SQLSTATE. Total over every text. An empty code means that
// none came: status or fault decide, and so does a failing status with an AWS code without a row.
// The phase clears doubt with an answer too: its code may have been made on our side, and for SQL
// maybeSeen means that COMMIT was under way.
Classification classify_code(Protocol protocol, std::string_view code, const Outcome& outcome,
                             const ClassifyRules& rules, std::string_view flow,
                             std::string_view dependency, WallTime now);

// The rule that a decision names: "failureMode.<name>" if one matched, otherwise the row's.
std::string rule_name(const Classification& classification);

std::string_view name_of(Protocol protocol);

}  // namespace weir::policy
