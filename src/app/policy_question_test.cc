// SPDX-License-Identifier: Apache-2.0
#include "app/policy_question.h"

#include <doctest/doctest.h>

#include "app/cells.h"
#include "wire/json.h"

namespace weir::app {
namespace {

const WallTime kAsked = from_micros(1'795'000'000'000'000);

std::string said(const PolicyFlags& flags, const char* member, const FlowSpec* flow = nullptr) {
  const auto question = parse_question(flags);
  REQUIRE(question.ok());
  const std::string json = explain_policy_json(*question, {}, flow, kAsked);
  const auto document = wire::parse_json(json);
  REQUIRE(document.ok());
  return cell(document->root(), member, CellKind::text, kAsked);
}

std::string refused(const PolicyFlags& flags) {
  const auto question = parse_question(flags);
  REQUIRE_FALSE(question.ok());
  CHECK(question.error().code == Code::usage);
  return question.error().hint;
}

TEST_CASE("each kind of outcome is explained by its row") {
  const PolicyFlags hinted{.status = "503", .headers = {"Retry-After: 5"}};
  CHECK(said(hinted, "rule") == "http.503.hinted");
  CHECK(said(hinted, "notBefore") == "5 s");
  CHECK(said({.fault = "timeout"}, "reason") == "the dependency did not answer in 10.0 s");
  CHECK(said({.fault = "timeout"}, "inDoubt") == "yes");
  CHECK(said({.fault = "timeout", .phase = "notSent"}, "inDoubt") == "no");
  CHECK(said({.grpc = "14"}, "rule") == "grpc.UNAVAILABLE");
  CHECK(said({.status = "503", .aws = "SlowDown"}, "class") == "throttled");
  CHECK(said({.sqlstate = "40001"}, "class") == "conflict");
  CHECK(said({.status = "429", .headers = {"retry-after:31536000"}}, "note") ==
        "Retry-After of 365 d cut to 24 h");
  CHECK(said({.status = "200", .headers = {R"(RateLimit: "p";r=0;t=99999999)"}}, "pace") ==
        "0 calls left for 1 d 0 h, cut from what it asked for");
}

TEST_CASE("with a flow it says what would be done") {
  FlowSpec flow;
  flow.name = "sync";
  flow.dependency = "tracker";
  const PolicyFlags hinted{.status = "503", .headers = {"Retry-After: 5"}};
  CHECK(said(hinted, "decision", &flow) == "retryAt");
  CHECK(said(hinted, "delay", &flow) == "5 s to 6 s");
  CHECK(said({.status = "422"}, "decision", &flow) == "quarantine");
  flow.idempotent = false;
  CHECK(said({.fault = "timeout"}, "decidedBy", &flow) == "inDoubt");
}

TEST_CASE("what is not known is refused with what was meant") {
  CHECK(refused({.status = "5o3"}) == "did you mean '503'?");
  CHECK(refused({.fault = "timeuot"}) == "did you mean 'timeout'?");
  CHECK(refused({.fault = "timeout", .phase = "notsent"}) == "did you mean 'notSent'?");
  CHECK(refused({.grpc = "UNAVAILBLE"}) == "did you mean 'UNAVAILABLE'?");
  CHECK(refused({.aws = "ThrotlingException"}) == "did you mean 'ThrottlingException'?");
  CHECK(refused({.sqlstate = "4001"}) == "five digits or capital letters, such as 40001");
  CHECK(refused({.status = "503", .headers = {"nothing"}}).starts_with("for example --header"));
  CHECK(refused({}).starts_with("give --status"));
  CHECK(refused({.status = "503", .fault = "timeout"}).starts_with("only --status and --aws"));
  CHECK(refused({.status = "503", .phase = "notSent"}).starts_with("--phase goes with"));
  CHECK(refused({.status = "500", .body = std::string(5000, 'x')}).starts_with("so much"));
}

}  // namespace
}  // namespace weir::app
