// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::check_rows;
using IdempotencyRow = testing::FaultRow;

constexpr const char* kEffectHead =
    "version: 1\n"
    "streams: { s: { retention: 7d } }\n"
    "dependencies: { d: { url: http://d }, bank: { url: http://b, policy: p } }\n";

}  // namespace

TEST_CASE("everything wrong in what is said about effects is told with its place") {
  const IdempotencyRow rows[] = {
      {"policies: { p: { idempotency: { onInDoubt: retry } } }",
       "4:44: 'retry' is not possible for 'onInDoubt' | known: hold, retryWithKey, reconcile"},
      {"policies: { p: { idempotency: { onInDoubt: retryWithKey } } }",
       "4:44: nobody says how long the dependency remembers keys | downstreamRetention: 24h, from "
       "its documentation; without one: onInDoubt: hold"},
      {"policies: { p: { idempotency: { onInDoubt: reconcile } } }",
       "4:44: nobody says how the dependency is asked | reconcile: { path: /payments?key={key}, "
       "applied: { status: 200 }, notApplied: { status: 404 } }"},
      {"policies: { p: { idempotency: { reconcile: { path: /all, applied: { status: 200 }, "
       "notApplied: { status: 404 } } } } }",
       "4:52: '/all' does not ask for one effect | a path below the dependency's url with {key} in "
       "it: /payments?key={key}"},
      {"policies: { p: { idempotency: { reconcile: { path: '/a {key}', applied: { status: 200 }, "
       "notApplied: { status: 404 } } } } }",
       "4:52: '/a {key}' is no path | it starts with '/', is percent-encoded, and has no '.' or "
       "'..' as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: \"/{key}\\r\\nX: y\", applied: { "
       "status: 200 }, notApplied: { status: 404 } } } } }",
       "4:52: '/{key}\\u{d}\\nX: y' is no path | it starts with '/', is percent-encoded, and has "
       "no "
       "'.' or '..' as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: '/a/../{key}', applied: { status: 200 "
       "}, notApplied: { status: 404 } } } } }",
       "4:52: '/a/../{key}' is no path | it starts with '/', is percent-encoded, and has no '.' or "
       "'..' as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: '/%2E%2e/{key}', applied: { status: 200 "
       "}, notApplied: { status: 404 } } } } }",
       "4:52: '/%2E%2e/{key}' is no path | it starts with '/', is percent-encoded, and has no '.' "
       "or '..' as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: '/{key}#a', applied: { status: 200 }, "
       "notApplied: { status: 404 } } } } }",
       "4:52: '/{key}#a' is no path | it starts with '/', is percent-encoded, and has no '.' or "
       "'..' as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: '{key}', applied: { status: 200 }, "
       "notApplied: { status: 404 } } } } }",
       "4:52: '{key}' is no path | it starts with '/', is percent-encoded, and has no '.' or '..' "
       "as a segment"},
      {"policies: { p: { idempotency: { reconcile: { path: '/{key}', applied: { status: [200, 404] "
       "}, "
       "notApplied: { status: 404, where: { data: { n: [0] } } } } } } }",
       "4:107: 404 is in 'applied', too | a status of its own for each, or a `where` over the "
       "answer in both"},
      {"policies: { p: { idempotency: { reconcile: { path: '/{key}', applied: { status: 2xx }, "
       "notApplied: {} } } } }",
       "4:81: '2xx' is no HTTP status\n"
       "4:100: 'notApplied' of 'reconcile' of 'idempotency' of policy 'p' needs 'status'"},
      {"policies: { p: {} }\n"
       "flows: { f: { from: { stream: s }, to: { http: { dependency: d } }, effects: [bnk] } }",
       "5:78: unknown dependency 'bnk' | did you mean 'bank'?"},
      {"policies: { p: {} }\n"
       "flows: { f: { from: { stream: s }, to: { http: { dependency: bank } }, effects: [bank] } }",
       "5:81: flow 'f' is handled by dependency 'bank', and has effects on it | its calls hold the "
       "slots that its effects wait for: give the handler a dependency of its own, even if the url "
       "is the same"},
      {"policies: { p: { idempotency: { window: 7d } } }\n"
       "flows: { f: { from: { stream: s }, to: { http: { dependency: d } }, effects: [bank] } }",
       "5:78: the ledger forgets effects on bank after 7 d, and flow 'f' can be replayed for 8 d "
       "(retention of its stream, and timeouts.event) | raise idempotency.window in the policy of "
       "the dependency"},
  };
  check_rows(kEffectHead, rows);
}

TEST_CASE("what is said about effects is read") {
  const std::string text =
      std::string(kEffectHead) +
      "policies: { p: { idempotency: { onInDoubt: reconcile, downstreamRetention: 24h, window: "
      "60d, reconcile: { path: '/p/{key}', after: 5s, applied: { status: [200, 201], where: { "
      "data: { n: [1] } } }, notApplied: { status: 404 } } } } }\n"
      "flows: { f: { from: { stream: s }, to: { http: { dependency: d } }, effects: bank } }\n";
  const auto outcome = load({{"w.yaml", text}}, testing::no_secrets);
  REQUIRE(outcome.config);
  CHECK(outcome.config->flows[0].effects == std::vector<std::string>{"bank"});
  const IdempotencySpec& spec = outcome.config->dependencies[1].policy.idempotency;
  CHECK(spec.on_in_doubt == OnInDoubt::reconcile);
  CHECK(spec.downstream_retention == std::chrono::hours{24});
  CHECK(spec.window == std::chrono::hours{24 * 60});
  CHECK(spec.reconcile == ReconcileSpec{.path = "/p/{key}",
                                        .applied = {200, 201},
                                        .applied_where = R"({"data":{"n":[1]}})",
                                        .not_applied = {404},
                                        .not_applied_where = {},
                                        .after = std::chrono::seconds{5}});
}

TEST_CASE("one status may mean both if each asks the answer") {
  const std::string text =
      std::string(kEffectHead) +
      "policies: { p: { idempotency: { reconcile: { path: '/p?key={key}', applied: { status: 200, "
      "where: { data: { n: [1] } } }, notApplied: { status: [200, 404], where: { data: { n: [0] } "
      "} "
      "} } } } }\n"
      "flows: { f: { from: { stream: s }, to: { http: { dependency: d } }, effects: bank } }\n";
  CHECK(load({{"w.yaml", text}}, testing::no_secrets).config);
}

}  // namespace weir::config
