# SPDX-License-Identifier: Apache-2.0
"""Durable ingest over HTTP, into a stream that no flow reads."""

import time

from weirbench.figures import Figure, Sample
from weirbench.rig import Rig

SINGLE_TARGET = 20_000  # events a second
SLOW_TARGET = 5_000
SLOW_P99_MILLIS = 60


def ingest_once(rig: Rig, events: int, preload=None, config=None, **options) -> tuple[dict, float, dict]:
    """What the publisher printed, Weir's CPU seconds, and the store's own counters."""
    with rig.weir(preload=preload, config=config) as weir:
        cpu = weir.cpu()
        done = rig.publish("quiet", events, **options)
        return done, weir.cpu() - cpu, weir.store()


def group_of(events: int, store: dict) -> int:
    return max(1, round(events / max(1, store["commits"])))


def ingest_batch(rig: Rig) -> list[Figure]:
    """512-byte events in batches of 100, against raw inserts in transactions of 100 and of the group Weir reached."""
    events = rig.events(500_000)
    same, reached, groups = [], [], []
    for _ in range(rig.runs):
        began = time.time()
        limit = rig.raw_inserts(100)
        done, cpu, store = ingest_once(rig, events, batch=100, connections=8)
        groups.append(group_of(events, store))
        other_limit = rig.raw_inserts(groups[-1])
        shared = (began, time.time(), cpu, events)
        same.append(Sample(done["rate"], limit, *shared))
        reached.append(Sample(done["rate"], other_limit, *shared))
    note = f"8 connections; {sorted(groups)[len(groups) // 2]} events per commit"
    return [
        Figure("ingest_batch", "ev/s", same, 0.5, note="limit: raw inserts, 100 per transaction"),
        Figure("ingest_batch, reached group", "ev/s", reached, 0.5, note=note),
    ]


def ingest_single(rig: Rig) -> list[Figure]:
    """64 connections that send single events."""
    events = rig.events(300_000)
    absolute, relative, tails = [], [], []
    for _ in range(rig.runs):
        done, cpu, store = ingest_once(rig, events, connections=64)
        group = group_of(events, store)
        tails.append(f"{done['p99_ms']:.1f}")
        shared = (done["began"], done["ended"], cpu, events)
        absolute.append(Sample(done["rate"], SINGLE_TARGET, *shared))
        relative.append(Sample(done["rate"], rig.raw_inserts(group), *shared))
    return [
        Figure("ingest_single", "ev/s", absolute, 1, note=f"limit: the target; p99 {', '.join(tails)} ms"),
        Figure("ingest_single, raw inserts", "ev/s", relative, 0, note=f"no target; groups of {group}"),
    ]


def ingest_single_slow_disk(rig: Rig) -> list[Figure]:
    """The same while every fdatasync of Weir takes 4 ms longer."""
    events = rig.events(100_000)
    rates, tails = [], []
    for _ in range(rig.runs):
        slow = rig.bin / "libslow_sync.so"
        done, cpu, store = ingest_once(rig, events, preload=slow, connections=64)
        sync = store["syncP50Micros"] / 1000
        if sync < 4:
            raise RuntimeError(f"Weir's sync takes {sync} ms: the 4 ms were not injected")
        shared = (done["began"], done["ended"], cpu, events)
        rates.append(Sample(done["rate"], SLOW_TARGET, *shared))
        tails.append(Sample(done["p99_ms"], SLOW_P99_MILLIS, *shared))
    note = f"Weir saw sync p50 {sync:.1f}, p99 {store['syncP99Micros'] / 1000:.1f} ms"
    return [
        Figure("ingest_single_slow_disk", "ev/s", rates, 1, note=note),
        Figure("ingest_single_slow_disk p99", "ms", tails, 1, at_most=True),
    ]
