// SPDX-License-Identifier: Apache-2.0
#include "policy/classify.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/classify_rows.h"
#include "policy/failure_modes.h"
#include "policy/server_hint.h"

namespace weir::policy {
namespace {

constexpr std::size_t kReasonMax = 300;
constexpr std::size_t kCodeMax = 64;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One answer and whom it concerns.
struct Answer {
  const Outcome& outcome;
  const ClassifyRules& rules;
  std::string_view flow;
  std::string_view dependency;
  std::string_view code;  // of its protocol; empty without one
};

std::string shown_code(std::string_view code) {
  if (code.size() <= kCodeMax) return printable(code);
  return printable(code.substr(0, kCodeMax)) + "…";
}

// "503", "tracker", "ThrottlingException", "SQLSTATE 40001", "500 (SomeException)".
std::string subject_of(const ClassRow& row, const Answer& answer) {
  if (row.protocol == Protocol::transport) return std::string(answer.dependency);
  if (row.protocol == Protocol::sql) return "SQLSTATE " + shown_code(answer.code);
  if (row.protocol != Protocol::http) return shown_code(answer.code);
  if (answer.code.empty()) return fmt::format("{}", answer.outcome.status);
  return fmt::format("{} ({})", answer.outcome.status, shown_code(answer.code));
}

std::string reason_of(const ClassRow& row, const Answer& answer) {
  std::string reason = fmt::format("{} {}", subject_of(row, answer), row.reason);
  const Outcome& outcome = answer.outcome;
  if (row.protocol != Protocol::transport) return reason;
  if (outcome.fault == Fault::timeout) reason += " in " + weir::to_text(outcome.latency);
  if (!outcome.fault_detail.empty()) reason += " (" + outcome.fault_detail + ")";
  if (reason.size() > kReasonMax) reason.resize(kReasonMax);
  return reason;
}

using Override = Classification::Override;

Override forced_by(const Outcome& outcome) {
  if (outcome.fault != Fault::none) return Override::none;
  const std::string* value = outcome.header("weir-outcome");
  if (value == nullptr) return Override::none;
  const std::string_view word = trim(*value);
  if (equals_ignore_case(word, "done")) return Override::done;
  if (equals_ignore_case(word, "retry")) return Override::retry;
  if (equals_ignore_case(word, "quarantine")) return Override::quarantine;
  if (equals_ignore_case(word, "discard")) return Override::discard;
  return Override::none;
}

std::string_view to_word(Override forced) {
  switch (forced) {
    case Override::none: return "";
    case Override::done: return "done";
    case Override::retry: return "retry";
    case Override::quarantine: return "quarantine";
    case Override::discard: return "discard";
  }
  return "";
}

// The handler looked at the event and says what to do: that leaves no doubt, and is no fault of the
// dependency.
void apply_override(Classification& into, Override forced, const Outcome& outcome) {
  into.forced = forced;
  into.rule = "reply.weir-outcome";
  into.reason = fmt::format("{} with Weir-Outcome: {}", outcome.status, to_word(forced));
  into.in_doubt = false;
  into.needs_idempotent = false;
  into.counts_breaker = false;
  into.retryable = forced == Override::retry;
  if (forced == Override::done) into.failure = FailureClass::ok;
  if (forced == Override::done || into.failure != FailureClass::ok) return;
  into.failure = forced == Override::retry ? FailureClass::transient : FailureClass::permanent;
}

ServerHint hint_of(Protocol protocol, const Outcome& outcome, WallTime now) {
  if (protocol == Protocol::grpc) {
    if (const std::string* value = outcome.header("grpc-retry-pushback-ms"))
      return read_grpc_pushback(*value);
  }
  if (protocol == Protocol::aws) {
    if (const std::string* value = outcome.header("x-amz-retry-after"))
      return read_amz_retry_after(*value);
  }
  const std::string* value = outcome.header("retry-after");
  return value == nullptr ? ServerHint{} : read_retry_after(*value, now);
}

const ClassRow& row_of_answer(const Outcome& outcome, const ServerHint& hint) {
  if (outcome.fault != Fault::none) return fault_row(outcome.fault);
  const bool hinted = hint.minimum.has_value() || outcome.header("x-envoy-overloaded") != nullptr;
  const bool limited = outcome.header("x-envoy-ratelimited") != nullptr;
  return status_row(outcome.status, hinted, limited);
}

const ClassRow& row_of_code(Protocol protocol, std::string_view code, const Outcome& outcome,
                            const ServerHint& hint) {
  if (protocol == Protocol::grpc) return grpc_row(code);
  if (protocol == Protocol::sql) return sql_row(code);
  const ClassRow& row = aws_row(code);
  const bool unknown = &row == &aws_rows().back();
  const bool status_says_more = outcome.status >= 300 && outcome.status <= 599;
  return unknown && status_says_more ? row_of_answer(outcome, hint) : row;
}

void apply_row(Classification& into, const ClassRow& row) {
  into.rule = row.rule;
  into.failure = row.failure;
  into.retryable = row.retryable;
  into.needs_idempotent = row.needs_idempotent;
  into.counts_breaker = row.counts_breaker;
  into.counts_limiter = row.counts_limiter;
  into.in_doubt = row.in_doubt;
}

void clear_doubt(Classification& into) {
  into.in_doubt = false;
  into.needs_idempotent = false;
}

void apply_hint(Classification& into, ServerHint hint) {
  if (into.failure == FailureClass::ok) return;
  into.retry_after = hint.minimum;
  // Where nothing is tried again the hint has no effect, and nothing about it is worth telling.
  if (into.retryable) into.hint_note = std::move(hint.note);
  if (!hint.no_retry) return;
  into.retryable = false;
  into.needs_idempotent = false;
}

Classification meaning_of(const ClassRow& row, const Answer& answer, ServerHint hint) {
  const Outcome& outcome = answer.outcome;
  const bool row_ok = row.failure == FailureClass::ok;
  Classification result;
  apply_row(result, row);
  if (!row_ok) result.reason = reason_of(row, answer);
  // An AWS code whose row knows no doubt is the code of a 4xx; a 5xx does not say how far it got.
  if (row.protocol == Protocol::aws && row.failure == FailureClass::transient &&
      outcome.status >= 500) {
    result.in_doubt = true;
    result.needs_idempotent = true;
  }
  std::optional<Duration> later;
  if (const auto* mode = find_mode(answer.rules.failure_modes, outcome, row_ok, answer.flow,
                                   answer.dependency)) {
    result.failure_mode = mode->name;
    result.reason = reason_of(row, answer) + fmt::format(", failure mode {}", mode->name);
    if (mode->failure) apply_class(result, *mode->failure, outcome);
    result.mode_action = mode->then;
    if (mode->then == ModeAction::retryLater) later = mode->retry_after;
  }
  const bool answered = outcome.fault == Fault::none && answer.code.empty();
  if (outcome.phase != Phase::maybeSeen && !answered) clear_doubt(result);
  const Override forced = forced_by(outcome);
  if (forced != Override::none) apply_override(result, forced, outcome);
  apply_hint(result, std::move(hint));
  if (forced != Override::none) result.mode_action = ModeAction::none;
  if (later && forced == Override::none) {
    result.retryable = true;
    result.needs_idempotent = result.in_doubt;
    result.mode_delay = *later;
  }
  return result;
}

}  // namespace

Classification classify(const Outcome& outcome, const ClassifyRules& rules, std::string_view flow,
                        std::string_view dependency, WallTime now) {
  const Answer answer{outcome, rules, flow, dependency, {}};
  const bool happy = outcome.fault == Fault::none && outcome.status >= 200 &&
                     outcome.status <= 299 && rules.failure_modes.empty();
  if (happy && forced_by(outcome) == Override::none) {
    Classification done;
    done.rule = status_row(outcome.status, false, false).rule;
    return done;
  }
  ServerHint hint = hint_of(Protocol::http, outcome, now);
  const ClassRow& row = row_of_answer(outcome, hint);
  return meaning_of(row, answer, std::move(hint));
}

Classification classify_code(Protocol protocol, std::string_view code, const Outcome& outcome,
                             const ClassifyRules& rules, std::string_view flow,
                             std::string_view dependency, WallTime now) {
  const bool has_codes = protocol == Protocol::grpc || protocol == Protocol::aws ||
                         protocol == Protocol::sql;
  if (code.empty() || !has_codes) return classify(outcome, rules, flow, dependency, now);
  ServerHint hint = hint_of(protocol, outcome, now);
  const ClassRow& row = row_of_code(protocol, code, outcome, hint);
  return meaning_of(row, {outcome, rules, flow, dependency, code}, std::move(hint));
}

std::string rule_name(const Classification& classification) {
  const bool by_mode = !classification.failure_mode.empty() &&
                       classification.forced == Override::none;
  return by_mode ? "failureMode." + classification.failure_mode : std::string(classification.rule);
}

std::span<const ClassRow> class_table(Protocol protocol) {
  switch (protocol) {
    case Protocol::http: return http_rows();
    case Protocol::transport: return transport_rows();
    case Protocol::grpc: return grpc_rows();
    case Protocol::aws: return aws_rows();
    case Protocol::sql: return sql_rows();
  }
  return {};
}

std::string_view name_of(Protocol protocol) {
  switch (protocol) {
    case Protocol::http: return "http";
    case Protocol::transport: return "transport";
    case Protocol::grpc: return "grpc";
    case Protocol::aws: return "aws";
    case Protocol::sql: return "sql";
  }
  return "unknown";
}

}  // namespace weir::policy
