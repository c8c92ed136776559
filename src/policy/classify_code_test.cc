// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <set>

#include "policy/classify.h"
#include "policy/testing/classified.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using enum FailureClass;

using testing::flags;
using testing::Header;
using testing::kNow;

struct Coded {
  int status = 0;
  Phase phase = Phase::maybeSeen;
  std::vector<Header> headers;
};

Classification classified(Protocol protocol, std::string_view code, const Coded& coded = {},
                          const ClassifyRules& rules = {}) {
  Outcome outcome;
  outcome.status = coded.status;
  outcome.phase = coded.phase;
  outcome.headers = coded.headers;
  return classify_code(protocol, code, outcome, rules, "flow", "tracker", kNow);
}

struct CodeCase {
  std::string_view code;
  FailureClass failure;
  const char* flags;
  const char* rule;
};

void check_all(Protocol protocol, std::span<const CodeCase> cases) {
  std::set<std::string_view> seen;
  for (const CodeCase& row : cases) {
    CAPTURE(row.code);
    const Classification result = classified(protocol, row.code);
    CHECK(result.failure == row.failure);
    CHECK(flags(result) == row.flags);
    CHECK(result.rule == row.rule);
    CHECK(result.reason.empty() == (row.failure == ok));
    seen.insert(result.rule);
  }
  for (const ClassRow& row : class_table(protocol)) {
    CAPTURE(row.rule);
    CHECK(seen.contains(row.rule));
  }
}

TEST_CASE("every gRPC code has the class that the reference gives it") {
  const CodeCase cases[] = {
      {"OK", ok, "", "grpc.OK"},
      {"CANCELLED", cancelled, "D", "grpc.CANCELLED"},
      {"UNKNOWN", ambiguous, "RIBD", "grpc.UNKNOWN"},
      {"INVALID_ARGUMENT", permanent, "", "grpc.INVALID_ARGUMENT"},
      {"DEADLINE_EXCEEDED", ambiguous, "RIBLD", "grpc.DEADLINE_EXCEEDED"},
      {"NOT_FOUND", permanent, "", "grpc.NOT_FOUND"},
      {"ALREADY_EXISTS", permanent, "", "grpc.ALREADY_EXISTS"},
      {"PERMISSION_DENIED", permanent, "", "grpc.PERMISSION_DENIED"},
      {"RESOURCE_EXHAUSTED", throttled, "RL", "grpc.RESOURCE_EXHAUSTED"},
      {"FAILED_PRECONDITION", permanent, "", "grpc.FAILED_PRECONDITION"},
      {"ABORTED", conflict, "R", "grpc.ABORTED"},
      {"OUT_OF_RANGE", permanent, "", "grpc.OUT_OF_RANGE"},
      {"UNIMPLEMENTED", permanent, "", "grpc.UNIMPLEMENTED"},
      {"INTERNAL", ambiguous, "RIBD", "grpc.INTERNAL"},
      {"UNAVAILABLE", transient, "RIBD", "grpc.UNAVAILABLE"},
      {"DATA_LOSS", permanent, "BD", "grpc.DATA_LOSS"},
      {"UNAUTHENTICATED", auth, "", "grpc.UNAUTHENTICATED"},
      {"17", ambiguous, "RIBD", "grpc.other"},
  };
  check_all(Protocol::grpc, cases);
  // Numbers are those of google.rpc.Code, which the cases above are in the order of.
  for (std::size_t number = 0; number <= 20; ++number) {
    CAPTURE(number);
    const std::string_view wanted = cases[std::min<std::size_t>(number, 17)].rule;
    CHECK(classified(Protocol::grpc, std::to_string(number)).rule == wanted);
  }
  for (const char* text : {"-1", "1x", "99999999999999999999999", "ok", "other", " "})
    CHECK(classified(Protocol::grpc, text).rule == "grpc.other");
}

TEST_CASE("gRPC that was not looked at leaves no doubt") {
  for (const Phase phase : {Phase::notSent, Phase::sentUnseen}) {
    CHECK(flags(classified(Protocol::grpc, "UNAVAILABLE", {.phase = phase})) == "RB");
    CHECK(flags(classified(Protocol::grpc, "DEADLINE_EXCEEDED", {.phase = phase})) == "RBL");
    CHECK(flags(classified(Protocol::grpc, "CANCELLED", {.phase = phase})) == "");
  }
}

TEST_CASE("gRPC pushback delays or forbids the retry") {
  const auto pushed = [](const char* code, const char* text) {
    return classified(Protocol::grpc, code, {.headers = {{"grpc-retry-pushback-ms", text}}});
  };
  CHECK(pushed("RESOURCE_EXHAUSTED", "1500").retry_after == Duration{1500ms});
  CHECK(flags(pushed("RESOURCE_EXHAUSTED", "1500")) == "RL");
  CHECK(flags(pushed("RESOURCE_EXHAUSTED", "-1")) == "L");
  CHECK(flags(pushed("UNAVAILABLE", "-1")) == "BD");
  CHECK(flags(pushed("UNAVAILABLE", "soon")) == "BD");
  CHECK(pushed("UNAVAILABLE", "-1").hint_note == "grpc-retry-pushback-ms '-1' forbids another try");
  CHECK(pushed("OK", "-1").hint_note == "");
}

TEST_CASE("every AWS code has the class that the reference gives it") {
  std::vector<CodeCase> cases = {
      {"RequestTimeout", transient, "RB", "aws.RequestTimeout"},
      {"RequestTimeoutException", transient, "RB", "aws.RequestTimeoutException"},
      {"IDPCommunicationError", transient, "RB", "aws.IDPCommunicationError"},
      {"InternalError", transient, "RIBD", "aws.InternalError"},
      {"ValidationException", permanent, "", "aws.ValidationException"},
      {"ResourceNotFoundException", permanent, "", "aws.ResourceNotFound*"},
      {"ConditionalCheckFailedException", permanent, "", "aws.ConditionalCheckFailed*"},
      {"AccessDenied", auth, "", "aws.AccessDenied*"},
      {"AccessDeniedException", auth, "", "aws.AccessDenied*"},
      {"ExpiredToken", auth, "", "aws.ExpiredToken*"},
      {"ExpiredTokenException", auth, "", "aws.ExpiredToken*"},
      {"Handled", transient, "RB", "aws.Handled"},
      {"Unhandled", ambiguous, "RIBD", "aws.Unhandled"},
      {"Sandbox.Timedout", ambiguous, "RIBLD", "aws.Sandbox.Timedout"},
      {"Runtime.ExitError", ambiguous, "RIBD", "aws.Runtime.*"},
      {"NobodyKnowsThis", ambiguous, "RIBD", "aws.other"},
  };
  for (const char* rule :
       {"aws.Throttling", "aws.ThrottlingException", "aws.ThrottledException",
        "aws.RequestThrottled", "aws.RequestThrottledException", "aws.TooManyRequestsException",
        "aws.ProvisionedThroughputExceededException", "aws.RequestLimitExceeded",
        "aws.BandwidthLimitExceeded", "aws.LimitExceededException", "aws.SlowDown",
        "aws.PriorRequestNotComplete", "aws.TransactionInProgressException",
        "aws.EC2ThrottledException"}) {
    cases.push_back({std::string_view(rule).substr(4), throttled, "RL", rule});
  }
  check_all(Protocol::aws, cases);
}

TEST_CASE("an AWS code goes before its status, and the status before no code") {
  const auto with = [](std::string_view code, int status) {
    return classified(Protocol::aws, code, {.status = status});
  };
  for (const int status : {400, 429, 500, 503}) {
    CHECK(with("SlowDown", status).failure == throttled);
    CHECK(flags(with("ThrottlingException", status)) == "RL");
  }
  CHECK(with("com.amazonaws.dynamodb#ThrottlingException", 400).failure == throttled);
  CHECK(with("ThrottlingException:http://example.org/doc", 400).failure == throttled);
  CHECK(flags(with("RequestTimeout", 400)) == "RB");
  CHECK(flags(with("RequestTimeout", 503)) == "RIBD");
  for (const int status : {500, 502, 503, 504}) {
    CAPTURE(status);
    const Classification unknown = with("NobodyKnowsThis", status);
    CHECK(unknown.rule == "http." + std::to_string(status));
    CHECK(unknown.retryable);
    CHECK(unknown.needs_idempotent);
    CHECK(unknown.counts_breaker);
    CHECK(unknown.in_doubt);
  }
  CHECK(with("NobodyKnowsThis", 400).rule == "http.400");
  CHECK(with("NobodyKnowsThis", 429).failure == throttled);
  CHECK(with("NobodyKnowsThis", 403).failure == auth);
  CHECK(with("NobodyKnowsThis", 200).rule == "aws.other");
  CHECK(with("", 404).rule == "http.404");
  CHECK(with("NobodyKnowsThis", 500).reason ==
        "500 (NobodyKnowsThis) is an error inside the handler");
}

TEST_CASE("x-amz-retry-after is in milliseconds") {
  const auto result = classified(Protocol::aws, "SlowDown",
                                 {.status = 503, .headers = {{"x-amz-retry-after", "1500"}}});
  CHECK(result.retry_after == Duration{1500ms});
}

TEST_CASE("every SQLSTATE has the class that the reference gives it") {
  const CodeCase cases[] = {
      {"00000", ok, "", "sql.00*"},
      {"01000", ok, "", "sql.01*"},
      {"02000", ok, "", "sql.02*"},
      {"40001", conflict, "R", "sql.40001"},
      {"40P01", conflict, "R", "sql.40P01"},
      {"55P03", conflict, "R", "sql.55P03"},
      {"25006", conflict, "R", "sql.25006"},
      {"40003", ambiguous, "RIBD", "sql.40003"},
      {"08007", ambiguous, "RIBD", "sql.08007"},
      {"08001", transient, "RB", "sql.08001"},
      {"08004", transient, "RB", "sql.08004"},
      {"57P03", transient, "RB", "sql.57P03"},
      {"08000", transient, "RIBD", "sql.08*"},
      {"08003", transient, "RIBD", "sql.08*"},
      {"08006", transient, "RIBD", "sql.08*"},
      {"08P01", transient, "RIBD", "sql.08*"},
      {"57P01", transient, "RIBD", "sql.57P01"},
      {"57P02", transient, "RIBD", "sql.57P02"},
      {"57P05", transient, "RIBD", "sql.57P05"},
      {"57014", transient, "RBL", "sql.57014"},
      {"53000", overloaded, "RBL", "sql.53*"},
      {"53300", overloaded, "RBL", "sql.53*"},
      {"23505", conflict, "", "sql.23505"},
      {"22001", permanent, "", "sql.22*"},
      {"23503", permanent, "", "sql.23*"},
      {"42601", permanent, "", "sql.42*"},
      {"0A000", permanent, "", "sql.0A*"},
      {"26000", permanent, "", "sql.26*"},
      {"28P01", auth, "", "sql.28*"},
      {"58030", transient, "RIBD", "sql.58*"},
      {"XX000", transient, "RIBD", "sql.XX000"},
      {"ZZ999", ambiguous, "RIBD", "sql.other"},
      {"57P04", ambiguous, "RIBD", "sql.other"},
      {"4", ambiguous, "RIBD", "sql.other"},
  };
  check_all(Protocol::sql, cases);
  CHECK(classified(Protocol::sql, "40P01").reason ==
        "SQLSTATE 40P01 is a deadlock; the whole transaction may be tried again");
}

TEST_CASE("SQL is in doubt only with a COMMIT under way") {
  for (const char* code : {"08006", "57P01", "58030", "XX000", "08007", "40003"}) {
    CAPTURE(code);
    CHECK(flags(classified(Protocol::sql, code)) == "RIBD");
    CHECK(flags(classified(Protocol::sql, code, {.phase = Phase::notSent})) == "RB");
  }
}

TEST_CASE("failure modes come before the codes") {
  ClassifyRules rules;
  rules.failure_modes = {{.name = "ours", .dependency = "tracker", .failure = permanent}};
  const auto result = classified(Protocol::sql, "40001", {}, rules);
  CHECK(result.failure_mode == "ours");
  CHECK(flags(result) == "");
  CHECK(classified(Protocol::grpc, "OK", {}, rules).failure == ok);
}

TEST_CASE("without a code the status or the fault decides") {
  CHECK(classified(Protocol::grpc, "", {.status = 503}).rule == "http.503");
  CHECK(classified(Protocol::http, "40001", {.status = 422}).rule == "http.422");
  Outcome late;
  late.fault = Fault::timeout;
  CHECK(classify_code(Protocol::sql, "", late, {}, "flow", "tracker", kNow).rule ==
        "transport.timeout");
}

std::string any_code() {
  std::vector<std::string> known;
  for (int part = 0; part < kProtocolCount; ++part) {
    for (const ClassRow& row : class_table(static_cast<Protocol>(part)))
      known.emplace_back(row.code);
  }
  const auto letters = [](const char* allowed) {
    return rc::gen::container<std::string>(5, rc::gen::elementOf(std::string(allowed)));
  };
  return *rc::gen::oneOf(rc::gen::elementOf(known), rc::gen::string<std::string>(),
                         letters("0245578PX"), letters("ABCXYZ019"));
}

TEST_CASE("every text is some code, and doubt never makes a call repeatable") {
  CHECK(testing::holds("codes are total and monotone in doubt", [] {
    const auto protocol = static_cast<Protocol>(*rc::gen::inRange(0, kProtocolCount));
    const std::string code = any_code();
    Coded coded{.status = *rc::gen::inRange(-10, 1100)};
    const Classification seen = classified(protocol, code, coded);
    coded.phase = *rc::gen::element(Phase::notSent, Phase::sentUnseen);
    const Classification unseen = classified(protocol, code, coded);

    RC_ASSERT(!seen.rule.empty());
    RC_ASSERT(seen.reason.empty() == (seen.failure == ok));
    RC_ASSERT(!seen.in_doubt || !seen.retryable || seen.needs_idempotent);
    RC_ASSERT(seen.retryable == unseen.retryable);
    RC_ASSERT(unseen.needs_idempotent <= seen.needs_idempotent);
    RC_ASSERT(unseen.in_doubt <= seen.in_doubt);
    if (seen.failure == cancelled) RC_ASSERT(!seen.counts_breaker && !seen.counts_limiter);
    if (seen.failure == throttled) RC_ASSERT(!seen.counts_breaker && seen.counts_limiter);
  }));
}

}  // namespace
}  // namespace weir::policy
