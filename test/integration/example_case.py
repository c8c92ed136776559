# SPDX-License-Identifier: Apache-2.0
"""The example as it is, Weir and service as processes of their own, under a steady load of its real payloads; what the
service saw is read from the service's own file."""
import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections import namedtuple

from server import ServerCase, answers, free_port, run_cli, wait_for
from processes import EXAMPLE, request

sys.path.insert(0, str(EXAMPLE))
import github_events  # noqa: E402
import publish  # noqa: E402

Seen = namedtuple("Seen", "at flow event_id attempt status applied")
PAYLOADS = EXAMPLE / "node_modules/@octokit/webhooks-examples"
BATCHES_PER_SECOND = 10


class Tracker:
    """The example's service without its two bugs, so that all that fails is the trouble that a test asks for."""

    def __init__(self, folder):
        self.db = folder / "tracker.db"
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE / "service.py", "--port", str(self.port), "--db", self.db, "--version", "2",
             "--seed", "1"], stdout=subprocess.DEVNULL)
        wait_for(lambda: answers(self.port, "/healthz"), 20, "the service")

    def trouble(self, kind):
        """Switches the mode; when that was, by the clock of the service's file."""
        status, answer = request(self.port, "POST", "/admin/trouble", kind, "text/plain")
        assert status == 200, answer
        return time.time()

    def seen(self):
        """Every call, in the order in which they came in."""
        db = sqlite3.connect(f"file:{self.db}?mode=ro", uri=True)
        try:
            rows = db.execute("SELECT at, flow, event_id, attempt, status, applied FROM log ORDER BY at")
            return [Seen(*row) for row in rows]
        finally:
            db.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Load(threading.Thread):
    """Publishes the real payloads at a steady rate until told to stop. Every round of them has ids and subjects of its
    own, as if it were about other repositories: a ticket that is parked is not parked for ever."""

    def __init__(self, port, rate):
        super().__init__(daemon=True)
        self.client = publish.Client(f"http://127.0.0.1:{port}", "github")
        self.rate = rate
        self.examples = github_events.load_examples(PAYLOADS)
        self.round_seconds = len(self.examples) / rate  # after so long the load repeats itself
        self.published = []  # (time of the acknowledgement, event id, flows), in order
        self.failure = None
        self.stopping = threading.Event()

    def events(self):
        turn = 0
        while True:
            turn += 1
            for event in github_events.events(self.examples, prefix=f"t{turn}-"):
                yield event | {"subject": f"t{turn}/{event['subject']}"} if "subject" in event else event

    def run(self):
        try:
            self.publish()
        except Exception as error:  # told to the test, which would wait for nothing
            self.failure = error

    def publish(self):
        events = self.events()
        started, sent = time.monotonic(), 0
        while not self.stopping.wait(max(0.0, started + sent / self.rate - time.monotonic())):
            batch = [next(events) for _ in range(max(1, round(self.rate / BATCHES_PER_SECOND)))]
            status, text = self.client.publish(b"[" + b",".join(map(publish.encoded, batch)) + b"]")
            fresh, _, refused = publish.count_results(status, text, len(batch))
            assert fresh == len(batch), refused
            now = time.time()
            self.published += [(now, event["id"], github_events.flows_of(event["type"])) for event in batch]
            sent += len(batch)

    def end(self):
        self.stopping.set()
        self.join(60)
        self.client.connection.close()

    def stop(self):
        self.end()
        if self.failure:
            raise self.failure


class ExampleCase(ServerCase):
    """`weir.yaml` of the example; only the ports and the data folder are others."""

    def start_example(self, rate):
        self.tracker = Tracker(self.folder)
        self.addCleanup(self.tracker.stop)
        self.weir = self.serve(self.example_config())
        self.load = Load(self.weir.port, rate)
        self.addCleanup(self.load.end)
        self.load.start()

    def example_config(self):
        text = (EXAMPLE / "weir.yaml").read_text()
        for ours in ("version: 1\n", "listen: { http: 127.0.0.1:8600 }\n"):
            self.assertEqual(text.count(ours), 1)
            text = text.replace(ours, "")
        self.assertEqual(text.count("127.0.0.1:9900"), 1)
        return text.replace("127.0.0.1:9900", f"127.0.0.1:{self.tracker.port}")

    def bound(self, outage="10s", path=None):
        """What `weir policy bound` prints for the configuration that is served."""
        done = run_cli("policy", "bound", "--config", path or self.weir.config, "--outage", outage, "-o", "json")
        self.assertEqual(done.code, 0, done.err)
        return json.loads(done.out)

    def dependency(self):
        answer = self.weir.request("GET", "/v1/dependencies/tracker")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json
