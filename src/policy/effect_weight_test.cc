// SPDX-License-Identifier: Apache-2.0
#include "policy/effect_weight.h"

#include <doctest/doctest.h>

#include "policy/classify.h"
#include "policy/decide.h"

namespace weir::policy {
namespace {

using std::chrono::seconds;

Classification handler_said(int status) {
  return classify({.status = status}, {}, "flow", "handler", WallTime{seconds{1}});
}

const EffectReport kRefused{.refused = 2,
                            .first_refusal = "effect e7 (POST bank/pay) was put off: bank: breaker",
                            .wait = seconds{30}};
const EffectReport kHeld{.refused = 1, .failed = 1, .held = "effect e1 (POST bank/pay)"};
const EffectReport kOtherBody{.failed = 1, .other_body = "effect e2 (POST bank/pay)"};

Decision decided(const Classification& failure, WallTime deadline = {}) {
  FlowPolicy policy;
  policy.retry.back_off.base_interval = seconds{2};
  Delivery row{.attempts_this_round = 5, .deadline = deadline};
  Rng rng(1);
  return decide(
      {.policy = policy, .delivery = row, .failure = failure, .now = WallTime{seconds{9}}}, rng);
}

}  // namespace

TEST_CASE("a handler that succeeded, or said what is to happen, is believed") {
  for (const EffectReport& report : {kRefused, kHeld, kOtherBody}) {
    CHECK(weigh_effects(handler_said(200), report, true).failure == FailureClass::ok);
    Classification forced = handler_said(500);
    forced.forced = Classification::Override::retry;
    CHECK(weigh_effects(forced, report, true).rule == forced.rule);
  }
  CHECK(weigh_effects(handler_said(500), {}, true).rule == "http.500");
}

TEST_CASE("a failure that only our own refusal caused is no attempt, and not too soon again") {
  const Classification weighed = weigh_effects(handler_said(500), kRefused, true);
  CHECK(weighed.rule == kRuleEffectRefused);
  CHECK_FALSE(weighed.counts_breaker);
  CHECK(weighed.reason ==
        "effect e7 (POST bank/pay) was put off: bank: breaker, and 1 more (the handler said: " +
            handler_said(500).reason + ")");
  const Decision decision = decided(weighed);
  CHECK(decision.kind == DecisionKind::defer);
  CHECK(decision.at >= WallTime{seconds{9 + 30 + 1}});
  CHECK(decision.at <= WallTime{seconds{9 + 30 + 2}});
  const Decision late = decided(weighed, WallTime{seconds{20}});
  CHECK(late.kind == DecisionKind::quarantine);
  CHECK(late.failure == FailureClass::expired);
}

TEST_CASE("another failure beside a refusal is an attempt") {
  EffectReport both = kRefused;
  both.failed = 1;
  CHECK(weigh_effects(handler_said(500), both, true).rule == "http.500");
}

TEST_CASE("a doubt that waits for a person is quarantine, in doubt, however idempotent the flow") {
  const Classification weighed = weigh_effects(handler_said(503), kHeld, true);
  CHECK(weighed.rule == kRuleEffectInDoubt);
  CHECK(weighed.reason.find("effect e1 (POST bank/pay) is in doubt") == 0);
  const Decision decision = decided(weighed);
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.in_doubt);
}

TEST_CASE("a key for two requests is quarantine") {
  const Decision decision = decided(weigh_effects(handler_said(500), kOtherBody, true));
  CHECK(decision.kind == DecisionKind::quarantine);
  CHECK(decision.failure == FailureClass::permanent);
  CHECK_FALSE(decision.in_doubt);
}

TEST_CASE("the doubt of a handler that is not idempotent goes first") {
  CHECK(weigh_effects(handler_said(500), kRefused, false).rule == "http.500");
  CHECK(weigh_effects(handler_said(422), kRefused, false).rule == kRuleEffectRefused);
}

}  // namespace weir::policy
