// SPDX-License-Identifier: Apache-2.0
#include "policy/classify.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/evidence.h"
#include "policy/http_date.h"

namespace weir::policy {
namespace {

constexpr std::size_t kReasonMax = 300;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<Duration> server_minimum(const Outcome& outcome, WallTime now) {
  const std::string* value = outcome.header("retry-after");
  return value == nullptr ? std::nullopt : parse_retry_after(*value, now, kRetryAfterMax);
}

bool matches_row(const ClassRow& row, const Outcome& outcome, bool hinted) {
  if (outcome.fault != Fault::none) return row.fault == outcome.fault;
  if (row.fault != Fault::none) return false;
  if (outcome.status < row.status_first || outcome.status > row.status_last) return false;
  return row.hint == Hint::any || (row.hint == Hint::present) == hinted;
}

const ClassRow& find_row(const Outcome& outcome, bool hinted) {
  const auto table = class_table();
  const auto row = std::find_if(table.begin(), table.end(), [&](const ClassRow& candidate) {
    return matches_row(candidate, outcome, hinted);
  });
  return row == table.end() ? table.back() : *row;
}

// What a class alone says, for failure modes that name one.
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

const FailureModeSpec* find_mode(const ClassifyRules& rules, const Outcome& outcome, bool row_ok,
                                 std::string_view flow, std::string_view dependency) {
  for (const FailureModeSpec& mode : rules.failure_modes) {
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

std::string reason_of(const ClassRow& row, const Outcome& outcome, std::string_view dependency) {
  if (outcome.fault == Fault::none) return fmt::format("{} {}", outcome.status, row.reason);
  std::string reason = fmt::format("{} {}", dependency, row.reason);
  if (outcome.fault == Fault::timeout) reason += " in " + to_text(outcome.latency);
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

}  // namespace

Classification classify(const Outcome& outcome, const ClassifyRules& rules, std::string_view flow,
                        std::string_view dependency, WallTime now) {
  const auto minimum = server_minimum(outcome, now);
  const bool hinted = minimum.has_value() || outcome.header("x-envoy-overloaded") != nullptr;
  const ClassRow& row = find_row(outcome, hinted);
  const bool row_ok = row.failure == FailureClass::ok;
  const Override forced = forced_by(outcome);

  Classification result;
  result.rule = row.rule;
  if (row_ok && forced == Override::none && rules.failure_modes.empty()) return result;

  result.failure = row.failure;
  result.retryable = row.retryable;
  result.needs_idempotent = row.needs_idempotent;
  result.counts_breaker = row.counts_breaker;
  result.counts_limiter = row.counts_limiter;
  result.in_doubt = row.in_doubt;
  if (!row_ok) result.reason = reason_of(row, outcome, dependency);

  if (const auto* mode = find_mode(rules, outcome, row_ok, flow, dependency)) {
    result.failure_mode = mode->name;
    result.reason = reason_of(row, outcome, dependency) +
                    fmt::format(", failure mode {}", mode->name);
    if (mode->failure) apply_class(result, *mode->failure, outcome);
  }
  if (outcome.phase != Phase::maybeSeen && outcome.fault != Fault::none) {
    result.in_doubt = false;
    result.needs_idempotent = false;
  }
  if (forced != Override::none) apply_override(result, forced, outcome);
  if (result.failure != FailureClass::ok) result.retry_after = minimum;
  return result;
}

std::string rule_name(const Classification& classification) {
  const bool by_mode = !classification.failure_mode.empty() &&
                       classification.forced == Override::none;
  return by_mode ? "failureMode." + classification.failure_mode : std::string(classification.rule);
}

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now, Duration max) {
  max = std::max(max, Duration::zero());
  text = trim(text);
  if (text.empty()) return {};
  const bool digits = std::all_of(text.begin(), text.end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    std::int64_t seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    // More digits than fit are an absurdly long wait, not garbage.
    if (parsed.ec == std::errc::result_out_of_range) return max;
    if (seconds > max.count() / 1'000'000) return max;
    return std::min<Duration>(std::chrono::seconds{seconds}, max);
  }
  const auto date = parse_http_date(text, now);
  if (!date) return {};
  return std::clamp<Duration>(*date - now, Duration::zero(), max);
}

}  // namespace weir::policy
