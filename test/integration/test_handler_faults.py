# SPDX-License-Identifier: Apache-2.0
"""What Weir makes of every way in which a handler can misbehave: outcome, class, rule, decision, and the next step."""
import email.utils
import time
import unittest
from dataclasses import dataclass

import stub_handler as stub
from handler_case import HandlerCase

FLOWS = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  keyed:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /keyed, idempotent: true } }
    policy: quick
  unkeyed:
    from: { stream: s, start: earliest }
    where: { type: [unkeyed] }
    to: { http: { dependency: stub, path: /unkeyed, idempotent: false } }
    policy: quick
failureModes:
  - name: no-such-customer
    match: { problemType: ["urn:stub:no-customer"] }
    class: permanent
    runbook: docs/runbooks/no-such-customer.md
  - name: not-yet
    match: { status: [422], problemType: ["urn:stub:not-yet"] }
    class: transient
"""


@dataclass
class Case:
    """A behaviour that repeats, and what it is taken for."""

    name: str
    behaviour: object
    outcome: object  # a status, or the name of a fault
    class_: str
    rule: str
    retried: bool = False
    doubt: bool = False  # ambiguous for a handler that is not idempotent


def fault(name, behaviour, what, rule=None, class_="ambiguous"):
    return Case(name, behaviour, what, class_, rule or f"transport.{what}", retried=True, doubt=True)


CASES = [
    fault("closes without an answer", stub.close(), "connectionClosed"),
    fault("closes within the head", stub.close_mid_head(), "connectionClosed"),
    fault("closes within the body", stub.close_mid_body(), "connectionClosed"),
    fault("resets", stub.reset(), "connectionClosed"),
    fault("answers garbage", stub.garbage(), "malformedAnswer"),
    fault("answers two lengths", stub.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
          "malformedAnswer"),
    fault("answers a broken chunk", stub.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
          "malformedAnswer"),
    fault("answers half a million", stub.raw(b"HTTP/1.1 500000 Many\r\n\r\n"), "malformedAnswer"),
    fault("floods the body", stub.flood_body(), "answerTooLarge"),
    fault("floods chunks", stub.flood_body(chunked=True), "answerTooLarge"),
    fault("floods the headers", stub.flood_headers(), "answerTooLarge"),
    fault("hangs", stub.hang(), "timeout"),
    fault("drips", stub.drip(), "timeout"),
    fault("answers 102 for ever", stub.raw(b"HTTP/1.1 102 Processing\r\n\r\n" * 3), "connectionClosed"),
    Case("500", stub.status(500), 500, "transient", "http.500", retried=True, doubt=True),
    Case("502", stub.status(502), 502, "ambiguous", "http.502", retried=True, doubt=True),
    Case("503", stub.status(503), 503, "transient", "http.503", retried=True, doubt=True),
    Case("504", stub.status(504), 504, "ambiguous", "http.504", retried=True, doubt=True),
    Case("599", stub.status(599), 599, "transient", "http.5xx", retried=True, doubt=True),
    Case("501", stub.status(501), 501, "permanent", "http.501"),
    Case("400", stub.status(400), 400, "permanent", "http.400"),
    Case("401", stub.status(401), 401, "auth", "http.401"),
    Case("404", stub.status(404), 404, "permanent", "http.404"),
    Case("409", stub.status(409), 409, "conflict", "http.409"),
    Case("422", stub.status(422), 422, "permanent", "http.422"),
    Case("418", stub.status(418), 418, "permanent", "http.4xx"),
    Case("408", stub.status(408), 408, "transient", "http.408", retried=True),
    Case("429", stub.status(429), 429, "throttled", "http.429", retried=True),
    Case("304", stub.status(304), 304, "permanent", "http.3xx"),
]


class Faults(HandlerCase):
    CONFIG = FLOWS

    def check_history(self, told, case, attempts):
        lines = told["history"]
        self.assertEqual([line["attempt"] for line in lines], list(range(1, attempts + 1)))
        self.assertEqual([line["decision"] for line in lines], ["retryAt"] * (attempts - 1) + ["quarantine"])
        member = "fault" if isinstance(case.outcome, str) else "status"
        self.assertEqual({line.get(member) for line in lines}, {case.outcome})
        self.assertEqual({line["class"] for line in lines}, {case.class_})
        for line in lines[:-1]:
            self.assertTrue(line["note"].startswith(f"{case.rule}: "), line["note"])

    def check_text(self, reference, flow, case, rule):
        text = self.cli("explain", reference, "--flow", flow).out
        self.assertIn("QUARANTINED", text)
        self.assertIn(f"class {case.class_}", text)
        self.assertIn(f"{rule}: ", text)
        self.assertIn("weir replay plan --group", text)
        self.assertRegex(text, rf"(?m)^  1  .*  {case.outcome} +{case.class_}  ")

    def test_an_idempotent_handler(self):
        """Every misbehaviour at every attempt: retried or not, and then quarantined and explained."""
        references = {}
        for number, case in enumerate(CASES):
            self.handler.script(f"k{number}", case.behaviour)
            references[number] = self.publish(f"k{number}")
        for number, case in enumerate(CASES):
            with self.subTest(case.name):
                attempts = 3 if case.retried else 1
                told = self.settled(references[number], "keyed")
                self.assertEqual(told["class"], case.class_)
                self.assertEqual((told["attempts"], told["interruptions"]), (attempts, 0))
                self.assertFalse(told["inDoubt"])
                self.assertEqual(len(self.handler.calls_of(f"k{number}")), attempts)
                self.check_history(told, case, attempts)
                rule = "retry.maxAttempts" if case.retried else case.rule
                self.assertTrue(told["history"][-1]["note"].startswith(f"{rule}: "), told["history"][-1])
                self.assertIn(f"rule {rule}, class {case.class_}: ", told["why"][0])
                self.assertTrue(told["next"][0].startswith("weir replay plan --group "), told["next"])
                self.check_text(references[number], "keyed", case, rule)

    def test_a_handler_that_is_not_idempotent(self):
        """The first ambiguous outcome is the last call: in doubt, in quarantine. What leaves no doubt is retried."""
        references = {}
        for number, case in enumerate(CASES):
            self.handler.script(f"u{number}", case.behaviour)
            references[number] = self.publish(f"u{number}", "unkeyed")
        for number, case in enumerate(CASES):
            with self.subTest(case.name):
                told = self.settled(references[number], "unkeyed")
                attempts = 3 if case.retried and not case.doubt else 1
                self.assertEqual((told["attempts"], told["class"]), (attempts, case.class_))
                self.assertEqual(len(self.handler.calls_of(f"u{number}")), attempts)
                self.assertEqual(told["inDoubt"], case.doubt)
                if not case.doubt:
                    continue
                self.assertTrue(told["history"][-1]["note"].startswith("inDoubt: "))
                self.assertIn("idempotent: false", told["reason"])
                self.assertIn("find out whether it was applied, before anything else", told["next"])
                text = self.cli("explain", references[number], "--flow", "unkeyed").out
                self.assertIn("in doubt", text)

    def test_a_hanging_handler_is_given_up_at_the_attempt_timeout(self):
        self.handler.script("slow", stub.hang())
        told = self.settled(self.publish("slow"), "keyed")
        for line in told["history"]:
            self.assertGreaterEqual(line["durationMs"], 290)
            self.assertLess(line["durationMs"], 1500)
        self.assertIn("did not answer in", told["reason"])

    def test_a_fault_that_goes_away_is_a_delivery(self):
        self.handler.script("brief", stub.close_mid_body(), stub.status(500), stub.status(200))
        told = self.settled(self.publish("brief"), "keyed", "done")
        self.assertEqual([line["decision"] for line in told["history"]], ["retryAt", "retryAt", "done"])
        self.assertEqual(told["attempts"], 3)
        text = self.cli("explain", "brief", "--flow", "keyed").out
        self.assertRegex(text, r"(?m)^DONE .* after 3 attempts$")

    def test_success_and_its_kin(self):
        answers = {"ok200": stub.status(200, body=b"fine"), "ok202": stub.status(202), "ok204": stub.status(204),
                   "ok299": stub.status(299), "early": stub.interim(103, stub.status(200)),
                   "until-close": stub.raw(b"HTTP/1.1 200 OK\r\n\r\nuntil the end"),
                   "old": stub.raw(b"HTTP/1.0 200 OK\r\n\r\n")}
        references = {}
        for event_id, behaviour in answers.items():
            self.handler.script(event_id, behaviour)
            references[event_id] = self.publish(event_id)
        for event_id, reference in references.items():
            with self.subTest(event_id):
                told = self.settled(reference, "keyed", "done")
                status = {"ok202": 202, "ok204": 204, "ok299": 299}.get(event_id, 200)
                self.assertEqual(told["settlement"]["status"], status)
                self.assertEqual(told["settlement"]["attempt"], 1)
                self.assertEqual(len(self.handler.calls_of(event_id)), 1)

    def test_a_redirect_is_not_followed(self):
        with stub.StubHandler() as elsewhere:
            for code in (301, 302, 307, 308):
                self.handler.script(f"moved{code}", stub.status(code, [("Location", f"{elsewhere.url}/in")]))
                told = self.settled(self.publish(f"moved{code}"), "keyed")
                self.assertEqual((told["attempts"], told["class"]), (1, "permanent"))
                self.assertIn("redirects are not followed", told["reason"])
            self.assertEqual(elsewhere.calls(), [])

    def test_the_handler_overrides_with_weir_outcome(self):
        def says(word, code):
            return stub.status(code, [("Weir-Outcome", word)])
        wanted = {("done", 500): ("done", 1), ("quarantine", 200): ("quarantined", 1),
                  ("discard", 503): ("discarded", 1), ("retry", 422): ("quarantined", 3)}
        for (word, code), (state, attempts) in wanted.items():
            with self.subTest(f"{code} {word}"):
                self.handler.script(f"say-{word}", says(word, code))
                told = self.settled(self.publish(f"say-{word}"), "keyed", state)
                self.assertEqual(len(self.handler.calls_of(f"say-{word}")), attempts)
                self.assertEqual(told["attempts"], attempts)
                self.assertTrue(told["history"][0]["note"].startswith("reply.weir-outcome: "), told["history"])
                self.assertEqual(told["history"][0]["status"], code)
        self.handler.script("say-nonsense", says("perhaps", 422))
        self.assertEqual(self.settled(self.publish("say-nonsense"), "keyed")["history"][0]["note"][:9], "http.422:")

    def test_a_failure_mode_names_the_cause(self):
        self.handler.script("nobody", stub.problem(500, "urn:stub:no-customer"))
        told = self.settled(self.publish("nobody"), "keyed")
        self.assertEqual((told["attempts"], told["class"]), (1, "permanent"))  # the mode's class, not that of 500
        self.assertEqual(told["failureMode"], "no-such-customer")
        self.assertTrue(told["history"][0]["note"].startswith("failureMode.no-such-customer: "))
        self.assertIn("runbook docs/runbooks/no-such-customer.md", told["next"])
        self.handler.script("patience", stub.problem(422, "urn:stub:not-yet"), stub.status(200))
        told = self.settled(self.publish("patience"), "keyed", "done")
        self.assertEqual(told["attempts"], 2)
        self.handler.script("unknown", stub.problem(422, "urn:stub:other", "no such thing"))
        told = self.settled(self.publish("unknown"), "keyed")
        self.assertNotIn("failureMode", told)
        self.assertIn("no named failure mode matched", told["why"])
        self.assertIn("urn:stub:other", told["group"]["reason"])
        self.assertIn("urn:stub:other", "\n".join(told["suggestedFailureMode"]))


class RetryAfter(HandlerCase):
    CONFIG = FLOWS

    def spaced(self, code, value, least):
        """The second call comes no earlier than the answer said."""
        event_id = f"after-{code}-{least}-{value[:3]}"
        self.handler.script(event_id, stub.status(code, [("Retry-After", value)]), stub.status(200))
        reference = self.publish(event_id)

        def check():
            told = self.settled(reference, "keyed", "done")
            first, second = self.handler.calls_of(event_id)
            self.assertGreaterEqual(second.at - first.at, least)
            self.assertLess(second.at - first.at, least + 4)
            self.assertEqual(told["attempts"], 2)
            return told
        return check

    def test_seconds_and_dates_are_honoured(self):
        now = time.time()
        date = email.utils.formatdate(int(now) + 3, usegmt=True)
        checks = {}
        for code in (408, 429, 503, 500):
            checks[code, "seconds"] = self.spaced(code, "1", 1)
        checks[429, "date"] = self.spaced(429, date, int(now) + 3 - time.time() - 0.1)
        checks[503, "date"] = self.spaced(503, date, int(now) + 3 - time.time() - 0.1)
        for (code, form), check in checks.items():
            with self.subTest(f"{code} {form}"):
                told = check()
                rule = "http.503.hinted" if code == 503 else f"http.{code}"
                self.assertTrue(told["history"][0]["note"].startswith(f"{rule}: "), told["history"][0])

    def test_a_past_date_and_nonsense_leave_the_usual_back_off(self):
        values = ["Sun, 06 Nov 1994 08:49:37 GMT", "soon", "-5", "1.5"]
        for number, value in enumerate(values):
            self.handler.script(f"odd{number}", stub.status(429, [("Retry-After", value)]), stub.status(200))
            self.publish(f"odd{number}")
        for number, value in enumerate(values):
            with self.subTest(value):
                self.settled(f"odd{number}", "keyed", "done")
                first, second = self.handler.calls_of(f"odd{number}")
                self.assertLess(second.at - first.at, 1.0)

    def test_an_absurd_wait_is_clamped_and_visible(self):
        self.handler.script("forever", stub.status(429, [("Retry-After", "99999999999999999999")]))
        told = self.settled(self.publish("forever"), "keyed", "waiting")
        self.assertEqual(told["attempts"], 1)
        due = time.mktime(time.strptime(told["due"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.assertLess(abs(due - time.time() - 300), 60)


if __name__ == "__main__":
    unittest.main()
