// SPDX-License-Identifier: Apache-2.0
#include "policy/decide.h"

#include "policy/classify.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const WallTime kNow = from_micros(1'795'000'000'000'000);

struct Given {
  int status = 503;
  Fault fault = Fault::none;
  std::vector<std::pair<std::string, std::string>> headers;
  std::uint32_t attempt = 1;
  bool idempotent = true;
  OnFailure on_failure = OnFailure::parkKey;
  WallTime deadline{};
  std::uint32_t max_attempts = 5;
  Duration server_directed_max = 300s;
};

Decision decided(const Given& given) {
  Outcome outcome;
  outcome.status = given.status;
  outcome.fault = given.fault;
  outcome.headers = given.headers;
  outcome.latency = 1s;
  const Classification failure = classify(outcome, {}, "flow", "tracker", kNow);
  FlowPolicy policy;
  policy.retry.max_attempts = given.max_attempts;
  policy.retry.server_directed_max = given.server_directed_max;
  Delivery delivery;
  delivery.attempts_this_round = given.attempt;
  delivery.deadline = given.deadline;
  Rng rng(5);
  return decide({policy, delivery, given.idempotent, given.on_failure, failure, kNow}, rng);
}

TEST_CASE("Retry-After counts up to what the flow allows") {
  const auto delay = [](Duration max) {
    return decided({.headers = {{"retry-after", "1000"}}, .server_directed_max = max}).at - kNow;
  };
  CHECK(delay(60s) >= 60s);
  CHECK(delay(60s) <= 62s);
  CHECK(delay(2000s) >= 1000s);
  CHECK(delay(2000s) <= 1002s);
}

TEST_CASE("the reason tells what was wrong with the server's hint") {
  const auto reason = [](const char* hint, bool idempotent = true, std::uint32_t attempt = 1) {
    return decided({.headers = {{"retry-after", hint}},
                    .attempt = attempt,
                    .idempotent = idempotent,
                    .server_directed_max = 300s})
        .reason;
  };
  CHECK(reason("5") ==
        "attempt 1 of 5 failed: 503 says that the handler is overloaded and when to come back");
  CHECK(reason("300") == reason("5"));
  CHECK(reason("3600") ==
        reason("5") + "; the server's 1 h cut to 5 min by retry.serverDirected.maxInterval");
  CHECK(reason("31536000") == reason("5") +
                                  "; Retry-After of 365 d cut to 24 h, then cut to 5 min by "
                                  "retry.serverDirected.maxInterval");
  CHECK(reason("soon").ends_with("is not available; Retry-After 'soon' is no time, ignored"));
  CHECK(reason("-7").ends_with("; Retry-After '-7' is negative, ignored"));
  CHECK(reason("soon", true, 5).ends_with("; Retry-After 'soon' is no time, ignored"));
  // Without the garbage it would have been no doubt, and another try.
  CHECK(reason("soon", false).ends_with("; Retry-After 'soon' is no time, ignored"));
  CHECK(decided({.status = 422, .headers = {{"retry-after", "soon"}}}).reason ==
        "422 is permanent");
}

TEST_CASE("a retry comes within the range that is told beforehand") {
  CHECK(testing::holds("retry range", [](std::uint64_t seed) {
    Outcome outcome;
    outcome.status = *rc::gen::element(408, 429, 500, 503, 507);
    const int hint = *rc::gen::inRange(-100, 2000);
    if (*rc::gen::arbitrary<bool>())
      outcome.headers.emplace_back("retry-after", std::to_string(hint));
    const Classification failure = classify(outcome, {}, "flow", "tracker", kNow);
    FlowPolicy policy;
    policy.retry.max_attempts = 100;
    policy.retry.honor_server = *rc::gen::arbitrary<bool>();
    policy.retry.back_off.jitter = *rc::gen::element(Jitter::none, Jitter::full, Jitter::equal,
                                                     Jitter::decorrelated);
    Delivery delivery;
    delivery.attempts_this_round = *rc::gen::inRange(1u, 90u);
    Rng rng(seed);
    const DecideInput input{policy, delivery, true, OnFailure::parkKey, failure, kNow};
    const DelayRange range = retry_range(input);
    const Decision decision = decide(input, rng);
    RC_ASSERT(decision.kind == DecisionKind::retryAt);
    RC_ASSERT(decision.at - kNow >= range.least);
    RC_ASSERT(decision.at - kNow <= range.most);
  }));
}

TEST_CASE("a success is done and says nothing") {
  const Decision decision = decided({.status = 204});
  CHECK(decision.kind == DecisionKind::done);
  CHECK(decision.rule.empty());
  CHECK(decision.reason.empty());
}

TEST_CASE("a temporary failure is tried again within the back-off") {
  for (std::uint32_t attempt = 1; attempt < 5; ++attempt) {
    const Decision decision = decided({.attempt = attempt});
    CHECK(decision.kind == DecisionKind::retryAt);
    CHECK(decision.failure == FailureClass::transient);
    CHECK(decision.rule == "http.503");
    CHECK(decision.at >= kNow);
    CHECK(decision.at <= kNow + std::chrono::seconds{1 << (attempt - 1)});
    CHECK_FALSE(decision.in_doubt);
  }
  CHECK(decided({}).reason == "attempt 1 of 5 failed: 503 says that the handler is not available");
}

TEST_CASE("the last attempt ends in quarantine") {
  const Decision decision = decided({.attempt = 5});
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.failure == FailureClass::transient);
  CHECK(decision.rule == "retry.maxAttempts");
  CHECK(decision.reason == "attempt 5 of 5 failed: 503 says that the handler is not available");
  CHECK(decided({.attempt = 9}).kind == DecisionKind::quarantine);
  CHECK(decided({.attempt = 1, .max_attempts = 1}).kind == DecisionKind::quarantine);
  CHECK(decided({.attempt = 1, .max_attempts = 0}).kind == DecisionKind::quarantine);
}

TEST_CASE("what is permanent is not tried again") {
  for (const int status : {301, 400, 401, 403, 404, 409, 422, 501}) {
    CAPTURE(status);
    CHECK(decided({.status = status}).kind == DecisionKind::quarantine);
  }
  CHECK(decided({.status = 422}).reason == "422 is permanent");
  CHECK(decided({.status = 422}).rule == "http.422");
  CHECK(decided({.status = 0, .fault = Fault::tlsVerify}).failure == FailureClass::config);
}

TEST_CASE("the server's minimum is kept") {
  const Decision decision = decided({.status = 429, .headers = {{"retry-after", "40"}}});
  CHECK(decision.kind == DecisionKind::retryAt);
  CHECK(decision.at >= kNow + 40s);
  CHECK(decision.at <= kNow + 41s);
}

TEST_CASE("in doubt without idempotency is quarantine at once") {
  const Given timeout{.status = 0, .fault = Fault::timeout, .idempotent = false};
  const Decision decision = decided(timeout);
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.failure == FailureClass::ambiguous);
  CHECK(decision.in_doubt);
  CHECK(decision.rule == "inDoubt");
  CHECK(decision.reason == "tracker did not answer in " + weir::to_text(Duration{1s}) +
                               "; it may have been applied, and the flow says idempotent: false");
  // Refused connections leave no doubt.
  CHECK(decided({.status = 0, .fault = Fault::refused, .idempotent = false}).kind ==
        DecisionKind::retryAt);
  CHECK(decided({.status = 429, .idempotent = false}).kind == DecisionKind::retryAt);
  CHECK(decided({.status = 500, .idempotent = false}).in_doubt);
  CHECK_FALSE(decided({.status = 422, .idempotent = false}).in_doubt);
}

TEST_CASE("a retry that would start after the deadline expires now") {
  const Given soon{.status = 429, .headers = {{"retry-after", "40"}}, .deadline = kNow + 30s};
  const Decision decision = decided(soon);
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.failure == FailureClass::expired);
  CHECK(decision.rule == "timeouts.event");
  CHECK(decision.reason.find("429 asks us to slow down") != std::string::npos);
  CHECK(decided({.deadline = kNow + 1h}).kind == DecisionKind::retryAt);
  // The attempts are exhausted before the deadline matters.
  CHECK(decided({.attempt = 5, .deadline = kNow}).rule == "retry.maxAttempts");
}

TEST_CASE("onFailure: pauseFlow pauses instead of quarantine, and only then") {
  const auto pausing = [](Given given) {
    given.on_failure = OnFailure::pauseFlow;
    return decided(given).kind;
  };
  CHECK(pausing({.status = 422}) == DecisionKind::pauseFlow);
  CHECK(pausing({.attempt = 5}) == DecisionKind::pauseFlow);
  CHECK(pausing({.attempt = 1}) == DecisionKind::retryAt);
  CHECK(pausing({.status = 200}) == DecisionKind::done);
}

TEST_CASE("Weir-Outcome is obeyed, within the caps") {
  const auto forced = [](int status, const char* word, std::uint32_t attempt = 1) {
    return decided({.status = status,
                    .headers = {{"weir-outcome", word}},
                    .attempt = attempt,
                    .idempotent = false});
  };
  CHECK(forced(500, "done").kind == DecisionKind::done);
  CHECK(forced(500, "done").rule == "reply.weir-outcome");
  CHECK(forced(200, "discard").kind == DecisionKind::discard);
  CHECK(forced(200, "quarantine").kind == DecisionKind::quarantine);
  CHECK_FALSE(forced(500, "quarantine").in_doubt);
  CHECK(forced(422, "retry").kind == DecisionKind::retryAt);
  CHECK(forced(422, "retry", 5).kind == DecisionKind::quarantine);
}

TEST_CASE("a call that we cancelled ourselves goes back to ready, unless that is in doubt") {
  const Decision decision = decided({.status = 0, .fault = Fault::cancelled, .attempt = 5});
  CHECK(decision.kind == DecisionKind::defer);
  CHECK(decision.at == kNow);
  const Decision doubtful = decided({.status = 0, .fault = Fault::cancelled, .idempotent = false});
  CHECK(doubtful.kind == DecisionKind::quarantine);
  CHECK(doubtful.in_doubt);
  CHECK(decided({.status = 499}).kind == DecisionKind::quarantine);
}

TEST_CASE("a failure mode is named by the decision") {
  ClassifyRules rules;
  rules.failure_modes = {{.name = "gone", .status = {410}, .failure = FailureClass::ok},
                         {.name = "brownout", .status = {500}}};
  const auto decide_with = [&](int status) {
    Outcome outcome;
    outcome.status = status;
    const Classification failure = classify(outcome, rules, "flow", "tracker", kNow);
    const FlowPolicy policy;
    Delivery delivery;
    delivery.attempts_this_round = 1;
    Rng rng(1);
    return decide({policy, delivery, true, OnFailure::parkKey, failure, kNow}, rng);
  };
  CHECK(decide_with(410).kind == DecisionKind::done);
  CHECK(decide_with(410).rule == "failureMode.gone");
  CHECK(decide_with(500).failure_mode == "brownout");
  CHECK(decide_with(500).rule == "failureMode.brownout");
}

TEST_CASE("interruptions are counted apart and capped") {
  FlowPolicy policy;
  policy.retry.max_interruptions = 3;
  Delivery delivery;
  delivery.interruptions = 2;
  const Decision again = decide_interrupted(policy, delivery, true, kNow);
  CHECK(again.kind == DecisionKind::defer);
  CHECK(again.at == kNow);
  CHECK(again.reason == "a restart cut it short, 2 of 3 times");

  delivery.interruptions = 3;
  const Decision capped = decide_interrupted(policy, delivery, true, kNow);
  CHECK(capped.kind == DecisionKind::quarantine);
  CHECK(capped.failure == FailureClass::interrupted);
  CHECK(capped.rule == "retry.maxInterruptions");

  delivery.interruptions = 1;
  const Decision doubtful = decide_interrupted(policy, delivery, false, kNow);
  CHECK(doubtful.kind == DecisionKind::quarantine);
  CHECK(doubtful.in_doubt);

  delivery.deadline = kNow - 1s;
  CHECK(decide_interrupted(policy, delivery, true, kNow).failure == FailureClass::expired);
}

TEST_CASE("expiry tells when, and what came before") {
  Delivery delivery;
  delivery.deadline = kNow - 1s;
  delivery.attempts = 1;
  delivery.reason = "503 says that the handler is not available";
  const Decision decision = decide_expired(delivery, kNow);
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.failure == FailureClass::expired);
  CHECK(decision.reason ==
        "the deadline 2026-11-18T11:06:39.000Z passed after 1 attempt; before that: 503 says that "
        "the "
        "handler is not available");
  delivery.deadline = kNow + 10ms;
  CHECK(decide_expired(delivery, kNow).reason.find("too near") != std::string::npos);
}

TEST_CASE("no decision exceeds a cap or starts after the deadline") {
  CHECK(testing::holds("decisions keep their caps", [](std::uint64_t seed) {
    Outcome outcome;
    outcome.status = *rc::gen::inRange(0, 1000);
    outcome.fault = static_cast<Fault>(*rc::gen::inRange(0, kFaultCount));
    outcome.headers = {{"retry-after", std::to_string(*rc::gen::inRange(0, 400))},
                       {"weir-outcome", *rc::gen::element<std::string>("", "done", "retry",
                                                                       "quarantine", "discard")}};
    const Classification failure = classify(outcome, {}, "flow", "tracker", kNow);
    FlowPolicy policy;
    policy.retry.max_attempts = *rc::gen::inRange(0u, 8u);
    Delivery delivery;
    delivery.attempts_this_round = *rc::gen::inRange(1u, 10u);
    if (*rc::gen::arbitrary<bool>())
      delivery.deadline = kNow + Duration{*rc::gen::inRange(-100'000'000, 600'000'000)};
    const bool idempotent = *rc::gen::arbitrary<bool>();
    Rng rng(seed);
    Rng same(seed);
    const DecideInput input{policy, delivery, idempotent, OnFailure::parkKey, failure, kNow};
    const Decision decision = decide(input, rng);
    const Decision repeated = decide(input, same);

    RC_ASSERT(decision.at == repeated.at);
    RC_ASSERT(decision.reason == repeated.reason);
    if (decision.kind == DecisionKind::retryAt) {
      RC_ASSERT(delivery.attempts_this_round < std::max(policy.retry.max_attempts, 1u));
      RC_ASSERT(idempotent || !failure.in_doubt);
      RC_ASSERT(decision.at >= kNow);
      if (failure.retry_after)  // the server's minimum
        RC_ASSERT(decision.at - kNow >=
                  std::min(*failure.retry_after, policy.retry.server_directed_max));
      RC_ASSERT(delivery.deadline == WallTime{} || decision.at < delivery.deadline);
    }
    if (decision.kind != DecisionKind::done)
      RC_ASSERT(!decision.rule.empty() && !decision.reason.empty());
    if (decision.in_doubt) RC_ASSERT(decision.kind == DecisionKind::quarantine && !idempotent);
  }));
}

}  // namespace
}  // namespace weir::policy
