// SPDX-License-Identifier: Apache-2.0
#include "policy/retry_tokens.h"

#include <deque>

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

int pay_all(RetryTokens& tokens, RetryCost cost) {
  int paid = 0;
  while (paid < 10'000 && tokens.try_pay(cost)) ++paid;
  return paid;
}

TEST_CASE("the published numbers: 500 tokens are 35 transient or 100 throttling retries") {
  RetryTokens transient{{}};
  CHECK(pay_all(transient, RetryCost::transient) == 35);
  RetryTokens throttling{{}};
  CHECK(pay_all(throttling, RetryCost::throttling) == 100);
}

TEST_CASE("successes fill the bucket, never above its capacity") {
  RetryTokens tokens{{}};
  tokens.succeeded();
  CHECK(tokens.tokens() == 500);
  CHECK(pay_all(tokens, RetryCost::transient) == 35);
  CHECK(tokens.tokens() == 10);
  for (int i = 0; i < 4; ++i) tokens.succeeded();
  CHECK(pay_all(tokens, RetryCost::transient) == 1);
  tokens.refund(RetryCost::transient);
  CHECK(tokens.tokens() == 14);
}

TEST_CASE("no bucket costs nothing") {
  RetryTokens none{{.capacity = 0}};
  CHECK(pay_all(none, RetryCost::transient) == 10'000);
}

TEST_CASE("what the failure was like decides the cost") {
  CHECK(retry_cost(FailureClass::throttled) == RetryCost::throttling);
  CHECK(retry_cost(FailureClass::overloaded) == RetryCost::throttling);
  CHECK(retry_cost(FailureClass::transient) == RetryCost::transient);
  CHECK(retry_cost(FailureClass::ambiguous) == RetryCost::transient);
}

TEST_CASE("failed retries cost at most the capacity and what successes deposited") {
  CHECK(testing::holds("retry tokens bound", [] {
    const RetryTokensSpec spec{.capacity = static_cast<double>(*rc::gen::inRange(0, 60)),
                               .cost_transient = static_cast<double>(*rc::gen::inRange(1, 20)),
                               .cost_throttling = static_cast<double>(*rc::gen::inRange(1, 20)),
                               .success = 1};
    RC_PRE(spec.capacity > 0);
    RetryTokens tokens(spec);
    std::deque<RetryCost> under_way;
    double failed = 0;
    double deposited = 0;
    for (int step : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 4))) {
      const RetryCost cost = step % 2 == 0 ? RetryCost::transient : RetryCost::throttling;
      if (step < 2 && tokens.try_pay(cost)) under_way.push_back(cost);
      if (step == 2) {
        tokens.succeeded();
        deposited += spec.success;
      }
      if (step == 3 && !under_way.empty()) {
        const bool success = under_way.size() % 2 == 0;
        if (success) tokens.refund(under_way.front());
        if (!success) failed += tokens.cost(under_way.front());
        under_way.pop_front();
      }
      RC_ASSERT(tokens.tokens() >= 0);
      RC_ASSERT(tokens.tokens() <= spec.capacity);
      RC_ASSERT(failed <= spec.capacity + deposited);
    }
  }));
}

}  // namespace
}  // namespace weir::policy
