# SPDX-License-Identifier: Apache-2.0
"""Handlers that cannot be reached or trusted, and calls that are cut short by the end of Weir itself."""
import subprocess
import unittest

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

UNREACHABLE = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
  secure: { url: "{secure}", policy: open }
  trusted: { url: "{secure}", policy: open, caFile: "{ca}" }
  other-name: { url: "{other}", policy: open, caFile: "{ca}" }
  plain: { url: "https://127.0.0.1:{port}", policy: open }
flows:
  closed: { from: { stream: s }, where: { type: [closed] }, to: { http: { dependency: stub } }, policy: quick }
  untrusted: { from: { stream: s }, where: { type: [tls] }, to: { http: { dependency: secure } }, policy: quick }
  trusted: { from: { stream: s }, where: { type: [tls] }, to: { http: { dependency: trusted } }, policy: quick }
  misnamed: { from: { stream: s }, where: { type: [tls] }, to: { http: { dependency: other-name } }, policy: quick }
  no-tls: { from: { stream: s }, where: { type: [tls] }, to: { http: { dependency: plain } }, policy: quick }
  unkeyed: { from: { stream: s }, where: { type: [once] }, to: { http: { dependency: stub, idempotent: false } }, policy: quick }
"""


def make_certificate(folder):
    """A certificate for 127.0.0.1 that signs itself: (certificate, key)."""
    certificate, key = folder / "stub.pem", folder / "stub.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=stub", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    return certificate, key


class Unreachable(HandlerCase):
    CONFIG = UNREACHABLE

    @classmethod
    def config(cls, text):
        certificate = make_certificate(cls.folder)
        cls.secure = stub.StubHandler(certificate)
        cls.addClassCleanup(cls.secure.stop)
        text = super().config(text).replace("{secure}", cls.secure.url).replace("{ca}", str(certificate[0]))
        text = text.replace("{other}", cls.secure.url.replace("127.0.0.1", "localhost"))
        return text.replace("{port}", str(cls.handler.port))

    def check(self, told, class_, rule, fault, attempts):
        self.assertEqual((told["class"], told["attempts"], told["inDoubt"]), (class_, attempts, False))
        self.assertEqual({line["fault"] for line in told["history"]}, {fault})
        self.assertTrue(told["history"][0]["note"].startswith(f"{rule}: "), told["history"][0])

    def test_refused_and_reset_before_the_request(self):
        self.handler.refuse()
        try:
            told = self.settled(self.publish("shut", "closed"), "closed")
        finally:
            self.handler.accept()
        self.check(told, "transient", "transport.refused", "refused", 3)
        self.assertIn("Connection refused", told["reason"])
        self.handler.drop_connections()
        self.handler.reset_connects(True)
        try:
            told = self.settled(self.publish("reset", "closed"), "closed")
        finally:
            self.handler.reset_connects(False)
        self.assertEqual(told["attempts"], 3)
        self.assertLessEqual({line["fault"] for line in told["history"]}, {"connectionClosed", "sendFailed", "refused"}, told)
        self.assertEqual(self.handler.calls_of("shut") + self.handler.calls_of("reset"), [])

    def test_a_handler_that_is_not_idempotent_may_be_called_again_if_it_was_not_reached(self):
        self.handler.refuse()
        try:
            self.settled(self.publish("never-sent", "once"), "unkeyed")
        finally:
            self.handler.accept()
        told = self.explain("never-sent", "unkeyed")
        self.check(told, "transient", "transport.refused", "refused", 3)

    def test_certificates(self):
        reference = self.publish("tls1", "tls")
        told = self.settled(reference, "untrusted")
        self.check(told, "config", "transport.tlsVerify", "tlsVerify", 1)
        self.assertIn("certificate that cannot be trusted", told["reason"])
        self.assertIn("it fails again until a name, a certificate or an address is right", told["why"][0])
        self.check(self.settled(reference, "misnamed"), "config", "transport.tlsVerify", "tlsVerify", 1)
        self.check(self.settled(reference, "no-tls"), "transient", "transport.connectTimeout", "connectTimeout", 3)
        self.settled(reference, "trusted", "done")
        self.assertEqual([call.header("weir-flow") for call in self.secure.calls()], ["trusted"])


INTERRUPTED = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  keyed:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /in } }
    ordering: { key: subject }
    policy: patient
  unkeyed:
    from: { stream: s, start: earliest }
    where: { type: [unkeyed] }
    to: { http: { dependency: stub, path: /once, idempotent: false } }
    policy: patient
"""
PATIENT = """
  patient:
    timeouts: { attempt: 60s }
    retry: { maxAttempts: 2, maxInterruptions: 3, backOff: { baseInterval: 20ms, maxInterval: 40ms, jitter: none } }
"""


class Interrupted(HandlerCase):
    CONFIG = INTERRUPTED
    POLICIES = POLICIES + PATIENT

    def kill_within_call(self, event_id, number):
        """Ends Weir with -9 while the number-th call for the event is under way."""
        wait_for(lambda: len(self.handler.calls_of(event_id)) >= number, 10, f"call {number} for {event_id}")
        self.weir.kill()

    def test_an_event_whose_calls_end_the_process_is_quarantined(self):
        self.handler.script("poison", stub.hang())
        self.handler.script("behind", stub.status(200))
        poison = self.publish("poison", subject="k")
        behind = self.publish("behind", subject="k")
        neighbour = self.publish("neighbour", subject="other")
        self.settled(neighbour, "keyed", "done")
        for number in (1, 2, 3):
            self.kill_within_call("poison", number)
            self.weir.start()
        told = self.settled(poison, "keyed")
        self.assertEqual((told["attempts"], told["interruptions"]), (0, 3))
        self.assertEqual((told["class"], told["inDoubt"]), ("interrupted", False))
        self.assertEqual(len(self.handler.calls_of("poison")), 3)
        self.assertTrue(told["history"][-1]["note"].startswith("retry.maxInterruptions: "), told["history"])
        self.assertEqual([line["decision"] for line in told["history"]], ["defer", "defer", "quarantine"])
        self.assertTrue(any("3 interruptions" in line and "not attempts" in line for line in told["why"]), told["why"])
        text = self.cli("explain", poison, "--flow", "keyed").out
        self.assertIn("a restart cut it short 3 of 3 times", text)
        self.assertEqual([call.header("weir-attempt") for call in self.handler.calls_of("poison")], ["1", "1", "1"])
        self.assertEqual(len({call.key for call in self.handler.calls_of("poison")}), 1)
        # Its key is held, its neighbours are not; a replay takes it out and the key goes on.
        self.assertEqual(self.state(behind, "keyed"), "held")
        self.assertEqual(self.handler.calls_of("behind"), [])
        self.handler.script("poison", stub.status(200))
        replay = self.cli_json("replay", "plan", poison, "--flow", "keyed", "--reason", "mended")["replay"]
        self.cli("replay", "run", replay)
        self.settled(poison, "keyed", "done")
        self.settled(behind, "keyed", "done")

    def test_interruptions_and_attempts_are_counted_apart(self):
        self.handler.script("both", stub.status(500), stub.hang(), stub.status(500))
        reference = self.publish("both")
        self.kill_within_call("both", 2)
        self.weir.start()
        told = self.settled(reference, "keyed")
        self.assertEqual((told["attempts"], told["interruptions"]), (2, 1))
        self.assertEqual(told["class"], "transient")
        self.assertEqual([line["decision"] for line in told["history"]], ["retryAt", "defer", "quarantine"])
        self.assertEqual([line.get("attempt") for line in told["history"]], [1, None, 2])
        self.assertEqual([call.header("weir-attempt") for call in self.handler.calls_of("both")], ["1", "2", "2"])

    def test_an_interruption_leaves_a_call_without_a_key_in_doubt(self):
        self.handler.script("once", stub.hang())
        reference = self.publish("once", "unkeyed")
        self.kill_within_call("once", 1)
        self.weir.start()
        told = self.settled(reference, "unkeyed")
        self.assertEqual((told["attempts"], told["interruptions"], told["inDoubt"]), (0, 1, True))
        self.assertEqual(len(self.handler.calls_of("once")), 1)
        self.assertIn("find out whether it was applied, before anything else", told["next"])

    def test_a_drain_waits_for_the_call(self):
        """SIGTERM is no interruption of a call that ends in time."""
        self.handler.script("drained", stub.late(0.5, stub.status(200)))
        reference = self.publish("drained")
        wait_for(lambda: self.handler.calls_of("drained"), 10, "the call")
        self.assertEqual(self.weir.stop(), 0)
        self.weir.start()
        self.settled(reference, "keyed", "done")
        self.assertEqual(len(self.handler.calls_of("drained")), 1)


if __name__ == "__main__":
    unittest.main()
