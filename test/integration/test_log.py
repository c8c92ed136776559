# SPDX-License-Identifier: Apache-2.0
"""What an on-call looks for in the log: one line per change of the process, its breakers, flows, replays and quarantine."""
import os
import re
import signal
import unittest
from pathlib import Path

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import Server, ServerCase, wait_for

CONFIG = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
  breaking: { url: "{url}", policy: breaking }
flows:
  orders:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub } }
    policy: quick
  broken:
    from: { stream: s, start: earliest }
    where: { type: [broken] }
    to: { http: { dependency: breaking } }
    policy: quick
"""
RULES = """
  breaking:
    retryConstraint: { budget: { percent: 100, interval: 10s }, minRetryRate: { count: 1000, interval: 1s } }
    circuitBreaker: { failureRateThreshold: 50, slidingWindowSize: 60s, minimumNumberOfCalls: 2,
                      waitDurationInOpenState: { base: 1s, max: 1s, jitter: 0 }, permittedNumberOfCallsInHalfOpenState: 1 }
"""
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "operations.md"


class Log(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES + RULES

    def line(self, event, **fields):
        """The one line of this event with these fields, once it is there."""
        def found():
            return [line for line in self.weir.logged(event) if fields.items() <= line.items()]
        wait_for(found, 10, f"a line {event} with {fields}")
        self.assertEqual(len(found()), 1, found())
        return found()[0]

    def test_breakers(self):
        self.handler.script("b1", stub.status(503), stub.status(503), stub.status(204))
        self.publish("b1", "broken")
        opened = self.line("breaker.opened", dependency="breaking")
        self.assertEqual(opened["level"], "warning")
        self.assertIn("100 % of 2 calls failed; no calls for 1.0 s", opened["msg"])
        self.line("breaker.halfOpened", dependency="breaking")
        self.line("breaker.closed", dependency="breaking")

    def test_flows(self):
        self.cli("flow", "pause", "broken", "--reason", "maintenance")
        self.assertEqual(self.line("flow.pause", flow="broken")["msg"], "maintenance")
        self.cli("flow", "resume", "broken", "--reason", "it is over")
        self.assertTrue(self.line("flow.resume", flow="broken")["actor"].startswith("local:"))

    def test_quarantine_and_replays(self):
        ids = [f"q{number}" for number in range(5)]
        for one in ids:
            self.handler.script(one, *[stub.status(422)] * 2)
        references = self.publish_many(ids)
        self.quarantined(5, "orders")
        refs = [line["ref"] for line in self.weir.logged("delivery.quarantine") if line["flow"] == "orders"]
        self.assertIn(refs[0], references)
        self.cli("quarantine", "resolve", references[0], "--flow", "orders", "--reason", "by hand")
        line = self.line("quarantine.resolve", ref=references[0], count=1)
        self.assertIn("by hand", line["msg"])
        replay = self.cli_json("replay", "plan", "--flow", "orders", "--reason", "again")["replay"]
        self.cli("replay", "run", replay, "--reason", "now")
        self.line("replay.start", replay=replay)
        stopped = self.line("replay.stop", replay=replay)
        self.assertEqual((stopped["level"], stopped["actor"]), ("warning", "weir"))
        self.cli("replay", "abort", replay, "--reason", "no use")
        self.line("replay.abort", replay=replay)
        self.quarantined(4, "orders")
        self.cli("quarantine", "discard", "--flow", "orders", "--reason", "test data", "--yes")
        wait_for(lambda: sum(line["count"] for line in self.weir.logged("quarantine.discard")) == 4, 10, "4 discarded")

    def test_the_process(self):
        line = self.line("weir.serving")
        self.assertEqual(line["address"], f"127.0.0.1:{self.weir.port}")
        self.assertEqual(line["config"], str(self.weir.config))
        self.assertRegex(line["version"], r"^\d+\.\d+\.\d+")


class Ending(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES + RULES

    def test_a_drain_is_told_with_everything_that_was_left_out(self):
        for number in range(4):
            self.handler.script(f"e{number}", stub.status(422))
            self.publish(f"e{number}")
        self.quarantined(4, "orders")
        self.cli("flow", "pause", "orders", "--reason", "the last deed")
        self.weir.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.weir.process.wait(20), 0)
        events = [line["event"] for line in self.weir.log()]
        self.assertEqual(events[-1], "weir.stopped")
        self.assertLess(events.index("weir.draining"), events.index("weir.stopped"))
        self.assertEqual(events.count("flow.pause"), 1)
        told = self.weir.logged("delivery.quarantine")
        self.assertEqual(sum(1 + line.get("count", 0) if "ref" in line else line["count"] for line in told), 4)
        self.assertEqual(self.weir.log()[-1]["level"], "info")
        known = set(re.findall(r"`(\w+)`", GUIDE.read_text().partition("## Logs")[2]))
        for line in self.weir.log():
            self.assertLessEqual(set(line), known)


class Failed(ServerCase):
    def test_a_failed_store_has_the_last_word(self):
        environment = os.environ | {"WEIR_FAILPOINT": "store.before_commit=fail@*"}
        weir = Server(self.folder, "streams: { s: {} }", env=environment)
        self.addCleanup(weir.kill_if_running)
        weir.launch()
        self.assertEqual(weir.process.wait(20), 74)
        (line,) = weir.logged("store.failed")
        self.assertEqual((line["level"], weir.log()[-1]), ("error", line))
        self.assertRegex(line["code"], r"^WR\d{4}$")


if __name__ == "__main__":
    unittest.main()
