# SPDX-License-Identifier: Apache-2.0
"""Planning a replay and listing groups while events keep coming in."""

import json
import time
from statistics import median
from typing import NamedTuple

from weirbench.figures import Figure, Sample
from weirbench.rig import Rig
from weirbench.server import Weir

DELAY_MILLIS = 20
LIST_MILLIS = 50
GROWTH_MIB = 300
LIVE_RATE = 500  # single events a second, beside the plan
# So many that the load keeps its rate while a commit takes some milliseconds; what falls behind would wait for itself.
LIVE_CONNECTIONS = 32
SLOT_MILLIS = 100


class Size(NamedTuple):
    quarantined: int
    plan_millis: int
    live_seconds: int  # with the plan in the middle


SIZES = (Size(100_000, 500, 4), Size(1_000_000, 3000, 16))


class Planned(NamedTuple):
    """Of one plan."""

    millis: float
    slowest: float  # commit during it, in milliseconds
    usual: float  # what the slowest commit of a slot is without it
    noise: float  # the slowest commit of all without it
    growth: float  # of the resident size, at its peak, in MiB


def live_load(rig: Rig, seconds: int, during) -> tuple[float, float, float]:
    """Runs `during` in the middle of a steady load. Milliseconds: the slowest commit during it, what the slowest of
    a slot of time usually is, and the slowest of all the time without it."""
    events = LIVE_RATE * seconds
    options = {"rate": LIVE_RATE, "connections": LIVE_CONNECTIONS, "slot-ms": SLOT_MILLIS}
    load = rig.processes.start(rig.publish_command("quiet", events, **options), stdout=-1, text=True)
    time.sleep(seconds / 2)
    began = time.time()
    during()
    ended = time.time()
    output, _ = load.communicate(timeout=seconds + 30)
    rig.processes.stop(load)
    published = json.loads(output)
    first = int((began - published["began"]) * 1000 / SLOT_MILLIS)
    last = int((ended - published["began"]) * 1000 / SLOT_MILLIS) + 1  # a delay may end a little later
    slots = published["slowest_ms"]
    if last >= len(slots):
        raise RuntimeError(f"a plan of {ended - began:.1f} s outlasted the live load")
    beside, alone = slots[first : last + 1], slots[:first] + slots[last + 1 :]
    return max(beside), median(alone), max(alone)


def plan(weir: Weir, wanted: int) -> tuple[float, float]:
    """Plans a replay of everything in quarantine, and drops it again: milliseconds, and MiB that Weir grew by."""
    size = weir.resident()
    weir.forget_peak()
    began = time.monotonic()
    replay = weir.plan()
    millis = (time.monotonic() - began) * 1000
    growth = max(0.0, weir.peak() - size)
    if (replay["state"], replay["counts"]["planned"]) != ("planned", wanted):
        raise RuntimeError(f"{wanted} deliveries should be planned: {replay}")
    weir.abort(replay["replay"])
    return millis, growth


def plan_beside_live(rig: Rig, weir: Weir, size: Size, wanted: int) -> Planned:
    took: list[tuple[float, float]] = []
    slowest, usual, noise = live_load(rig, size.live_seconds, lambda: took.append(plan(weir, wanted)))
    millis, growth = took[0]
    return Planned(millis, slowest, usual, noise, growth)


def list_groups(weir: Weir) -> float:
    began = time.monotonic()
    groups = weir.call("GET", "/v1/groups")["groups"]
    if not groups:
        raise RuntimeError("there should be a group")
    return (time.monotonic() - began) * 1000


def figures_of(rig: Rig, weir: Weir, size: Size, wanted: int) -> list[Figure]:
    plans, delays, growths, lists, quiet = [], [], [], [], []
    for _ in range(max(3, rig.runs)):
        began, cpu = time.time(), weir.cpu()
        one = plan_beside_live(rig, weir, size, wanted)
        listing = max(list_groups(weir) for _ in range(20))
        shared = (began, time.time(), weir.cpu() - cpu, wanted)
        plans.append(Sample(one.millis, size.plan_millis, *shared))
        delays.append(Sample(one.slowest - one.usual, DELAY_MILLIS, *shared))
        growths.append(Sample(one.growth, GROWTH_MIB, *shared))
        lists.append(Sample(listing, LIST_MILLIS, *shared))
        quiet.append(one.noise)
    noises = ", ".join(f"{value:.0f}" for value in quiet)
    many = f"{wanted:,} quarantined"
    return [
        Figure("plan_replay", "ms", plans, 1, at_most=True, note=many),
        Figure("plan_replay, commit delay", "ms", delays, 1, at_most=True, note=f"{many}; slowest commit without a plan: {noises} ms"),
        Figure("plan_replay, memory", "MiB", growths, 1, at_most=True, note=f"{many}; peak while planning less the size before"),
        Figure("list_groups", "ms", lists, 1, at_most=True, note=f"{many}; slowest of 20"),
    ]


def plan_replay(rig: Rig) -> list[Figure]:
    """Plans over 100,000 and over 1,000,000 quarantined deliveries, the live commits beside them, and the list of
    groups."""
    figures, there = [], 0
    with rig.receiver(), rig.weir() as weir:
        for size in SIZES:
            wanted = rig.events(size.quarantined)
            rig.preload("broken", wanted - there)
            weir.wait_for("quarantine", "quarantined", wanted, 1200)
            there = wanted
            figures += figures_of(rig, weir, size, wanted)
    return figures
