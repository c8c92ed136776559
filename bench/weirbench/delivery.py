# SPDX-License-Identifier: Apache-2.0
"""From the store to a receiver that answers 204 at once."""

import math
import re
import time

from weirbench.figures import Figure, Sample
from weirbench.rig import Receiver, Rig
from weirbench.server import Weir

LATENCY_TARGET_MILLIS = 2
LATENCY = "weir_added_latency_seconds"
CPU_TARGET = 0.05  # seconds per 1,000 events
DONE_SECONDS = 600


def wait_for_delivered(weir: Weir, receiver: Receiver, flow: str, events: int) -> dict:
    """The receiver's counts once the flow has nothing left; exactly `events` must have arrived."""
    weir.wait_for(flow, "backlog", 0, DONE_SECONDS)
    counts = receiver.counts()
    if counts.get("204") != events:
        raise RuntimeError(f"{events} events were published, the receiver answered {counts}")
    return counts


def drain(rig: Rig) -> list[Figure]:
    """Preloads events with the flow paused, resumes it, and counts until the last one arrived."""
    events = rig.events(1_000_000)
    floors, wrks, totals = [], [], []
    for _ in range(rig.runs):
        began = time.time()
        with rig.receiver():
            floor, wrk = rig.floor(), rig.wrk()
        with rig.receiver() as receiver, rig.weir() as weir:
            weir.pause("deliver")
            rig.preload("load", events)
            cpu = weir.cpu()
            weir.resume("deliver")
            counts = wait_for_delivered(weir, receiver, "deliver", events)
            rate = events / (counts["last"] - counts["first"])
            spent, whole = weir.cpu() - cpu, weir.cpu()
        ended = time.time()
        floors.append(Sample(rate, floor, began, ended, spent, events))
        wrks.append(Sample(rate, wrk, began, ended, spent, events))
        totals.append(Sample(whole / events * 1000, CPU_TARGET, began, ended, whole, events))
    return [
        Figure("drain", "ev/s", floors, 0.6, note=f"{events:,} events; limit: the floor program"),
        Figure("drain, wrk", "req/s", wrks, 0, note="no target; limit: wrk -t1 -c64 on the receiver"),
        Figure("cpu, preload and drain", "s/1k", totals, 1, at_most=True, note="batches of 100"),
    ]


def publish_and_deliver_once(rig: Rig, events: int) -> tuple[float, float]:
    """Events a second from the first one published to the last one delivered, and Weir's CPU seconds."""
    with rig.receiver() as receiver, rig.weir() as weir:
        cpu = weir.cpu()
        published = rig.publish("load", events, batch=100, connections=4)
        counts = wait_for_delivered(weir, receiver, "deliver", events)
        return events / (counts["last"] - published["began"]), weir.cpu() - cpu


def publish_and_deliver(rig: Rig) -> list[Figure]:
    """Both going on at once."""
    events = rig.events(500_000)
    rates, cpus = [], []
    for _ in range(rig.runs):
        began = time.time()
        with rig.receiver():
            floor = rig.floor()
        rate, cpu = publish_and_deliver_once(rig, events)
        shared = (began, time.time(), cpu, events)
        rates.append(Sample(rate, floor, *shared))
        cpus.append(Sample(cpu / events * 1000, CPU_TARGET, *shared))
    return [
        Figure("publish_and_deliver", "ev/s", rates, 0.5, note="batches of 100; limit: the floor program"),
        Figure("cpu", "s/1k", cpus, 1, at_most=True, note="from ingest to done, batches of 100"),
    ]


def buckets(metrics: str, flow: str = "deliver") -> dict[float, float]:
    """The added latency's histogram of a flow: upper bound in seconds -> count."""
    found: dict[float, float] = {}
    for line in metrics.splitlines():
        match = re.match(rf'{LATENCY}_bucket{{flow="{flow}",le="([^"]+)"}} (\S+)', line)
        if match:
            bound = math.inf if match[1] == "+Inf" else float(match[1])
            found[bound] = found.get(bound, 0) + float(match[2])
    return found


def quantile(before: dict[float, float], after: dict[float, float], share: float) -> float:
    """Between two readings, interpolated within the bucket as Prometheus does. Seconds."""
    counts = [(bound, after[bound] - before.get(bound, 0)) for bound in sorted(after)]
    wanted = counts[-1][1] * share
    low, below = 0.0, 0.0
    for bound, count in counts:
        if count >= wanted and count > below:
            return low if math.isinf(bound) else low + (bound - low) * (wanted - below) / (count - below)
        low, below = bound, count
    return low


def added_latency(rig: Rig) -> list[Figure]:
    """What Weir adds to a delivery, without the handler and without commits, at half of what it can do."""
    seconds = max(3, round(20 * rig.scale))
    tails, cpus, load = [], [], 0
    for _ in range(rig.runs):
        began = time.time()
        load = single_rate(rig) // 2
        with rig.receiver() as receiver, rig.weir() as weir:
            before = buckets(weir.metrics())  # nothing before the flow's first delivery
            cpu = weir.cpu()
            rig.publish("load", load * seconds, rate=load, connections=64)
            wait_for_delivered(weir, receiver, "deliver", load * seconds)
            spent = weir.cpu() - cpu
            after = buckets(weir.metrics())
            if not after:
                raise RuntimeError(f"/metrics has no histogram {LATENCY}")
            p99 = quantile(before, after, 0.99) * 1000
        shared = (began, time.time(), spent, load * seconds)
        tails.append(Sample(p99, LATENCY_TARGET_MILLIS, *shared))
        cpus.append(Sample(spent / (load * seconds) * 1000, CPU_TARGET, *shared))
    return [
        Figure("added_latency p99", "ms", tails, 1, at_most=True, note=f"half load: {load:,} single events/s"),
        Figure("cpu, single events", "s/1k", cpus, 1, at_most=True, note=f"{load:,} single events/s"),
    ]


def single_rate(rig: Rig) -> int:
    """Single events a second that are published and delivered when nothing limits the load."""
    events = rig.events(100_000)
    with rig.receiver() as receiver, rig.weir() as weir:
        published = rig.publish("load", events, connections=64)
        counts = wait_for_delivered(weir, receiver, "deliver", events)
    return int(events / (counts["last"] - published["began"]))
