# SPDX-License-Identifier: Apache-2.0
"""A served Weir with a scripted handler behind it: what the tests of delivery and recovery share."""
import json
import shutil
import tempfile
import unittest
from pathlib import Path

from server import Server, wait_for
from stub_handler import StubHandler

POLICIES = """
policies:
  quick:
    timeouts: { connect: 500ms, attempt: 300ms, event: 24h }
    retry:
      maxAttempts: 3
      backOff: { baseInterval: 20ms, maxInterval: 40ms, multiplier: 2, jitter: none }
    deadLetterBrake: { enabled: false }  # the tests pour into quarantine on purpose
  open:
    retryConstraint: { budget: { percent: 100, interval: 10s }, minRetryRate: { count: 1000, interval: 1s } }
    circuitBreaker: { enabled: false }
    rateLimit: { honorHeaders: false }
"""


class HandlerCase(unittest.TestCase):
    """One Weir and one handler per test class; subclasses give CONFIG, with {url} for the handler, and more POLICIES."""

    CONFIG = ""
    POLICIES = POLICIES

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="weir-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.handler = StubHandler()
        cls.addClassCleanup(cls.handler.stop)
        cls.weir = Server(cls.folder, cls.config(cls.CONFIG))
        cls.addClassCleanup(cls.weir.kill_if_running)
        cls.weir.start()

    @classmethod
    def config(cls, text):
        return text.replace("{url}", cls.handler.url) + cls.POLICIES

    def publish(self, event_id, type_="test", data=b"{}", stream="s", **attributes):
        """One event in binary mode; its reference."""
        headers = {"ce-specversion": "1.0", "ce-id": event_id, "ce-type": type_, "ce-source": "/test",
                   "Content-Type": "application/json"}
        headers |= {f"ce-{name}": value for name, value in attributes.items()}
        answer = self.weir.request("POST", f"/v1/streams/{stream}/events", data, headers)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["results"][0]["ref"]

    def publish_many(self, ids, type_="test", stream="s", **attributes):
        events = [{"specversion": "1.0", "id": one, "type": type_, "source": "/test", "data": {"id": one}}
                  | attributes for one in ids]
        answer = self.weir.request("POST", f"/v1/streams/{stream}/events", json.dumps(events).encode(),
                                   {"Content-Type": "application/cloudevents-batch+json"})
        self.assertEqual(answer.status, 201, answer.text)
        return [result["ref"] for result in answer.json["results"]]

    def explain(self, reference, flow):
        """The one delivery of the event in the flow, as `weir explain -o json` tells it."""
        told = self.weir.cli("explain", reference, "--flow", flow, "-o", "json")
        self.assertEqual(told.code, 0, told.err)
        deliveries = json.loads(told.out)["deliveries"]
        self.assertEqual([one["flow"] for one in deliveries], [flow])
        return deliveries[0]

    def state(self, reference, flow):
        path = f"/v1/events/{reference.replace('#', '%23')}/explain?flow={flow}"
        answer = self.weir.request("GET", path)
        if answer.status != 200:
            return None
        return answer.json["deliveries"][0]["state"]

    def settled(self, reference, flow, state="quarantined", seconds=15):
        """Waits until the delivery has this state; how it is explained then."""
        wait_for(lambda: self.state(reference, flow) == state, seconds, f"{reference} {state}")
        return self.explain(reference, flow)

    def quarantined(self, count, flow, seconds=15):
        """Waits until so many deliveries of the flow are in quarantine."""
        def there():
            found = self.get("/v1/flows")["flows"]
            return next(one["quarantined"] for one in found if one["flow"] == flow) == count
        wait_for(there, seconds, f"{count} in quarantine of {flow}")

    def get(self, path, status=200):
        answer = self.weir.request("GET", path)
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def post(self, path, body=None, status=200):
        answer = self.weir.request("POST", path, json.dumps(body or {}).encode(),
                                   {"Content-Type": "application/json"})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def cli(self, *arguments, code=0):
        """Runs the command line against the server; its result."""
        done = self.weir.cli(*arguments)
        self.assertEqual(done.code, code, f"weir {' '.join(arguments)}: {done.out}{done.err}")
        return done

    def cli_json(self, *arguments, code=0):
        return json.loads(self.cli(*arguments, "-o", "json", code=code).out)
