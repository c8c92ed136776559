#!/usr/bin/env python3
"""Kills the built binary with -9 at random moments of publishing, delivery and replay, and proves from the outside that
no acknowledged event was lost, the order per key held, nothing was settled twice in one replay run, and every
quarantined delivery is still explained.

usage: kill_test.py [--kills N] [--seed S] [--package DIR]     WEIR_BINARY names the binary
"""
import argparse
import http.client
import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from actors import Tracker, Weir
from processes import EXAMPLE, environment_binary, request, wait_for  # found by way of actors

sys.path.insert(0, str(EXAMPLE))
import github_events  # noqa: E402

BATCH = 20
FLOWS = ("sync-issues", "activity-feed")


class Publisher(threading.Thread):
    """Publishes rounds of the examples until told to stop; an event counts only once Weir acknowledged it."""

    def __init__(self, port, examples):
        super().__init__(daemon=True)
        self.port = port
        self.examples = examples
        self.acknowledged = []  # events, in the order of their first acknowledgement
        self.failures = []
        self.stopping = threading.Event()

    def run(self):
        turn = 0
        while not self.stopping.is_set():
            turn += 1
            events = list(github_events.events(self.examples, prefix=f"k{turn}-"))
            for first in range(0, len(events), BATCH):
                if self.stopping.is_set():
                    return
                self.publish(events[first:first + BATCH])

    def publish(self, batch):
        body = json.dumps(batch)
        while True:  # until acknowledged: the order per subject must be the order of acknowledgement
            try:
                status, answer = request(self.port, "POST", "/v1/streams/github/events", body,
                                         "application/cloudevents-batch+json")
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if status == 503:
                time.sleep(0.05)
                continue
            if status != 201:
                self.failures.append((status, answer))
                return
            self.acknowledged += batch
            time.sleep(0.01)  # leaves the one CPU of a small machine to the others
            return


def settled(weir):
    flows = weir.get("/v1/flows")["flows"]
    return all(flow["backlog"] == 0 and flow["waiting"] == 0 for flow in flows)


def at_rest(weir):
    """Nothing goes on by itself any more: what is held stands behind something in quarantine."""
    flows = weir.get("/v1/flows")["flows"]
    return settled(weir) and all(flow["held"] == 0 or flow["quarantined"] > 0 for flow in flows)


REPLAY_CONCURRENCY = 16


def run_replay(weir, chance, kills, rate=60):
    """Plans and runs a replay of everything in quarantine, killing Weir up to `kills` times on the way.
    Its id, and how often Weir was killed meanwhile; None if there is nothing in quarantine."""
    replay = None
    killed = 0
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        try:
            if replay is None:
                status, answer = weir.post("/v1/replays", {
                    "selection": {"since": "30d"}, "reason": "crash test",
                    "rate": {"start": f"{rate}/s", "max": f"{rate}/s", "concurrency": REPLAY_CONCURRENCY},
                    "canary": {"count": 3, "hold": "200ms"}, "stop": {"failureShare": 100, "sameFingerprint": 0}})
                if status == 422:
                    return None  # nothing in quarantine
                replay = answer["replay"]
            state = weir.get(f"/v1/replays/{replay}")["state"]
            if state in ("planned", "stopped", "paused"):
                weir.post(f"/v1/replays/{replay}/{'run' if state == 'planned' else 'resume'}", {"reason": "go on"})
            if state in ("completed", "aborted"):
                return replay, killed
        except (OSError, http.client.HTTPException):
            pass
        if killed < kills and chance.random() < 0.3:
            weir.kill()
            killed += 1
            weir.start()
        time.sleep(0.1)
    raise TimeoutError("the replay did not end")


def check_lost(db, acknowledged):
    """Every acknowledged event was applied exactly once in each of its flows."""
    applied = {(flow, event_id): count for flow, event_id, count in db.execute(
        "SELECT flow, event_id, sum(applied) FROM log GROUP BY flow, event_id")}
    found = []
    for event in acknowledged:
        for flow in github_events.flows_of(event["type"]):
            if applied.get((flow, event["id"]), 0) != 1:
                found.append(f"{flow} {event['id']}: applied {applied.get((flow, event['id']), 0)} times")
    return found


def check_order(db, acknowledged):
    """Per subject, the first applications have the order of the acknowledgements."""
    place = {event["id"]: number for number, event in enumerate(acknowledged)}
    found, last = [], {}
    for event_id, subject in db.execute("SELECT event_id, subject FROM log WHERE flow = 'sync-issues' AND applied = 1 ORDER BY n"):
        if event_id not in place:
            continue
        if place[event_id] < last.get(subject, -1):
            found.append(f"{subject}: {event_id} was applied after a later event of its key")
        last[subject] = max(last.get(subject, -1), place[event_id])
    return found


def check_replays(weir, db, replays):
    """In one run each delivery is settled at most once; a call repeats only for what was under way in a kill."""
    found = []
    for replay, kills in replays:
        counts = weir.get(f"/v1/replays/{replay}")["counts"]
        items = Counter(item["state"] for item in weir.pages(f"/v1/replays/{replay}/items", "items"))
        ended = counts["succeeded"] + counts["failedAgain"] + counts["skipped"] + counts["inDoubt"]
        if counts["planned"] != ended or sum(items.values()) != ended or items["claimed"] or items["planned"]:
            found.append(f"{replay}: the report does not add up: {counts} {dict(items)}")
        repeats = db.execute("SELECT flow, event_id, count(*) - 1 FROM log WHERE replay = ? AND status = 200"
                             " GROUP BY flow, event_id HAVING count(*) > 1", (replay,)).fetchall()
        found += [f"{replay}: {flow} {event_id} succeeded {again} times more, with {kills} kills"
                  for flow, event_id, again in repeats if again > kills]
        again = sum(row[2] for row in repeats)
        if again > kills * REPLAY_CONCURRENCY:
            found.append(f"{replay}: {again} calls repeated after a success, with {kills} kills")
    return found


def check_course(killed, wanted, quarantined, replays):
    """That the test has done what it is for."""
    found = []
    if killed != wanted:
        found.append(f"{killed} kills instead of {wanted}")
    if quarantined == 0:
        found.append("nothing was quarantined")
    if wanted >= 20 and sum(1 for _, kills in replays if kills > 0) < 2:
        found.append(f"fewer than two replays were interrupted: {replays}")
    return found


def check_explained(weir):
    """How many deliveries the service refused are in quarantine, and those without an explanation. A delivery that the
    kills cut short too often is there as well, but may succeed when it is sent again."""
    found = []
    rows = weir.pages("/v1/quarantine", "deliveries")
    for row in rows:
        explanation = weir.explain(row["ref"], row["flow"])
        text = json.dumps(explanation)
        if "quarantined" not in text or not row["reason"] or row["attempts"] + row["interruptions"] == 0:
            found.append(f"{row['ref']} {row['flow']}: {text[:200]}")
    return sum(1 for row in rows if row["class"] != "interrupted"), found


def kill_while_publishing(weir, publisher, chance, kills):
    publisher.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.02, 0.5))
        weir.kill()
        weir.start()
    publisher.stopping.set()
    publisher.join(60)
    wait_for(lambda: settled(weir), 120, "delivering the rest")


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--package", default=EXAMPLE / "node_modules/@octokit/webhooks-examples")
    parser.add_argument("--json", type=Path, help="a file for the counters, one flat object")
    return parser.parse_args()


def write_counters(file, kills, acknowledged, violations):
    counters = {"kills.runs": 1, "kills.kills": kills, "kills.events_acknowledged": acknowledged,
                "kills.failures": int(violations > 0)}
    file.write_text(json.dumps(counters) + "\n", encoding="utf-8")


def check_audit(data):
    """The chain of the audit holds over all lives."""
    done = subprocess.run([environment_binary(), "audit", "verify", "--data", data], capture_output=True, text=True,
                          check=False)
    return [] if done.returncode == 0 else [f"the audit: {done.stdout}{done.stderr}"]


def main():
    arguments = parse_arguments()
    print(f"seed {arguments.seed}: kill_test.py --kills {arguments.kills} --seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    folder = Path(tempfile.mkdtemp(prefix="weir-kill-"))
    examples = github_events.load_examples(Path(arguments.package))
    tracker = Tracker(folder)
    weir = Weir(environment_binary(), folder, tracker.port)
    weir.start()
    try:
        publisher = Publisher(weir.port, examples)
        kill_while_publishing(weir, publisher, chance, arguments.kills * 2 // 3)
        quarantined, found = check_explained(weir)
        # The first run meets the old version: all of it comes back, and is explained again.
        replays = [run_replay(weir, chance, (arguments.kills - weir.starts + 1) // 2, rate=300)]
        wait_for(lambda: settled(weir), 120, "what came back")
        again, unexplained = check_explained(weir)
        found += unexplained
        if again < quarantined:
            found.append(f"{quarantined} were quarantined, {again} after a replay that could not succeed")
        tracker.set_version(2)
        while (left := arguments.kills - weir.starts + 1) >= 0:
            wait_for(lambda: at_rest(weir), 120, "delivering what was held")
            replay = run_replay(weir, chance, left)
            if replay is None:
                break  # nothing is left in quarantine
            replays.append(replay)
        db = sqlite3.connect(f"file:{tracker.db}?mode=ro", uri=True)
        found += check_replays(weir, db, replays)
        found += check_course(weir.starts - 1, arguments.kills, quarantined, replays)
        code = weir.stop()
        found += check_audit(folder / "store")
        found += [f"publishing failed: {failure}" for failure in publisher.failures]
        found += check_lost(db, publisher.acknowledged) + check_order(db, publisher.acknowledged)
        if code != 0:
            found.append(f"weir left with {code} on SIGTERM")
        print(f"{weir.starts - 1} kills, {len(publisher.acknowledged)} events acknowledged, {quarantined} quarantined and"
              f" explained, {len(replays)} replays, {len(found)} violations")
        for violation in found[:20]:
            print("  ", violation)
        if arguments.json:
            write_counters(arguments.json, weir.starts - 1, len(publisher.acknowledged), len(found))
    finally:
        weir.kill()
        tracker.stop()
    if found:
        print("kept:", folder)
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
