// SPDX-License-Identifier: Apache-2.0
#include "policy/fingerprint.h"

#include <set>

#include "policy/evidence.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

Outcome answer(int status, std::string body, std::string type = "application/json") {
  Outcome outcome;
  outcome.status = status;
  outcome.body = std::move(body);
  outcome.headers = {{"content-type", std::move(type)}};
  return outcome;
}

Fingerprint printed(const Outcome& outcome) {
  return fingerprint("sync", "tracker", FailureClass::transient, &outcome, "http.500");
}

const char* const kProblem =
    R"({"type":"urn:tracker:missing-repository","title":"no repository","status":422,"detail":"17"})";

TEST_CASE("a problem's type comes first, then its title") {
  const Fingerprint typed = printed(answer(422, kProblem, "application/problem+json"));
  CHECK(typed.title == "422 urn:tracker:missing-repository");
  CHECK(typed.normalised == "problem urn:tracker:missing-repository");
  const Fingerprint titled = printed(answer(
      422, R"({"type":"about:blank","title":"Order 17 unknown"})", "application/problem+json"));
  CHECK(titled.title == "422 Order <n> unknown");
  CHECK(titled.normalised == "problem title Order <n> unknown");
}

TEST_CASE("an undeclared problem is believed if its type is a URI") {
  CHECK(problem_type_of(answer(422, kProblem)) == "urn:tracker:missing-repository");
  CHECK(problem_type_of(answer(422, R"({"type":"ValidationError"})")) == "");
  CHECK(problem_type_of(
            answer(422, R"({"type":"x"})", "application/problem+json; charset=utf-8")) == "x");
  CHECK(problem_type_of(answer(422, R"({"type":17})", "application/problem+json")) == "");
  CHECK(problem_type_of(answer(422, R"({"type":"urn:x")")) == "");
  CHECK(problem_type_of(answer(422, "")) == "");
}

TEST_CASE("then what was thrown, and where") {
  const std::string trace =
      "Traceback (most recent call last):\n  File \"/app/service.py\", line 41, in sync_ticket\n"
      "    x\nKeyError: 'repository'\n";
  const Fingerprint traced = printed(answer(500, trace, "text/plain"));
  CHECK(traced.title == "500 KeyError in service.py:sync_ticket");
  CHECK(traced.normalised == "thrown KeyError in service.py:sync_ticket");

  const Fingerprint structured = printed(answer(
      500, R"({"error":{"type":"KeyError","message":"'r'","frame":"service.py:sync_ticket:41"}})"));
  CHECK(structured.hash == traced.hash);
}

TEST_CASE("two reasons that read alike are two groups") {
  const Fingerprint problem = printed(
      answer(422, R"({"type":"urn:gone"})", "application/problem+json"));
  const Fingerprint text = printed(answer(422, "urn:gone", "text/plain"));
  REQUIRE(problem.title == text.title);
  CHECK(problem.hash != text.hash);
}

TEST_CASE("otherwise status and template, fault, or rule") {
  CHECK(printed(answer(500, "order 17 failed", "text/plain")).title == "500 order <n> failed");
  CHECK(printed(answer(500, "")).title == "500");
  Outcome late;
  late.fault = Fault::timeout;
  CHECK(printed(late).title == "tracker did not answer");
  const Fingerprint rule = fingerprint("sync", "tracker", FailureClass::expired, nullptr,
                                       "timeouts.event");
  CHECK(rule.title == "expired: timeouts.event");
}

TEST_CASE("the hash is 16 hex digits of everything that tells failures apart") {
  const Outcome body = answer(500, "order 17 failed", "text/plain");
  const Outcome other = answer(500, "user 17 failed", "text/plain");
  const Outcome status = answer(502, "order 17 failed", "text/plain");
  std::set<std::string> hashes;
  const auto add = [&](const Fingerprint& print) {
    CHECK(print.hash.size() == 16);
    CHECK(print.hash.find_first_not_of("0123456789abcdef") == std::string::npos);
    CHECK(hashes.insert(print.hash).second);
  };
  using enum FailureClass;
  add(fingerprint("sync", "tracker", transient, &body, "r"));
  add(fingerprint("sync2", "tracker", transient, &body, "r"));
  add(fingerprint("sync", "tracker2", transient, &body, "r"));
  add(fingerprint("sync t", "racker", transient, &body, "r"));
  add(fingerprint("sync", "tracker", ambiguous, &body, "r"));
  add(fingerprint("sync", "tracker", transient, &other, "r"));
  add(fingerprint("sync", "tracker", transient, &status, "r"));
  add(fingerprint("sync", "tracker", transient, nullptr, "r"));
  CHECK(fingerprint("sync", "tracker", transient, &body, "r") ==
        fingerprint("sync", "tracker", transient, &body, "another"));
}

TEST_CASE("groups of one cause stay one group, whatever the numbers") {
  CHECK(testing::holds("fingerprint is stable", [] {
    const auto body = [] {
      return "order " + std::to_string(*rc::gen::inRange(0, 1 << 30)) + " of customer " +
             std::to_string(*rc::gen::inRange(0, 1 << 30)) + " failed";
    };
    RC_ASSERT(printed(answer(500, body())) == printed(answer(500, body())));
  }));
}

TEST_CASE("titles are bounded, and cut between characters") {
  std::string body = "x";
  while (body.size() < 1000) body += "ü";
  const Fingerprint print = printed(answer(500, body, "text/plain"));
  CHECK(print.title.size() <= 123);
  CHECK(print.title.ends_with("ü…"));
}

TEST_CASE("total over arbitrary bodies") {
  CHECK(testing::holds("fingerprint is total", [](const std::string& body) {
    for (const char* type : {"application/problem+json", "text/plain"}) {
      RC_ASSERT(printed(answer(500, body, type)).hash.size() == 16);
      RC_ASSERT(printed(answer(500, "{\"type\":\"" + body, type)).hash.size() == 16);
    }
  }));
}

}  // namespace
}  // namespace weir::policy
