// SPDX-License-Identifier: Apache-2.0
#include "policy/classify.h"

#include <set>

#include "policy/testing/classified.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using enum FailureClass;

using testing::flags;
using testing::Header;
using testing::kNow;

Outcome answer(int status, std::vector<Header> headers = {}, std::string body = "") {
  Outcome outcome;
  outcome.status = status;
  outcome.headers = std::move(headers);
  outcome.body = std::move(body);
  return outcome;
}

Outcome broken(Fault fault, Phase phase = Phase::maybeSeen) {
  Outcome outcome;
  outcome.fault = fault;
  outcome.phase = phase;
  return outcome;
}

Classification classified(const Outcome& outcome, const ClassifyRules& rules = {}) {
  return classify(outcome, rules, "flow", "tracker", kNow);
}

struct StatusCase {
  int status;
  FailureClass failure;
  const char* flags;
  const char* rule;
};

TEST_CASE("every status has the class that the reference gives it") {
  const StatusCase cases[] = {
      {200, ok, "", "http.2xx"},
      {202, ok, "", "http.2xx"},
      {204, ok, "", "http.2xx"},
      {299, ok, "", "http.2xx"},
      {100, ambiguous, "RIBD", "http.1xx"},
      {301, permanent, "", "http.3xx"},
      {304, permanent, "", "http.3xx"},
      {400, permanent, "", "http.400"},
      {401, auth, "", "http.401"},
      {402, permanent, "", "http.4xx"},
      {403, auth, "", "http.403"},
      {404, permanent, "", "http.404"},
      {405, permanent, "", "http.405"},
      {406, permanent, "", "http.4xx"},
      {408, transient, "R", "http.408"},
      {407, auth, "", "http.407"},
      {409, conflict, "", "http.409"},
      {410, permanent, "", "http.410"},
      {411, permanent, "", "http.4xx"},
      {412, conflict, "", "http.412"},
      {413, permanent, "", "http.413"},
      {414, permanent, "", "http.4xx"},
      {415, permanent, "", "http.415"},
      {416, permanent, "", "http.4xx"},
      {417, permanent, "", "http.4xx"},
      {421, transient, "R", "http.421"},
      {422, permanent, "", "http.422"},
      {423, transient, "R", "http.423"},
      {425, refused, "R", "http.425"},
      {426, permanent, "", "http.4xx"},
      {428, permanent, "", "http.4xx"},
      {429, throttled, "RL", "http.429"},
      {431, permanent, "", "http.4xx"},
      {451, permanent, "", "http.4xx"},
      {499, cancelled, "D", "http.499"},
      {500, transient, "RIBD", "http.500"},
      {501, permanent, "", "http.501"},
      {502, ambiguous, "RIBD", "http.502"},
      {503, transient, "RIBLD", "http.503"},
      {504, ambiguous, "RIBLD", "http.504"},
      {505, permanent, "", "http.505"},
      {506, permanent, "", "http.506"},
      {507, overloaded, "RBL", "http.507"},
      {508, permanent, "", "http.508"},
      {510, permanent, "", "http.510"},
      {511, permanent, "", "http.511"},
      {529, overloaded, "RIBLD", "http.529"},
      {555, transient, "RIBD", "http.5xx"},
      {0, ambiguous, "RIBD", "http.unknown"},
      {99, ambiguous, "RIBD", "http.unknown"},
      {600, ambiguous, "RIBD", "http.unknown"},
      {-5, ambiguous, "RIBD", "http.unknown"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.status);
    const Classification result = classified(answer(row.status));
    CHECK(result.failure == row.failure);
    CHECK(flags(result) == row.flags);
    CHECK(result.rule == row.rule);
  }
}

struct FaultCase {
  Fault fault;
  FailureClass failure;
  const char* flags;
  const char* rule;
};

TEST_CASE("every fault has the class that the reference gives it") {
  const FaultCase cases[] = {
      {Fault::dnsTemporary, transient, "RB", "transport.dnsTemporary"},
      {Fault::dnsNotFound, config, "B", "transport.dnsNotFound"},
      {Fault::refused, transient, "RB", "transport.refused"},
      {Fault::unreachable, transient, "RB", "transport.unreachable"},
      {Fault::connectTimeout, transient, "RBL", "transport.connectTimeout"},
      {Fault::tlsHandshake, transient, "RB", "transport.tlsHandshake"},
      {Fault::tlsVerify, config, "B", "transport.tlsVerify"},
      {Fault::sendFailed, refused, "R", "transport.sendFailed"},
      {Fault::timeout, ambiguous, "RIBLD", "transport.timeout"},
      {Fault::connectionClosed, ambiguous, "RIBD", "transport.connectionClosed"},
      {Fault::malformedAnswer, ambiguous, "RIBD", "transport.malformedAnswer"},
      {Fault::answerTooLarge, ambiguous, "RIBD", "transport.answerTooLarge"},
      {Fault::cancelled, cancelled, "D", "transport.cancelled"},
      {Fault::egressRefused, config, "B", "transport.egressRefused"},
  };
  CHECK(std::size(cases) == kFaultCount - 1);
  for (const auto& row : cases) {
    CAPTURE(row.rule);
    const Classification result = classified(broken(row.fault));
    CHECK(result.failure == row.failure);
    CHECK(flags(result) == row.flags);
    CHECK(result.rule == row.rule);
  }
}

// What the table says, found without any index.
const ClassRow& first_row(int status, bool hinted) {
  for (const ClassRow& row : class_table(Protocol::http)) {
    if (row.hint == Hint::rateLimited || row.rule == "http.unknown") continue;
    if (status < row.status_first || status > row.status_last) continue;
    if (row.hint == Hint::any || (row.hint == Hint::present) == hinted) return row;
  }
  return class_table(Protocol::http).back();
}

TEST_CASE("every row has a name of its own, a reason and a source") {
  std::set<std::string_view> rules;
  for (int part = 0; part < kProtocolCount; ++part) {
    const auto protocol = static_cast<Protocol>(part);
    CHECK_FALSE(class_table(protocol).empty());
    for (const ClassRow& row : class_table(protocol)) {
      CAPTURE(row.rule);
      CHECK(row.protocol == protocol);
      CHECK(rules.insert(row.rule).second);
      CHECK(row.rule.starts_with(std::string(name_of(protocol)) + "."));
      CHECK_FALSE(row.reason.empty());
      CHECK_FALSE(row.source.empty());
      // Doubt makes a repetition depend on idempotency, and nothing else does.
      if (row.retryable) CHECK(row.needs_idempotent == row.in_doubt);
      if (!row.retryable) CHECK_FALSE(row.needs_idempotent);
      if (row.failure == cancelled) CHECK_FALSE(row.counts_breaker);
      if (row.failure == cancelled) CHECK_FALSE(row.counts_limiter);
      if (row.failure == throttled) CHECK_FALSE(row.counts_breaker);
      if (row.failure == throttled) CHECK(row.counts_limiter);
    }
  }
  CHECK(class_table(static_cast<Protocol>(200)).empty());
}

TEST_CASE("the function is total, and every status gets the first row that takes it") {
  for (int status = -10; status <= 1100; ++status) {
    CAPTURE(status);
    for (const bool hinted : {false, true}) {
      Outcome outcome = answer(status);
      if (hinted) outcome.headers.emplace_back("retry-after", "3");
      const Classification result = classified(outcome);
      CHECK(result.rule == first_row(status, hinted).rule);
      CHECK(result.reason.empty() == (result.failure == ok));
      CHECK(result.hint_note.empty());
      if (result.retryable) CHECK(result.needs_idempotent == result.in_doubt);
    }
  }
  for (int fault = 1; fault < kFaultCount; ++fault) {
    CAPTURE(fault);
    const ClassRow& row = class_table(Protocol::transport)[static_cast<std::size_t>(fault - 1)];
    CHECK(row.fault == static_cast<Fault>(fault));
    for (const Phase phase : {Phase::notSent, Phase::sentUnseen, Phase::maybeSeen}) {
      const Classification result = classified(broken(row.fault, phase));
      CHECK(result.rule == row.rule);
      CHECK(result.in_doubt == (row.in_doubt && phase == Phase::maybeSeen));
      CHECK(result.needs_idempotent == (row.needs_idempotent && phase == Phase::maybeSeen));
      CHECK(result.retryable == row.retryable);
      CHECK_FALSE(result.reason.empty());
    }
  }
  CHECK(classified(broken(static_cast<Fault>(250))).rule == "http.unknown");
}

TEST_CASE("409 is tried again only if the server expects it to end") {
  const Classification running = classified(answer(409, {{"retry-after", "2"}}));
  CHECK(running.rule == "http.409.hinted");
  CHECK(running.failure == conflict);
  CHECK(flags(running) == "R");
  CHECK(running.retry_after == Duration{2s});
  CHECK(flags(classified(answer(409, {{"retry-after", "soon"}}))) == "");
  CHECK(flags(classified(answer(412, {{"retry-after", "2"}}))) == "");
}

TEST_CASE("a rate limit of Envoy is throttling whatever status carries it") {
  for (const int status : {400, 403, 429, 500, 503, 599}) {
    CAPTURE(status);
    const Classification result = classified(answer(status, {{"x-envoy-ratelimited", "true"}}));
    CHECK(result.rule == "http.rateLimited");
    CHECK(result.failure == throttled);
    CHECK(flags(result) == "RL");
  }
  CHECK(classified(answer(200, {{"x-envoy-ratelimited", "true"}})).failure == ok);
  CHECK(classified(answer(302, {{"x-envoy-ratelimited", "true"}})).rule == "http.3xx");
}

TEST_CASE("what is wrong with a hint is noted where it matters") {
  const auto note = [](int status, const char* value) {
    return classified(answer(status, {{"retry-after", value}})).hint_note;
  };
  CHECK(note(429, "31536000") == "Retry-After of 365 d cut to 24 h");
  CHECK(note(503, "soon") == "Retry-After 'soon' is no time, ignored");
  CHECK(note(429, "5") == "");
  CHECK(note(422, "soon") == "");
  CHECK(note(200, "soon") == "");
}

TEST_CASE("a request that was not looked at leaves no doubt") {
  for (int fault = 1; fault < kFaultCount; ++fault) {
    for (const Phase phase : {Phase::notSent, Phase::sentUnseen}) {
      const Classification result = classified(broken(static_cast<Fault>(fault), phase));
      CHECK_FALSE(result.in_doubt);
      CHECK_FALSE(result.needs_idempotent);
    }
  }
}

TEST_CASE("a hint makes 503 and 529 an overload without doubt") {
  for (const int status : {503, 529}) {
    for (const Header& hint : {Header{"retry-after", "7"}, Header{"x-envoy-overloaded", "true"}}) {
      const Classification result = classified(answer(status, {hint}));
      CHECK(result.failure == overloaded);
      CHECK(flags(result) == "RL");
    }
    const Classification garbage = classified(answer(status, {{"retry-after", "soon"}}));
    CHECK(flags(garbage) == "RIBLD");
    CHECK_FALSE(garbage.retry_after);
  }
}

TEST_CASE("the server's minimum is kept for failures only") {
  CHECK(classified(answer(429, {{"retry-after", "9"}})).retry_after == Duration{9s});
  CHECK(classified(answer(500, {{"retry-after", "9"}})).retry_after == Duration{9s});
  CHECK_FALSE(classified(answer(200, {{"retry-after", "9"}})).retry_after);
}

using Override = Classification::Override;

TEST_CASE("Weir-Outcome overrides everything, without doubt and without the breaker") {
  ClassifyRules rules;
  rules.failure_modes.push_back({.name = "mode", .status = {500}, .failure = permanent});
  const auto forced = [&](int status, const char* word) {
    return classified(answer(status, {{"weir-outcome", word}}), rules);
  };
  CHECK(forced(500, "done").failure == ok);
  CHECK(forced(500, "done").forced == Override::done);
  CHECK(forced(200, "retry").failure == transient);
  CHECK(forced(200, "RETRY ").forced == Override::retry);
  CHECK(flags(forced(422, "retry")) == "R");
  CHECK(forced(200, "quarantine").failure == permanent);
  CHECK(flags(forced(503, "quarantine")) == "L");
  CHECK(forced(500, "discard").forced == Override::discard);
  CHECK(forced(500, "discard").rule == "reply.weir-outcome");
  CHECK(rule_name(forced(500, "discard")) == "reply.weir-outcome");
  CHECK(forced(502, "perhaps").forced == Override::none);
  CHECK(forced(502, "perhaps").failure == ambiguous);
  CHECK(classified(answer(200, {{"weir-outcome", "retry"}, {"retry-after", "4"}})).retry_after ==
        Duration{4s});
}

TEST_CASE("the first failure mode whose conditions all hold wins") {
  ClassifyRules rules;
  rules.failure_modes = {
      {.name = "other-flow", .status = {422}, .flow = "elsewhere", .failure = transient},
      {.name = "other-dependency",
       .status = {422},
       .dependency = "elsewhere",
       .failure = transient},
      {.name = "no-repository",
       .status = {422},
       .problem_type = {"urn:x", "urn:missing"},
       .failure = permanent},
      {.name = "late",
       .status = {422, 423},
       .flow = "flow",
       .dependency = "tracker",
       .failure = overloaded},
      {.name = "brownout", .fault = {Fault::timeout}},
  };
  const std::vector<Header> problem = {{"content-type", "application/problem+json"}};

  const auto typed = classified(answer(422, problem, R"({"type":"urn:missing"})"), rules);
  CHECK(typed.failure_mode == "no-repository");
  CHECK(rule_name(typed) == "failureMode.no-repository");
  CHECK(typed.reason == "422 is permanent, failure mode no-repository");

  const auto untyped = classified(answer(422, problem, R"({"type":"urn:other"})"), rules);
  CHECK(untyped.failure_mode == "late");
  CHECK(untyped.failure == overloaded);
  CHECK(flags(untyped) == "RL");

  const auto late = classified(broken(Fault::timeout), rules);
  CHECK(late.failure_mode == "brownout");
  CHECK(late.failure == ambiguous);
  CHECK(flags(late) == "RIBLD");

  CHECK(classified(answer(500), rules).failure_mode.empty());
  CHECK(rule_name(classified(answer(500), rules)) == "http.500");
}

TEST_CASE(
    "what a failure mode says about the class decides, but no word ends the doubt of a timeout") {
  const auto with = [](FailureClass failure, const Outcome& outcome) {
    ClassifyRules rules;
    rules.failure_modes.push_back({.name = "mode", .failure = failure});
    return classified(outcome, rules);
  };
  CHECK(flags(with(permanent, answer(500))) == "");
  CHECK(flags(with(transient, answer(500))) == "RIBD");
  CHECK(flags(with(transient, answer(422))) == "RB");
  CHECK(flags(with(throttled, answer(500))) == "RL");
  CHECK(flags(with(ambiguous, answer(422))) == "RIBD");
  CHECK(flags(with(ok, answer(409))) == "");
  CHECK(flags(with(permanent, broken(Fault::timeout))) == "D");
  CHECK(flags(with(transient, broken(Fault::timeout))) == "RIBD");
  CHECK(flags(with(transient, broken(Fault::timeout, Phase::notSent))) == "RB");
  CHECK(flags(with(refused, broken(Fault::timeout))) == "RID");
}

TEST_CASE("a success becomes a failure only if a mode lists its status and a class") {
  ClassifyRules rules;
  rules.failure_modes = {{.name = "any", .failure = permanent}, {.name = "named", .status = {202}}};
  CHECK(classified(answer(202), rules).failure == ok);
  rules.failure_modes.push_back({.name = "both", .status = {202}, .failure = transient});
  CHECK(classified(answer(202), rules).failure == transient);
  CHECK(classified(answer(202), rules).failure_mode == "both");
  CHECK(classified(answer(200), rules).failure == ok);
}

TEST_CASE("doubt never makes something retryable without a key") {
  CHECK(testing::holds("classification is monotone in doubt", [] {
    Outcome outcome = answer(*rc::gen::inRange(0, 1000));
    outcome.fault = static_cast<Fault>(*rc::gen::inRange(0, kFaultCount));
    outcome.phase = Phase::maybeSeen;
    ClassifyRules rules;
    const int given = *rc::gen::inRange(-1, kFailureClassCount);
    if (given >= 0) {
      rules.failure_modes.push_back({.name = "mode", .failure = static_cast<FailureClass>(given)});
    }
    const Classification seen = classified(outcome, rules);
    outcome.phase = Phase::notSent;
    const Classification unseen = classified(outcome, rules);
    RC_ASSERT(!seen.in_doubt || !seen.retryable || seen.needs_idempotent);
    RC_ASSERT(seen.retryable == unseen.retryable);
    RC_ASSERT(unseen.needs_idempotent <= seen.needs_idempotent);
    if (seen.failure == cancelled) RC_ASSERT(!seen.counts_breaker);
  }));
}

TEST_CASE("a reason is one sentence that names what happened") {
  Outcome late = broken(Fault::timeout);
  late.latency = 1s;
  CHECK(classified(late).reason == "tracker did not answer in " + to_text(Duration{1s}));
  Outcome closed = broken(Fault::refused);
  closed.fault_detail = "connect to 127.0.0.1:9900: connection refused";
  CHECK(classified(closed).reason ==
        "tracker refused the connection (connect to 127.0.0.1:9900: connection refused)");
  closed.fault_detail = std::string(5000, 'x');
  CHECK(classified(closed).reason.size() <= 300);
  CHECK(classified(answer(429)).reason == "429 asks us to slow down");
}

}  // namespace
}  // namespace weir::policy
