// SPDX-License-Identifier: Apache-2.0
#include "app/policy_question.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"
#include "policy/decide.h"
#include "policy/rate_headers.h"
#include "policy/server_hint.h"
#include "wire/json.h"

namespace weir::app {
namespace {

using policy::ClassRow;
using policy::Protocol;

constexpr std::size_t kHeadersMax = 64;

Error unknown(std::string_view what, const std::string& given,
              const std::vector<std::string>& known) {
  return {Code::usage, fmt::format("'{}' is no {}", printable(given), what),
          did_you_mean(given, known)};
}

Result<int> parse_status(const std::string& text) {
  int status = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, status);
  if (parsed.ec == std::errc{} && parsed.ptr == end) return status;
  std::vector<std::string> known;
  for (const ClassRow& row : policy::class_table(Protocol::http)) {
    if (row.status_first == row.status_last) known.push_back(fmt::format("{}", row.status_first));
  }
  const auto close = nearest(text, known);
  return Error{Code::usage, fmt::format("'{}' is no HTTP status", printable(text)),
               close ? fmt::format("did you mean '{}'?", *close) : "a number, such as 503"};
}

Result<Fault> parse_fault(const std::string& text) {
  std::vector<std::string> known;
  for (int fault = 1; fault < kFaultCount; ++fault) {
    known.emplace_back(to_text(static_cast<Fault>(fault)));
    if (known.back() == text) return static_cast<Fault>(fault);
  }
  return unknown("fault", text, known);
}

Result<Phase> parse_phase(const std::string& text) {
  std::vector<std::string> known;
  for (const Phase phase : {Phase::notSent, Phase::sentUnseen, Phase::maybeSeen}) {
    known.emplace_back(to_text(phase));
    if (known.back() == text) return phase;
  }
  return unknown("phase", text, known);
}

Result<> check_grpc(const std::string& code) {
  std::vector<std::string> known;
  for (const ClassRow& row : policy::class_table(Protocol::grpc)) known.emplace_back(row.code);
  known.pop_back();  // the default is no name
  const bool number = std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
  if (number || std::ranges::find(known, code) != known.end()) return {};
  return unknown("status code of gRPC", code, known);
}

// AWS has codes without end; what is nearly a known one is a typing mistake.
Result<> check_aws(const std::string& code) {
  std::vector<std::string> known;
  for (const ClassRow& row : policy::class_table(Protocol::aws)) {
    if (!row.code.ends_with('*')) known.emplace_back(row.code);
  }
  if (std::ranges::find(known, code) != known.end()) return {};
  const auto close = nearest(code, known);
  if (!close) return {};
  return Error{Code::usage, fmt::format("no rule knows the AWS code '{}'", printable(code)),
               fmt::format("did you mean '{}'?", *close)};
}

Result<> check_sqlstate(const std::string& code) {
  const bool allowed = std::ranges::all_of(
      code, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  if (allowed && code.size() == 5) return {};
  return Error{Code::usage, fmt::format("'{}' is no SQLSTATE", printable(code)),
               "five digits or capital letters, such as 40001"};
}

Result<> add_code(const PolicyFlags& flags, PolicyQuestion& question) {
  if (!flags.grpc.empty()) {
    WEIR_CHECK(check_grpc(flags.grpc));
    question.protocol = Protocol::grpc;
    question.code = flags.grpc;
  }
  if (!flags.aws.empty()) {
    WEIR_CHECK(check_aws(flags.aws));
    question.protocol = Protocol::aws;
    question.code = flags.aws;
  }
  if (!flags.sqlstate.empty()) {
    WEIR_CHECK(check_sqlstate(flags.sqlstate));
    question.protocol = Protocol::sql;
    question.code = flags.sqlstate;
  }
  return {};
}

Result<> check_together(const PolicyFlags& flags) {
  const int codes = !flags.grpc.empty() + !flags.aws.empty() + !flags.sqlstate.empty();
  const bool status = !flags.status.empty();
  const bool fault = !flags.fault.empty();
  if (codes == 0 && !status && !fault)
    return Error{Code::usage, "nothing to explain",
                 "give --status, --fault, --grpc, --aws or --sqlstate; --all lists the table"};
  if (codes > 1 || (fault && (status || codes > 0)) || (status && codes > 0 && flags.aws.empty()))
    return Error{Code::usage, "one outcome at a time",
                 "only --status and --aws go together: the code and the status of one answer"};
  if (status && codes == 0 && !flags.phase.empty())
    return Error{Code::usage, "a handler that answers has seen the event",
                 "--phase goes with --fault, --grpc, --aws and --sqlstate"};
  return {};
}

Result<> add_headers(const PolicyFlags& flags, Outcome& outcome) {
  if (flags.headers.size() > kHeadersMax)
    return Error{Code::usage, fmt::format("more than {} headers", kHeadersMax), ""};
  for (const std::string& header : flags.headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos || colon == 0)
      return Error{Code::usage, fmt::format("'{}' is no header", printable(header)),
                   "for example --header 'Retry-After: 5'"};
    std::string value = header.substr(colon + 1);
    value.erase(0, value.find_first_not_of(' '));
    outcome.headers.emplace_back(to_lower(header.substr(0, colon)), std::move(value));
  }
  return {};
}

void write_flags(wire::JsonWriter& json, const auto& row) {
  json.field("class", to_text(row.failure)).field("retriable", row.retryable);
  json.field("needsIdempotent", row.needs_idempotent).field("countsForBreaker", row.counts_breaker);
  json.field("countsForLimiter", row.counts_limiter).field("inDoubt", row.in_doubt);
}

std::string_view source_of(std::string_view rule) {
  for (int part = 0; part < policy::kProtocolCount; ++part) {
    for (const ClassRow& row : policy::class_table(static_cast<Protocol>(part))) {
      if (row.rule == rule) return row.source;
    }
  }
  return "the handler's Weir-Outcome";
}

void write_decision(wire::JsonWriter& json, const Classification& meaning, const FlowSpec& flow,
                    WallTime now) {
  Delivery delivery;
  delivery.attempts = 1;
  delivery.attempts_this_round = 1;
  delivery.deadline = now + flow.policy.timeouts.event;
  const policy::DecideInput input{flow.policy,     delivery, flow.idempotent,
                                  flow.on_failure, meaning,  now};
  Rng rng(1);  // only the moment within the range depends on it
  const Decision decision = policy::decide(input, rng);
  json.field("flow", flow.name).field("dependency", flow.dependency);
  json.field("decision", to_text(decision.kind));
  if (decision.kind == DecisionKind::retryAt) {
    const policy::DelayRange range = policy::retry_range(input);
    json.field("delay", fmt::format("{} to {}", policy::whole_units(range.least),
                                    policy::whole_units(range.most)));
  }
  if (!decision.rule.empty()) json.field("decidedBy", decision.rule);
  if (!decision.reason.empty()) json.field("because", decision.reason);
}

}  // namespace

Result<PolicyQuestion> parse_question(const PolicyFlags& flags) {
  WEIR_CHECK(check_together(flags));
  PolicyQuestion question;
  if (!flags.status.empty()) {
    WEIR_TRY(question.outcome.status, parse_status(flags.status));
  }
  if (!flags.fault.empty()) {
    WEIR_TRY(question.outcome.fault, parse_fault(flags.fault));
    question.protocol = Protocol::transport;
  }
  if (!flags.phase.empty()) {
    WEIR_TRY(question.outcome.phase, parse_phase(flags.phase));
  }
  WEIR_CHECK(add_code(flags, question));
  WEIR_CHECK(add_headers(flags, question.outcome));
  if (flags.body.size() > kOutcomeBodyMax)
    return Error{Code::usage, fmt::format("a body of more than {} bytes", kOutcomeBodyMax),
                 "so much of an answer is looked at"};
  question.outcome.body = flags.body;
  return question;
}

std::string explain_policy_json(const PolicyQuestion& question, const Config& config,
                                const FlowSpec* flow, WallTime now) {
  Outcome outcome = question.outcome;
  outcome.latency = flow == nullptr ? TimeoutsSpec{}.attempt : flow->policy.timeouts.attempt;
  const policy::ClassifyRules rules{config.failure_modes};
  const Classification meaning = policy::classify_code(
      question.protocol, question.code, outcome, rules, flow == nullptr ? "" : flow->name,
      flow == nullptr ? "the dependency" : flow->dependency, now);
  wire::JsonWriter json;
  json.begin_object().field("rule", policy::rule_name(meaning)).field("row", meaning.rule);
  write_flags(json, meaning);
  if (!meaning.reason.empty()) json.field("reason", meaning.reason);
  json.field("source", source_of(meaning.rule));
  if (meaning.retry_after) json.field("notBefore", policy::whole_units(*meaning.retry_after));
  if (!meaning.hint_note.empty()) json.field("note", meaning.hint_note);
  const std::string pace = policy::describe(policy::read_server_pace(outcome, meaning, now));
  if (!pace.empty()) json.field("pace", pace);
  if (!meaning.failure_mode.empty()) json.field("failureMode", meaning.failure_mode);
  if (flow != nullptr) write_decision(json, meaning, *flow, now);
  json.end_object();
  return std::move(json).take();
}

std::string class_table_json() {
  wire::JsonWriter json;
  json.begin_object().key("rows").begin_array();
  for (int part = 0; part < policy::kProtocolCount; ++part) {
    for (const ClassRow& row : policy::class_table(static_cast<Protocol>(part))) {
      json.begin_object().field("rule", row.rule);
      write_flags(json, row);
      json.field("reason", row.reason).field("source", row.source).end_object();
    }
  }
  json.end_array().end_object();
  return std::move(json).take();
}

}  // namespace weir::app
