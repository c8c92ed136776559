// SPDX-License-Identifier: Apache-2.0
#include "config/extends.h"

#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::listed;
using testing::no_secrets;

constexpr const char* kUses =
    "version: 1\nstreams: {s: {}}\n"
    "dependencies: { d: { url: 'http://h', policy: own } }\n"
    "flows: { f: { from: { stream: s }, to: { http: { dependency: d } }, policy: own } }\n"
    "policies:\n";

TEST_CASE("a policy reads like its base with its own members over it, in any order") {
  const auto outcome = load(
      {{"w.yaml", std::string(kUses) +
                      "  own: { extends: middle, retry: { maxAttempts: 7 } }\n"
                      "  middle: { extends: base, rateLimit: { requests: 9 }, retry: { backOff: "
                      "{ jitter: none } } }\n"
                      "  base: { retry: { maxAttempts: 2, backOff: { baseInterval: 2s } }, "
                      "rateLimit: { requests: 5, burst: 6 } }\n"}},
      no_secrets);
  CHECK(listed(outcome.problems) == "");
  REQUIRE(outcome.config.has_value());
  const RetrySpec& retry = outcome.config->flows[0].policy.retry;
  CHECK(retry.max_attempts == 7);
  CHECK(retry.back_off.jitter == Jitter::none);
  CHECK(retry.back_off.base_interval == std::chrono::seconds{2});
  const RateLimitSpec& rate = outcome.config->dependencies[0].policy.rate_limit;
  CHECK(rate.per_second == 9);
  CHECK(rate.burst == 6);
}

TEST_CASE("a base that is not there, and a cycle, are told with their places") {
  const testing::FaultRow rows[] = {
      {"  own: { extends: bse }\n  base: {}\n",
       "6:19: this file has no policy 'bse' to extend | did you mean 'base'?"},
      {"  own: { extends: own }\n",
       "6:19: a policy extends itself: own -> own | take one `extends` out"},
      {"  own: { extends: a }\n  a: { extends: b }\n  b: { extends: a }\n",
       "8:17: a policy extends itself: a -> b -> a | take one `extends` out"},
      {"  own: { extends: [a] }\n  a: {}\n", "6:19: 'extends' must be a single value"},
  };
  check_rows(kUses, rows);
}

TEST_CASE("what is wrong is told where it stands, and once") {
  const testing::FaultRow rows[] = {
      {"  own: { extends: base }\n  base: { retri: {} }\n",
       "7:11: unknown setting 'retri' in policy 'base' | did you mean 'retry'?"},
      {"  own: { extends: base, timeouts: { event: 5s } }\n  base: { timeouts: { attempt: 9s } }\n",
       "7:32: an attempt may take 9.0 s, but the event expires after 5.0 s (line 6) | make "
       "timeouts.event longer than timeouts.attempt"},
  };
  check_rows(kUses, rows);
}

}  // namespace
}  // namespace weir::config
