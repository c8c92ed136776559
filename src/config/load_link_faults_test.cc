// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::check_rows;
using Row = testing::FaultRow;

TEST_CASE("everything wrong in a flow is told with its place") {
  const Row rows[] = {
      {"{}",
       "5:6: flow 'f' needs 'from'\n"
       "5:6: flow 'f' needs 'to'"},
      {"{ from: { stream: s } }", "5:6: flow 'f' needs 'to'"},
      {"{ to: { http: { dependency: d } } }", "5:6: flow 'f' needs 'from'"},
      {"{ from: {}, to: { http: { dependency: d } } }", "5:14: 'from' of flow 'f' needs 'stream'"},
      {"{ from: { stream: t }, to: { http: { dependency: d } } }",
       "5:24: unknown stream 't' | did you mean 's'?"},
      {"{ from: { stream: s, start: never }, to: { http: { dependency: d } } }",
       "5:34: 'never' is no start | earliest, latest, or a time such as 2026-11-21T14:00:00Z"},
      {"{ from: { stream: s }, to: {} }", "5:33: 'to' of flow 'f' needs 'http'"},
      {"{ from: { stream: s }, to: { grpc: {} } }",
       "5:33: 'to' of flow 'f' needs 'http'\n"
       "5:41: 'grpc' is not supported yet | take it out"},
      {"{ from: { stream: s }, to: { http: {} } }",
       "5:41: 'http' of 'to' of flow 'f' needs 'dependency'"},
      {"{ from: { stream: s }, to: { http: { dependency: dd } } }",
       "5:55: unknown dependency 'dd' | did you mean 'd'?"},
      {"{ from: { stream: s }, to: { http: { dependency: d, path: /a/%2e./b } } }",
       "5:64: '/a/%2e./b' is no path | it starts with '/', is percent-encoded, and has no '.' or "
       "'..' as a segment"},
      {"{ from: { stream: s }, to: { http: { dependency: d, path: sync } } }",
       "5:64: 'sync' is no path | it starts with '/', is percent-encoded, and has no '.' or '..' "
       "as a segment"},
      {"{ from: { stream: s }, to: { http: { dependency: d, idempotent: yes } } }",
       "5:70: 'idempotent' must be true or false, not 'yes'"},
      {"{ from: { stream: s }, to: { http: { dependency: d, idempotent: 'true' } } }",
       "5:70: 'idempotent' must be true or false, not 'true'"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, where: { type: x } }",
       R"(5:69 WR1303: invalid event pattern: the values of 'type' must be in an array | write ["x"])"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, where: { type: [{ prefx: x }] } }",
       "5:69 WR1303: invalid event pattern: unknown matcher 'prefx' | did you mean 'prefix'?"},
      {R"({ from: { stream: s }, to: { http: { dependency: d } }, where: '{"a":1' })",
       "5:69 WR1303: invalid event pattern: expected ',' or '}'"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, ordering: {} }",
       "5:72: 'ordering' of flow 'f' needs 'key'"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, ordering: { key: Data.x } }",
       "5:79: 'Data.x' is no ordering key | an attribute such as subject, or a path into the JSON "
       "data such as data.order.id"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, ordering: { key: subject, "
       "onFailure: parkkey } }",
       "5:99: 'parkkey' is not possible for 'onFailure' | did you mean 'parkKey'?"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, ordering: { key: subject, mode: "
       "strict } }",
       "5:94: 'mode' is not supported yet | take it out"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, policy: careful }",
       "5:70: unknown policy 'careful'"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, policy: 'not a name' }",
       "5:70: 'not a name' is no name | names have a-z, 0-9 and '-', at most 63"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, retry: {} }",
       "5:69: 'retry' does not belong to flow 'f' | put it into a policy and name that with "
       "'policy'"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, rateLimit: {} }",
       "5:73: 'rateLimit' does not belong to flow 'f' | this rule belongs to a dependency: put it "
       "into a policy that the dependency names"},
      {"{ from: { stream: s }, to: { http: { dependency: d } }, renamedFrom: f }",
       "5:75: flow 'f' is still defined | a flow is renamed by giving its old name to one other "
       "flow"},
  };
  check_rows("version: 1\nstreams: {s: {}}\ndependencies: {d: {url: 'http://h'}}\nflows:\n  f: ",
             rows);
}

TEST_CASE("everything wrong in a policy is told with its place") {
  const Row rows[] = {
      {"{ timeouts: { attempt: 25h } }",
       "3:29: an attempt may take 1 d 1 h, but the event expires after 1 d 0 h (its default) | "
       "make timeouts.event longer than timeouts.attempt"},
      {"{ timeouts: { attempt: 2s, event: 1s } }",
       "3:29: an attempt may take 2.0 s, but the event expires after 1.0 s (line 3) | make "
       "timeouts.event longer than timeouts.attempt"},
      {"{ timeouts: { attempt: 500ms, event: 1m, deadline: { margin: 1h } } }",
       "3:57: no attempt would ever start: deadline.margin and minUseful keep 1 h 0 min of the 1 "
       "min 0 s that an event has (line 3) | make timeouts.event longer, or the margin shorter"},
      {"{ timeouts: { attempt: 0s } }", "3:29: 'attempt' must be at least 1 ms"},
      {"{ timeouts: { request: 1s } }", "3:29: 'request' is not supported yet | take it out"},
      {"{ retry: { maxAttempts: 0 } }", "3:30: 'maxAttempts' must be from 1 to 1000"},
      {"{ retry: { backOff: { baseInterval: 2s, maxInterval: 1s } } }",
       "3:59: maxInterval 1.0 s is below baseInterval 2.0 s (line 3)"},
      {"{ retry: { backOff: { jitter: ful } } }",
       "3:36: 'ful' is not possible for 'jitter' | did you mean 'full'?"},
      {"{ retry: { backOff: { multiplier: 0.5 } } }", "3:40: 'multiplier' must be from 1 to 100"},
      {"{ retry: { retryOn: [5xx] } }", "3:26: 'retryOn' is not supported yet | take it out"},
      {"{ retry: { serverDirected: { honor: always } } }",
       "3:42: 'honor' must be true or false, not 'always'"},
      {"{ retryConstraint: { tokens: { capacity: 10 } } }",
       "3:47: a retry costs 14 tokens, and the bucket holds 10 | raise "
       "retryConstraint.tokens.capacity, or 0 for no bucket"},
      {"{ retryConstraint: { budget: { percent: 101 } } }",
       "3:46: 'percent' must be from 0 to 100"},
      {"{ retryConstraint: { budget: { interval: 10ms } } }",
       "3:47: 'interval' must be at least 1.0 s"},
      {"{ retryConstraint: { minRetryRate: { count: -1 } } }",
       "3:50: 'count' must be from 0 to 1000000"},
      {"{ circuitBreaker: { failureRateThreshold: 0 } }",
       "3:48: 'failureRateThreshold' must be from 1 to 100"},
      {"{ circuitBreaker: { waitDurationInOpenState: { base: 5m } } }",
       "3:51: 'max' is below 'base'"},
      {"{ circuitBreaker: { slidingWindowType: COUNT } }",
       "3:45: 'COUNT' is not possible for 'slidingWindowType' | known: TIME_BASED"},
      {"{ circuitBreaker: { scope: [flow] } }",
       "3:33: 'flow' is no scope of a breaker | [dependency], or [dependency, endpoint] for one "
       "breaker per path"},
      {"{ circuitBreaker: { slowCallRateThreshold: 80 } }",
       "3:49: no call is ever slow without slowCallDurationThreshold | set "
       "slowCallDurationThreshold as well"},
      {"{ circuitBreaker: { mode: dry } }",
       "3:32: 'dry' is not possible for 'mode' | known: enforce, shadow"},
      {"{ concurrency: { adaptive: { minLimit: 9, maxLimit: 3 } } }",
       "3:58: maxLimit 3 is below minLimit 9"},
      {"{ deadLetterBrake: { consecutiveQuarantines: 1 } }",
       "3:51: 'consecutiveQuarantines' must be from 2 to 1000000"},
      {"{ bounds: { enforce: always } }",
       "3:27: 'always' is not possible for 'enforce' | known: warn, reject"},
      {"{ concurrency: { maxParallelRequests: 0 } }",
       "3:44: 'maxParallelRequests' must be from 1 to 10000"},
      {"{ concurrency: { maxPendingRequests: 5 } }",
       "3:43: 'maxPendingRequests' is not supported yet | take it out"},
      {"{ rateLimit: { unit: second } }", "3:19: 'rateLimit' of policy 'p' needs 'requests'"},
      {"{ rateLimit: { requests: 5, unit: day } }",
       "3:40: 'day' is not possible for 'unit' | known: second, minute, hour"},
      {"{ rateLimit: { requests: .inf } }", "3:31: 'requests' must be a number, not '.inf'"},
      {"{ ordering: {} }",
       "3:18: 'ordering' does not belong to policy 'p' | ordering belongs to a flow"},
      {"{ healthCheck: {} }", "3:21: 'healthCheck' is not supported yet | take it out"},
      {"{ retires: {} }",
       "3:8: unknown setting 'retires' in policy 'p' | known: timeouts, retry, deadLetterBrake, "
       "bounds, "
       "retryConstraint, circuitBreaker, concurrency, rateLimit, …"},
  };
  check_rows("version: 1\npolicies:\n  p: ", rows);
}

TEST_CASE("everything wrong in a failure mode is told with its place") {
  const Row rows[] = {
      {"[{ name: m }]", "2:16: a failure mode needs 'match'"},
      {"[{ match: { status: [422] } }]", "2:16: a failure mode needs 'name'"},
      {"[{ name: m, match: {} }]", "2:34: a failure mode that matches everything names nothing"},
      {"[{ name: m, match: 422 }]", "2:34: 'match' of a failure mode must be a map of settings"},
      {"[{ name: m, match: { status: [42] } }]", "2:44: '42' is no HTTP status"},
      {"[{ name: m, match: { status: { a: 1 } } }]", "2:44: 'status' takes a value or a list"},
      {"[{ name: m, match: { status: [[1]] } }]", "2:45: 'status' takes plain values"},
      {"[{ name: m, match: { fault: refusd } }]",
       "2:43: unknown fault 'refusd' | did you mean 'refused'?"},
      {"[{ name: m, match: { status: 422 }, class: permanant }]",
       "2:58: unknown class 'permanant' | did you mean 'permanent'?"},
      {"[{ name: m, match: { flow: f } }]", "2:42: unknown flow 'f'"},
      {"[{ name: m, match: { dependency: e } }]", "2:48: unknown dependency 'e'"},
      {"[{ name: m, match: { status: 422 } }, { name: m, match: { status: 423 } }]",
       "2:53: failure mode 'm' is defined twice, first at w.yaml:2:16"},
      {"{ name: m }", "2:15: 'failureModes' must be a list"},
      {"[m]", "2:16: a failure mode must be a map of settings"},
  };
  check_rows("version: 1\nfailureModes: ", rows);
}

}  // namespace
}  // namespace weir::config
