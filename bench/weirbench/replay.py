# SPDX-License-Identifier: Apache-2.0
"""What a replayed delivery costs, and what a replay costs the live events beside it."""

import time
from pathlib import Path
from typing import NamedTuple

from weirbench.delivery import buckets, quantile, wait_for_delivered
from weirbench.figures import Figure, Sample
from weirbench.processes import wait_until
from weirbench.recovery import LIVE_CONNECTIONS, LIVE_RATE
from weirbench.rig import Receiver, Rig
from weirbench.server import Weir

RETRY_SECONDS = 30  # backOff.baseInterval of the flow `again` in weir.yaml
RETRY_RATIO = 1.3  # a replayed delivery over a retried one
PLAIN_RATIO = 3  # and over one that succeeds at once
UNLIMITED = {
    "rate": {"start": "100000/s", "max": "100000/s", "concurrency": 256},
    "canary": {"count": 0},
}

LIVE_RATIO = 1.25
PAIRS = 5
REPLAY_RATE = 500  # a second: twice the live load in all, which an operator would dare at noon
STEADY = {"rate": {"start": f"{REPLAY_RATE}/s", "max": f"{REPLAY_RATE}/s"}, "canary": {"count": 0}}


class Cost(NamedTuple):
    cpu: float  # Weir's, in seconds
    seconds: float  # until the last one arrived


class Fixable:
    """A copy of the configuration in which handlers fail until `fix`."""

    def __init__(self, rig: Rig):
        self.path: Path = rig.folder / "fixable.yaml"
        self.broken = rig.config.read_text()
        self.path.write_text(self.broken)

    def fix(self, weir: Weir) -> None:
        self.path.write_text(self.broken.replace("/status/422", "/fixed").replace("/status/503", "/fixed"))
        weir.call("POST", "/v1/config/reload", {"reason": "bench"})


def cost(weir: Weir, receiver: Receiver, events: int, flow: str, go) -> Cost:
    """From `go` until all of the flow's events were answered with 204. The receiver is asked, which costs Weir nothing."""
    began, cpu = time.time(), weir.cpu()
    go()
    wait_until(f"{events} answered", lambda: receiver.counts().get("204", 0) >= events, 600, every=0.05)
    for field in ("backlog", "waiting", "quarantined"):
        weir.wait_for(flow, field, 0, 60)
    spent, counts = weir.cpu() - cpu, receiver.counts()
    if counts["204"] != events:
        raise RuntimeError(f"{events} should be answered once each: {counts}")
    return Cost(spent, counts["last"] - began)


def plain(rig: Rig, events: int) -> Cost:
    """Ready in the store, delivered at the first attempt."""
    config = Fixable(rig)
    with rig.receiver() as receiver, rig.weir(config=config.path) as weir:
        config.fix(weir)
        weir.pause("quarantine")
        rig.preload("broken", events)
        return cost(weir, receiver, events, "quarantine", lambda: weir.resume("quarantine"))


def retried(rig: Rig, events: int) -> Cost:
    """Failed once and due again, all of them; delivered at the second attempt."""
    config = Fixable(rig)
    with rig.receiver() as receiver, rig.weir(config=config.path) as weir:
        rig.preload("again", events)
        weir.wait_for("again", "waiting", events, RETRY_SECONDS)
        weir.pause("again")
        config.fix(weir)
        time.sleep(RETRY_SECONDS)
        if receiver.counts()["503"] != events:
            raise RuntimeError(f"{events} should have failed once each: {receiver.counts()}")
        return cost(weir, receiver, events, "again", lambda: weir.resume("again"))


def replayed(rig: Rig, events: int) -> tuple[Cost, float]:
    """In quarantine; planned, released and delivered. Also the CPU seconds of the plan alone."""
    config = Fixable(rig)
    with rig.receiver() as receiver, rig.weir(config=config.path) as weir:
        rig.preload("broken", events)
        weir.wait_for("quarantine", "quarantined", events, 300)
        config.fix(weir)
        planning = []

        def go() -> None:
            cpu = weir.cpu()
            replay = weir.plan(**UNLIMITED)
            planning.append(weir.cpu() - cpu)
            weir.run(replay["replay"])

        return cost(weir, receiver, events, "quarantine", go), planning[0]


def replay_cost(rig: Rig) -> list[Figure]:
    """A replayed delivery against a retried and a plain one. What failed before is in none of them."""
    events = rig.events(100_000)
    retries, plains, times, shares = [], [], [], []
    for _ in range(rig.runs):
        began = time.time()
        a, b = plain(rig, events), retried(rig, events)
        c, planning = replayed(rig, events)
        shared = (began, time.time(), c.cpu, events)
        per_thousand = 1000 / events
        retries.append(Sample(c.cpu * per_thousand, b.cpu * per_thousand, *shared))
        plains.append(Sample(c.cpu * per_thousand, a.cpu * per_thousand, *shared))
        times.append(Sample(c.seconds * per_thousand, b.seconds * per_thousand, *shared))
        shares.append(planning * per_thousand)
    planned = ", ".join(f"{value:.4f}" for value in shares)
    of_retry = f"CPU with the plan ({planned}); limit: a retry that is due"
    return [
        Figure("replay_cost", "s/1k", retries, RETRY_RATIO, at_most=True, note=of_retry),
        Figure("replay_cost, plain", "s/1k", plains, PLAIN_RATIO, at_most=True, note="CPU; limit: a first attempt that succeeds"),
        Figure("replay_cost, time", "s/1k", times, RETRY_RATIO, at_most=True, note="with the plan; limit: a retry that is due"),
    ]


class Tails(NamedTuple):
    commit: float  # p99 in milliseconds
    added: float
    replayed: float = 0  # a second, beside it


def live(rig: Rig, weir: Weir, receiver: Receiver, seconds: int) -> Tails:
    """A steady load of single events that are delivered, and what it felt."""
    before = buckets(weir.metrics())
    published = rig.publish("load", LIVE_RATE * seconds, rate=LIVE_RATE, connections=LIVE_CONNECTIONS)
    weir.wait_for("deliver", "backlog", 0, 60)
    return Tails(published["p99_ms"], quantile(before, buckets(weir.metrics()), 0.99) * 1000)


def beside_replay(rig: Rig, weir: Weir, receiver: Receiver, seconds: int) -> Tails:
    """The same while a replay goes on all the time."""
    name = weir.plan(**STEADY)["replay"]
    weir.run(name)
    wait_until("the replay goes on", lambda: weir.replay(name)["counts"]["succeeded"] > 0, 30)
    before = weir.replay(name)["counts"]["succeeded"]
    tails = live(rig, weir, receiver, seconds)
    replay = weir.replay(name)
    rate = (replay["counts"]["succeeded"] - before) / seconds
    if replay["state"] != "running" or rate < REPLAY_RATE / 2:
        raise RuntimeError(f"the replay should have gone on, at {rate:.0f}/s it is {replay['state']}: {replay['counts']}")
    weir.abort(name)
    wait_until("what was under way", lambda: weir.replay(name)["counts"]["inFlight"] == 0, 30)
    return tails._replace(replayed=rate)


def replay_beside_live(rig: Rig) -> list[Figure]:
    """Live events with and without a replay of another flow, in pairs; every second pair the other way round."""
    quarantined, seconds = rig.events(100_000), max(3, round(10 * rig.scale))
    config, commits, added, rates = Fixable(rig), [], [], []
    with rig.receiver() as receiver, rig.weir(config=config.path) as weir:
        rig.preload("broken", quarantined)
        weir.wait_for("quarantine", "quarantined", quarantined, 300)
        config.fix(weir)
        live(rig, weir, receiver, 1)  # warms up
        for pair in range(PAIRS):
            began, cpu = time.time(), weir.cpu()
            first, second = (live, beside_replay) if pair % 2 == 0 else (beside_replay, live)
            tails = {measured: measured(rig, weir, receiver, seconds) for measured in (first, second)}
            shared = (began, time.time(), weir.cpu() - cpu, (2 * LIVE_RATE + REPLAY_RATE) * seconds)
            commits.append(Sample(tails[beside_replay].commit, tails[live].commit, *shared))
            added.append(Sample(tails[beside_replay].added, tails[live].added, *shared))
            rates.append(tails[beside_replay].replayed)
    reached = f"{REPLAY_RATE}/s replayed (slowest {min(rates):.0f}/s)"
    note = f"p99 of {LIVE_RATE} single events/s beside {reached}; limit: without the replay"
    return [
        Figure("replay_beside_live, commit", "ms", commits, LIVE_RATIO, at_most=True, note=note),
        Figure("replay_beside_live, added", "ms", added, LIVE_RATIO, at_most=True, note=note),
    ]
