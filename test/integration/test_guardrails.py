# SPDX-License-Identifier: Apache-2.0
"""A dependency's guardrails, seen by its handler: what they keep from it, and that a refusal costs no attempt."""
import threading
import unittest

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

DEPENDENCIES = ("breaking", "limited", "narrow", "thrifty")
FLOW = """
  {name}:
    from: { stream: s, start: earliest }
    where: { type: [{name}] }
    to: { http: { dependency: {name}, path: /{name} } }
    policy: patient
"""
CONFIG = ("\nstreams:\n  s: { retention: 7d }\ndependencies:\n"
          + "".join(f'  {name}: {{ url: "{{url}}", policy: {name} }}\n' for name in DEPENDENCIES)
          + "flows:" + "".join(FLOW.replace("{name}", name) for name in DEPENDENCIES))
RULES = """
  patient:
    timeouts: { connect: 500ms, attempt: 20s, event: 24h }
    retry: { maxAttempts: 3, backOff: { baseInterval: 20ms, maxInterval: 40ms, jitter: none } }
  breaking:
    retryConstraint: { budget: { percent: 100, interval: 10s }, minRetryRate: { count: 1000, interval: 1s } }
    circuitBreaker: { failureRateThreshold: 50, slidingWindowSize: 60s, minimumNumberOfCalls: 4,
                      waitDurationInOpenState: { base: 2s, max: 2s, jitter: 0 }, permittedNumberOfCallsInHalfOpenState: 1 }
    concurrency: { maxParallelRequests: 1 }
  limited:
    rateLimit: { requests: 20, unit: second, burst: 5 }
    circuitBreaker: { enabled: false }
  narrow:
    concurrency: { maxParallelRequests: 3 }
    circuitBreaker: { enabled: false }
  thrifty:
    retryConstraint: { budget: { percent: 0, interval: 10s }, minRetryRate: { count: 2, interval: 10s } }
    circuitBreaker: { enabled: false }
"""


class Guardrails(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES + RULES

    def calls(self, flow):
        return [call for call in self.handler.calls() if call.header("weir-flow") == flow]

    def denials(self, dependency, guardrail):
        return self.get(f"/v1/dependencies/{dependency}")["denials"][guardrail]

    def test_an_open_breaker_lets_nothing_through_and_costs_no_attempt(self):
        ids = [f"b{number}" for number in range(8)]
        for one in ids:
            self.handler.script(one, stub.status(503))
        references = self.publish_many(ids, "breaking")
        wait_for(lambda: self.get("/v1/dependencies/breaking")["breaker"] == "open", 10, "the breaker to open")
        calls = self.calls("breaking")
        self.assertEqual(len(calls), 4)
        never = [one for one in ids if one not in {call.event_id for call in calls}]
        told = self.explain(never[0], "breaking")
        self.assertEqual(told["state"], "ready")
        self.assertNotIn("attempts", told)  # no row is written about waiting
        self.assertTrue(any("breaker" in line and "open" in line for line in told["why"]), told["why"])
        self.assertIn("weir dependency get breaking", told["next"])
        for one in ids:
            self.handler.script(one, stub.status(200))
        for reference in references:
            self.settled(reference, "breaking", "done")
        after = self.calls("breaking")
        self.assertGreaterEqual(after[4].at - after[3].at, 1.9)  # nothing while it was open
        self.assertEqual([call.header("weir-attempt") for call in after if call.event_id in never], ["1"] * len(never))
        self.assertEqual(self.get("/v1/dependencies/breaking")["breaker"], "closed")

    def test_the_rate_is_never_above_the_limit(self):
        ids = [f"l{number}" for number in range(45)]
        self.publish_many(ids, "limited")
        wait_for(lambda: len([call for one in ids for call in self.handler.calls_of(one)]) == 45, 10, "all calls")
        times = sorted(call.at for one in ids for call in self.handler.calls_of(one))
        for first in range(len(times)):
            for last in range(first, len(times)):
                allowed = 20 * (times[last] - times[first] + 0.15) + 5  # arrival at the handler is not exact
                self.assertLessEqual(last - first + 1, allowed + 1)
        self.assertGreaterEqual(times[-1] - times[0], 1.8)
        self.assertGreater(self.denials("limited", "rateLimit"), 0)

    def test_no_more_calls_at_once_than_allowed(self):
        go = threading.Event()
        ids = [f"n{number}" for number in range(9)]
        for one in ids:
            self.handler.script(one, stub.when(go, stub.status(200)))
        references = self.publish_many(ids, "narrow")
        wait_for(lambda: len(self.calls("narrow")) == 3, 10, "three calls")
        neighbour = self.publish("neighbour", "limited")  # another dependency is not in the way
        self.settled(neighbour, "limited", "done")
        self.assertEqual(len(self.calls("narrow")), 3)
        self.assertEqual(self.get("/v1/dependencies/narrow")["inFlight"], 3)
        go.set()
        for reference in references:
            self.settled(reference, "narrow", "done")
        self.assertEqual(len(self.calls("narrow")), 9)

    def test_retries_stay_within_the_budget_and_wait_without_losing_attempts(self):
        ids = [f"t{number}" for number in range(10)]
        for one in ids:
            self.handler.script(one, stub.status(500))
        self.publish_many(ids, "thrifty")
        wait_for(lambda: self.denials("thrifty", "retryBudget") > 0, 10, "a retry that is refused")
        wait_for(lambda: len(self.calls("thrifty")) >= 10, 10, "every first call")
        retries = [call for call in self.calls("thrifty") if call.header("weir-attempt") != "1"]
        self.assertLessEqual(len(retries), 4)  # two in ten seconds, and what has come back meanwhile
        self.assertEqual(self.get("/v1/flows/thrifty")["quarantined"], 0)
        def told():
            return [self.explain(one, "thrifty") for one in ids]
        # A retry may slip in between the answers: they agree as soon as none does.
        wait_for(lambda: sum(one["attempts"] for one in told()) == len(self.calls("thrifty")), 10, "the attempts to add up")
        waiting = told()
        self.assertTrue(any("budget" in line for one in waiting for line in one["why"]), waiting[0]["why"])


if __name__ == "__main__":
    unittest.main()
