# SPDX-License-Identifier: Apache-2.0
"""/v1/watch: alarms as server-sent events, bounded in number, and no hindrance to a drain."""
import json
import time
import unittest

import stub_handler as stub
from handler_case import HandlerCase
from server import wait_for

CONFIG = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  f:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub, path: /f } }
    policy: braked
"""
BRAKED = """
  braked:
    deadLetterBrake: { consecutiveQuarantines: 5 }
"""
WATCHERS_MAX = 32


def next_event(watched):
    """The next event and its data; comments are passed over."""
    name = None
    while line := watched.readline().decode().rstrip("\n"):
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            watched.readline()
            return name, json.loads(line.removeprefix("data: "))
        if line.startswith(":"):
            watched.readline()
    return None


class Watch(HandlerCase):
    CONFIG = CONFIG
    POLICIES = HandlerCase.POLICIES + BRAKED

    def breaker(self, state):
        self.post("/v1/dependencies/stub/breaker", {"state": state, "reason": "a test"})

    def test_an_alarm_is_told_when_it_is_raised_and_when_it_is_cleared(self):
        with self.weir.watch() as watched:
            self.assertEqual(watched.getheader("content-type"), "text/event-stream")
            self.assertEqual(next_event(watched), ("alarms", []))
            self.breaker("open")
            name, alarm = next_event(watched)
            self.assertEqual((name, alarm["type"], alarm["name"]), ("alarmRaised", "breakerOpen", "stub"))
            self.assertIn("a test", alarm["reason"])
            listed = self.get("/v1/status")["alarms"]
            self.assertEqual([(one["type"], one["since"]) for one in listed], [("breakerOpen", alarm["since"])])
            with self.weir.watch() as late:  # who comes later is told at once
                name, alarms = next_event(late)
                self.assertEqual((name, [one["type"] for one in alarms]), ("alarms", ["breakerOpen"]))
            self.breaker("closed")
            name, cleared = next_event(watched)
            self.assertEqual((name, cleared["type"]), ("alarmCleared", "breakerOpen"))
        self.breaker("auto")

    def test_the_dead_letter_brake_is_an_alarm(self):
        with self.weir.watch() as watched:
            next_event(watched)
            ids = [f"x{number}" for number in range(8)]
            for one in ids:
                self.handler.script(one, stub.status(422))
            self.publish_many(ids)
            name, alarm = next_event(watched)
            self.assertEqual((name, alarm["type"], alarm["name"]), ("alarmRaised", "deadLetterBrake", "f"))
            self.assertIn("5 deliveries in a row", alarm["reason"])
            metrics = self.weir.request("GET", "/metrics").text
            self.assertIn('weir_alarm{type="deadLetterBrake",name="f"} 1', metrics)
            self.cli("flow", "resume", "f", "--reason", "fixed")
            self.assertEqual(next_event(watched)[0], "alarmCleared")


class Bounds(HandlerCase):
    CONFIG = CONFIG
    POLICIES = HandlerCase.POLICIES + BRAKED

    def test_watchers_are_bounded(self):
        open_ones = [self.weir.watch() for _ in range(WATCHERS_MAX)]
        refused = self.weir.request("GET", "/v1/watch")
        self.assertEqual((refused.status, refused.json["code"]), (503, "WR1006"))
        for one in open_ones:
            self.assertEqual(one.status, 200)
            one.connection.close()
            one.close()

        def is_free():
            with self.weir.watch() as again:
                return again.status == 200
        wait_for(is_free, 10, "a place of those that went")


class Drain(HandlerCase):
    CONFIG = CONFIG
    POLICIES = HandlerCase.POLICIES + BRAKED

    def test_a_watcher_does_not_hold_up_a_drain(self):
        with self.weir.watch() as watched:
            watched.readline()
            began = time.monotonic()
            self.assertEqual(self.weir.stop(), 0)
            self.assertLess(time.monotonic() - began, 5)
            while watched.readline():  # in order, not cut: IncompleteRead otherwise
                pass


if __name__ == "__main__":
    unittest.main()
