# SPDX-License-Identifier: Apache-2.0
"""The reference scenario of the tests that break the real binary: publish, deliver with failures and retries, quarantine,
effects through the gateway, a replay. Every step may be cut short and done again until the end is reached; then the
checks tell what the promises of Weir would not allow."""
import json
import shutil
import subprocess
import time
from collections import Counter
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import actors  # makes processes importable  # pylint: disable=unused-import
from outside import Outside
from processes import Served, answers, environment_binary, free_port, request

CONFIG = """
version: 1
listen: {{ http: 127.0.0.1:{port} }}
access: {{ open: true }}
limits: {{ diskFreeMin: 0B }}
streams: {{ s: {{ retention: 7d }} }}
dependencies:
  handler: {{ url: "http://127.0.0.1:{outside}", policy: open }}
  bank: {{ url: "http://127.0.0.1:{outside}/bank", policy: open }}
flows:
  orders:
    from: {{ stream: s, start: earliest }}
    to: {{ http: {{ dependency: handler, path: /orders }} }}
    ordering: {{ key: subject }}
    effects: [bank]
    edit: {{ allow: true }}
    policy: quick
policies:
  quick:
    timeouts: {{ connect: 1s, attempt: 10s, event: 24h }}
    retry:
      maxAttempts: 4
      backOff: {{ baseInterval: 1ms, maxInterval: 2ms, multiplier: 2, jitter: none }}
    deadLetterBrake: {{ enabled: false }}
  open:
    retryConstraint: {{ budget: {{ percent: 100, interval: 10s }}, minRetryRate: {{ count: 1000, interval: 1s }} }}
    circuitBreaker: {{ enabled: false }}
"""
EVENTS = ("plain-1", "flaky-1", "poison-1", "pay-1", "poison-2", "plain-2", "pay-2")
SUBJECTS = {"poison-2": "ticket", "plain-2": "ticket"}  # the second waits behind the first, which fails
PLAN = {"selection": {"since": "30d"}, "reason": "mended", "canary": {"count": 1, "hold": "1ms"},
        "rate": {"start": "1000/s", "max": "1000/s"}, "stop": {"failureShare": 100, "sameFingerprint": 0}}
PATIENCE = 30
MAX_ATTEMPTS = 4


class Died(Exception):
    """Weir is not there any more."""


@dataclass
class Before:
    """A data folder, and what the outside had seen when it was left like that."""

    data: Path
    acknowledged: list = field(default_factory=list)
    calls: list = field(default_factory=list)
    payments: Counter = field(default_factory=Counter)
    crashes: int = 0
    more: str = ""  # configuration


class ReferenceRun:
    """One run in a folder of its own, from the beginning or on a copy of what was before."""

    def __init__(self, folder, before=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = self.folder / "store"
        if before:
            shutil.copytree(before.data, self.data, ignore=shutil.ignore_patterns("reserve"))
        else:
            before = Before(self.data)
        port = free_port()
        self.outside = Outside(port, before.calls, before.payments)
        self.acknowledged = list(before.acknowledged)
        self.crashes = before.crashes
        self.refused = 0  # publications that a full disk refused
        self.config = self.folder / "weir.yaml"
        self.more = before.more
        self.config.write_text((CONFIG + self.more).format(port=port, outside=self.outside.port, data=self.data))
        self.weir = Served(environment_binary(), self.config, self.data, port, self.folder / "weir.log")

    def left(self):
        """The folder as it is, for others to go on from."""
        return Before(self.data, list(self.acknowledged), list(self.outside.calls), Counter(self.outside.payments),
                      self.crashes, self.more)

    def end(self):
        self.weir.kill_if_running()
        self.outside.stop()

    def log(self):
        return self.weir.output.read_text() if self.weir.output.exists() else ""

    # --- talking to it ---

    def ask(self, method, path, body=None, content_type="application/json"):
        """(status, answer); `Died` if nobody answers because nobody is there."""
        try:
            return request(self.weir.port, method, path, None if body is None else json.dumps(body), content_type)
        except (OSError, HTTPException) as error:
            try:
                self.weir.process.wait(2)
            except subprocess.TimeoutExpired:
                raise error from None
            raise Died() from error

    def get(self, path):
        status, answer = self.ask("GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {answer}")
        return answer

    def wait(self, check, what):
        deadline = time.monotonic() + PATIENCE
        while not (found := check()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what} took more than {PATIENCE} s: {self.get('/v1/flows')}")
            time.sleep(0.01)
        return found

    def launch(self, command=()):
        """Starts Weir, with a command before it, and waits until it is ready."""
        plain = self.weir.command
        self.weir.command = [*command, *plain]
        self.weir.launch()
        self.weir.command = plain
        self.await_ready()

    def await_ready(self):
        deadline = time.monotonic() + PATIENCE
        while not answers(self.weir.port, "/readyz"):
            if self.weir.process.poll() is not None:
                raise Died()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not ready after {PATIENCE} s: {self.log()}")
            time.sleep(0.005)

    # --- the scenario ---

    def drive(self):
        """Goes on with what is left to do, to the end."""
        self.publish()
        self.wait(self.settled, "delivery")
        self.edit_once("poison-1")
        self.outside.mended = True
        for _ in range(8):
            self.say_what_happened()
            if not self.recover():
                return
            self.wait(self.settled, "what came back")
        raise RuntimeError(f"quarantine does not become empty: {self.get('/v1/quarantine')}")

    def publish(self):
        for event in EVENTS:
            deadline = time.monotonic() + PATIENCE
            while event not in self.acknowledged:
                body = {"specversion": "1.0", "id": event, "type": "order", "source": "/test",
                        "subject": SUBJECTS.get(event, event), "data": {"event": event}}
                status, answer = self.ask("POST", "/v1/streams/s/events", body, "application/cloudevents+json")
                if status == 201:
                    self.acknowledged.append(event)
                elif status != 503 or time.monotonic() > deadline:
                    raise RuntimeError(f"publishing {event}: {status} {answer}")
                else:
                    self.refused += 1
                    time.sleep(0.05)

    def settled(self):
        """Nothing is left to do but what a delivery in quarantine keeps back. The last one behind a hold that was let
        go counts nowhere while it is called."""
        flow = self.get("/v1/flows/orders")
        kept_back = flow["held"] > 0 and flow["quarantined"] == 0
        if flow["backlog"] or flow["waiting"] or kept_back:
            return False
        return self.states_of("plain-2")[0] in ("done", "held")

    def edit_once(self, event):
        """An operator changes what a quarantined delivery sends, unless that was done before."""
        path = f"/v1/events/{event}/edit?flow=orders"
        status, document = self.ask("GET", path)
        if status == 200 and "edited" not in document["data"]:
            self.act(path, {"base": document["base"], "data": document["data"] | {"edited": True}, "reason": "a test"})

    def say_what_happened(self):
        """An operator looks up at the bank what nobody knows."""
        for effect in self.get("/v1/effects?state=inDoubt")["effects"]:
            happened = self.outside.payments[effect["key"]] > 0
            self.act(f"/v1/effects/{effect['effect']}/resolve",
                     {"as": "confirmed" if happened else "failedNoEffect", "reason": "the bank's books"})

    def recover(self):
        """One replay of what is in quarantine, from wherever it stands; False if there is nothing to do."""
        open_ones = [one for one in self.get("/v1/replays")["replays"] if one["state"] not in ("completed", "aborted")]
        if not open_ones:
            if self.get("/v1/flows/orders")["quarantined"] == 0:
                return False
            open_ones = [self.act("/v1/replays", PLAN)]
        path = f"/v1/replays/{open_ones[0]['replay']}"
        verb = {"planned": "run", "stopped": "resume", "paused": "resume"}.get(self.get(path)["state"])
        if verb:
            self.act(f"{path}/{verb}", {"reason": "go on"})
        self.wait(lambda: self.get(path)["state"] in ("completed", "stopped"), "the replay")
        return True

    def act(self, path, body):
        deadline = time.monotonic() + PATIENCE
        while True:
            status, answer = self.ask("POST", path, body)
            if status in (200, 201, 202):
                return answer
            if status != 503 or time.monotonic() > deadline:
                raise RuntimeError(f"POST {path}: {status} {answer}")
            time.sleep(0.05)

    def finish(self):
        """Lives on without further faults until everything is done, ends Weir, and tells what is wrong."""
        if not self.weir.running():
            self.launch()
        self.drive()
        found = self.broken_promises()
        code = self.weir.stop()
        if code != 0:
            found.append(f"it ended with {code}")
        checked = subprocess.run([environment_binary(), "store", "check", "--data", self.data], capture_output=True,
                                 text=True, check=False)
        if checked.returncode != 0:
            found.append(f"store check: {checked.stdout} {checked.stderr}")
        return found

    # --- the promises ---

    def broken_promises(self):
        found = self.lost_events() + self.doubled_effects() + self.wrong_sums()
        done = self.outside.succeeded()
        for event in EVENTS:
            times = done[("orders", event)]
            if not 1 <= times <= 1 + self.crashes:
                found.append(f"{event} was delivered {times} times, with {self.crashes} crashes")
        order = [call[1] for call in self.outside.calls if call[3] == 200 and call[1] in SUBJECTS]
        if order and order[0] != "poison-2":
            found.append(f"the key is out of order: {order}")
        return found

    def lost_events(self):
        kept = [event["id"] for event in self.get("/v1/events?stream=s&from=1&limit=1000")["events"]]
        found = [] if kept == list(EVENTS) else [f"the stream has {kept}"]
        return found + [f"{event} is {self.states_of(event)}" for event in self.acknowledged
                        if self.states_of(event) != ["done"]]

    def states_of(self, event):
        return [one["state"] for one in self.get(f"/v1/events/{event}/explain?flow=orders")["deliveries"]]

    def doubled_effects(self):
        found = [f"{key} reached the bank {times} times" for key, times in self.outside.payments.items() if times > 1]
        effects = self.get("/v1/effects")["effects"]
        for effect in effects:
            happened = self.outside.payments[effect["key"]]
            if effect["state"] != "confirmed" or happened != 1:
                found.append(f"effect {effect['effect']} is {effect['state']}, the bank had {happened}")
        if len(effects) != sum(self.outside.payments.values()):
            found.append(f"the ledger has {len(effects)} effects, the bank {self.outside.payments}")
        return found

    def wrong_sums(self):
        found = []
        for replay in self.get("/v1/replays")["replays"]:
            counts = self.get(f"/v1/replays/{replay['replay']}")["counts"]
            ended = counts["succeeded"] + counts["failedAgain"] + counts["skipped"] + counts["inDoubt"]
            whole = ended == 0 if replay["state"] == "aborted" else ended == counts["planned"]
            if not whole:
                found.append(f"{replay['replay']} does not add up: {counts}")
        return found
