// SPDX-License-Identifier: Apache-2.0
// S4: Brooker, "Fixing retries with token buckets and circuit breakers" (2022). 100 clients with 10
// first tries per second for 10 s; every try fails with probability p. The published table's third
// rule, retries while at most 10 % of the first tries failed, needs a breaker that stops retries
// only (`action: retriesOnly`). Weir's stops every call, so that row is not reproduced.
#include <cmath>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/rng.h"
#include "policy/retry_tokens.h"
#include "published.h"

namespace weir::scenarios {
namespace {

struct Row {
  double p;
  double success;
  double load;
};

void check(const char* what, const Row& row, std::vector<std::string> settings, double tolerance) {
  settings.push_back(fmt::format("dependencies.service.server.failures={}", row.p));
  const auto runs = runs_of("clients", settings, 3);
  const double success = mean_goodput(runs);
  const double load = mean_amplification(runs);
  MESSAGE(std::string(what) << " at p = " << row.p << ": success " << success << " (published "
                            << row.success << "), load " << load << " (" << row.load << ")");
  CHECK(std::abs(success - row.success) < tolerance);
  CHECK(std::abs(load - row.load) < tolerance);
}

TEST_CASE("S4: no retries") {
  for (const Row& row : {Row{0.1, 0.90, 1}, Row{0.5, 0.50, 1}})
    check("none", row, {"policies.three retries.retry.maxAttempts=1"}, 0.01);
}

TEST_CASE("S4: three retries give success 1 - p^4 at a load of 1 + p + p^2 + p^3") {
  for (const Row& row : {Row{0.1, 0.9999, 1.106}, Row{0.5, 0.935, 1.88}})
    check("three", row, {}, 0.015);
  for (const double p : {0.3, 0.9}) {
    const Row theory{p, 1 - std::pow(p, 4), 1 + p + p * p + p * p * p};
    check("theory", theory, {}, 0.015);
  }
}

// Weir's tokens deposit for a success; the paper's bucket deposits for every first try, so that is
// where the deposit is made here, to the decider itself.
TEST_CASE("S4: a token bucket per client, 0.1 per first try, capacity 5, full at first") {
  constexpr int kClients = 2'000;
  constexpr int kTries = 100;
  const RetryTokensSpec spec{
      .capacity = 5, .cost_transient = 1, .cost_throttling = 1, .success = 0.1};
  for (const Row& row : {Row{0.1, 0.992, 1.10}, Row{0.5, 0.57, 1.143}}) {
    Rng rng(1);
    Row found{.p = row.p};
    for (int client = 0; client < kClients; ++client) {
      policy::RetryTokens tokens(spec);
      for (int i = 0; i < kTries; ++i) {
        tokens.succeeded();
        bool good = rng.unit() >= row.p;
        found.load += 1.0 / (kClients * kTries);
        for (int n = 0; n < 3 && !good && tokens.try_pay(policy::RetryCost::transient); ++n) {
          found.load += 1.0 / (kClients * kTries);
          good = rng.unit() >= row.p;
        }
        found.success += (good ? 1.0 : 0.0) / (kClients * kTries);
      }
    }
    MESSAGE("tokens at p = " << row.p << ": success " << found.success << ", load " << found.load);
    CHECK(std::abs(found.success - row.success) < 0.01);
    CHECK(std::abs(found.load - row.load) < 0.01);
  }
}

// Weir's own budget gives a retry that succeeds its charge back, so that the same bucket lets more
// through: a client that gets answers is not what makes a storm.
TEST_CASE("S4: a budget of that size that refunds successful retries does more, within its bound") {
  const std::string budget =
      "policies.three retries.retryConstraint={budget: {percent: 10, interval: 10s}, "
      "minRetryRate: {count: 5, interval: 10s}, tokens: {capacity: 0}}";
  const auto runs = runs_of("clients", {budget}, 2);
  MESSAGE("success " << mean_goodput(runs) << ", load " << mean_amplification(runs));
  CHECK(mean_goodput(runs) > 0.57);
  CHECK(mean_amplification(runs) > 1.143);
  CHECK(mean_amplification(runs) < 1.4);
}

}  // namespace
}  // namespace weir::scenarios
