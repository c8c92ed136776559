// SPDX-License-Identifier: Apache-2.0
// S4: Brooker, "Fixing retries with token buckets and circuit breakers" (2022). 100 clients with 10
// first tries per second for 10 s; every try fails with probability p. The published table's third
// rule, retries while at most 10 % of the first tries failed, needs a breaker that stops retries
// only (`action: retriesOnly`). Weir's stops every call, so that row is not reproduced.
#include <cmath>
#include <functional>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "base/rng.h"
#include "policy/retry_budget.h"
#include "policy/retry_tokens.h"
#include "storm.h"

namespace weir::scenarios {
namespace {

constexpr int kClients = 100;
constexpr int kTries = 100;  // of a client
constexpr int kSeeds = 20;
constexpr std::uint32_t kRetries = 3;

struct Shares {
  double success = 0;
  double load = 0;
};

// What a client asks: before each first try, and whether a retry may go out.
struct Client {
  std::function<void(MonoTime)> first;
  std::function<bool(MonoTime)> may_retry;
};

Shares simulate(double p, std::uint32_t retries, const std::function<Client()>& make) {
  Shares sums;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed));
    for (int c = 0; c < kClients; ++c) {
      const Client client = make();
      for (int i = 0; i < kTries; ++i) {
        const MonoTime now{std::chrono::milliseconds{100} * i};
        client.first(now);
        bool good = rng.unit() >= p;
        sums.load += 1;
        for (std::uint32_t n = 0; n < retries && !good && client.may_retry(now); ++n) {
          sums.load += 1;
          good = rng.unit() >= p;
        }
        sums.success += good ? 1 : 0;
      }
    }
  }
  constexpr double kAll = 1.0 * kClients * kTries * kSeeds;
  return {sums.success / kAll, sums.load / kAll};
}

Client freely() {
  auto budget = std::make_shared<policy::RetryBudget>(without_budget());
  return {[budget](MonoTime now) { budget->first_attempt(now); },
          [budget](MonoTime now) { return budget->try_spend(now); }};
}

// Weir's tokens deposit for a success; the paper's bucket deposits for every first try, so that is
// where the deposit is made here.
Client with_tokens() {
  const RetryTokensSpec spec{
      .capacity = 5, .cost_transient = 1, .cost_throttling = 1, .success = 0.1};
  auto tokens = std::make_shared<policy::RetryTokens>(spec);
  return {[tokens](MonoTime) { tokens->succeeded(); },
          [tokens](MonoTime) { return tokens->try_pay(policy::RetryCost::transient); }};
}

struct Row {
  double p;
  double success;
  double load;
};

void check(const char* what, const Row& row, std::uint32_t retries, Client (*make)(),
           double tolerance) {
  const Shares shares = simulate(row.p, retries, make);
  MESSAGE(std::string(what) << " at p = " << row.p << ": success " << shares.success << ", load "
                            << shares.load);
  CHECK(std::abs(shares.success - row.success) < tolerance);
  CHECK(std::abs(shares.load - row.load) < tolerance);
}

TEST_CASE("S4: no retries") {
  for (const Row& row : {Row{0.1, 0.90, 1}, Row{0.5, 0.50, 1}})
    check("none", row, 0, freely, 0.005);
}

TEST_CASE("S4: three retries give success 1 - p^4 at a load of 1 + p + p^2 + p^3") {
  for (const Row& row : {Row{0.1, 0.9999, 1.106}, Row{0.5, 0.935, 1.88}})
    check("three", row, kRetries, freely, 0.01);
  for (const double p : {0.05, 0.1, 0.3, 0.5, 0.9}) {
    const Row theory{p, 1 - std::pow(p, 4), 1 + p + p * p + p * p * p};
    check("theory", theory, kRetries, freely, 0.008);
  }
}

TEST_CASE("S4: a token bucket per client, 0.1 per first try, capacity 5, full at first") {
  for (const Row& row : {Row{0.1, 0.992, 1.10}, Row{0.5, 0.57, 1.143}})
    check("tokens", row, kRetries, with_tokens, 0.01);
}

}  // namespace
}  // namespace weir::scenarios
