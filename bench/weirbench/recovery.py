# SPDX-License-Identifier: Apache-2.0
"""Planning a replay and listing groups while events keep coming in."""

import json
import time
from statistics import median

from weirbench.figures import Figure, Sample
from weirbench.rig import Rig
from weirbench.server import Weir

PLAN_MILLIS = 500
DELAY_MILLIS = 20
LIST_MILLIS = 50
LIVE_RATE = 500  # single events a second, beside the plan
LIVE_SECONDS = 4
SLOT_MILLIS = 100


def live_load(rig: Rig, during) -> tuple[float, float, float]:
    """Runs `during` in the middle of a steady load. Milliseconds: the slowest commit during it, what the slowest of
    a slot of time usually is, and the slowest of all the time without it."""
    events = LIVE_RATE * LIVE_SECONDS
    options = {"rate": LIVE_RATE, "connections": 4, "slot-ms": SLOT_MILLIS}
    load = rig.processes.start(rig.publish_command("quiet", events, **options), stdout=-1, text=True)
    time.sleep(LIVE_SECONDS / 2)
    began = time.time()
    during()
    ended = time.time()
    output, _ = load.communicate(timeout=LIVE_SECONDS + 30)
    rig.processes.stop(load)
    published = json.loads(output)
    first = int((began - published["began"]) * 1000 / SLOT_MILLIS)
    last = int((ended - published["began"]) * 1000 / SLOT_MILLIS) + 1  # a delay may end a little later
    slots = published["slowest_ms"]
    beside, alone = slots[first : last + 1], slots[:first] + slots[last + 1 :]
    return max(beside), median(alone), max(alone)


def plan(weir: Weir, planned: int) -> float:
    """Plans a replay of everything in quarantine, and drops it again. Milliseconds until it was frozen."""
    began = time.monotonic()
    replay = weir.call("POST", "/v1/replays", {"selection": {"flow": "quarantine"}, "reason": "bench"})
    wait = time.monotonic() + 60
    while replay["state"] == "planning" and time.monotonic() < wait:
        replay = weir.call("GET", f"/v1/replays/{replay['replay']}")
    took = (time.monotonic() - began) * 1000
    if replay["counts"]["planned"] != planned:
        raise RuntimeError(f"{planned} deliveries should be planned: {replay}")
    weir.call("POST", f"/v1/replays/{replay['replay']}/abort", {"reason": "bench"})
    return took


def plan_replay(rig: Rig) -> list[Figure]:
    """A plan over 100,000 quarantined deliveries, the live commits beside it, and the list of groups."""
    events = rig.events(100_000)
    plans, delays, lists, quiet = [], [], [], []
    with rig.receiver(), rig.weir() as weir:
        rig.preload("broken", events)
        weir.wait_for("quarantine", "quarantined", events, 300)
        for _ in range(max(3, rig.runs)):
            began, cpu = time.time(), weir.cpu()
            took = []
            slowest, usual, noise = live_load(rig, lambda: took.append(plan(weir, events)))  # noqa: B023
            quiet.append(noise)
            listing = max(list_groups(weir) for _ in range(20))
            shared = (began, time.time(), weir.cpu() - cpu, events)
            plans.append(Sample(took[0], PLAN_MILLIS, *shared))
            delays.append(Sample(slowest - usual, DELAY_MILLIS, *shared))
            lists.append(Sample(listing, LIST_MILLIS, *shared))
    noises = ", ".join(f"{value:.0f}" for value in quiet)
    return [
        Figure("plan_replay", "ms", plans, 1, at_most=True, note=f"{events:,} quarantined"),
        Figure("plan_replay, commit delay", "ms", delays, 1, at_most=True, note=f"slowest commit without a plan: {noises} ms"),
        Figure("list_groups", "ms", lists, 1, at_most=True, note="slowest of 20"),
    ]


def list_groups(weir: Weir) -> float:
    began = time.monotonic()
    groups = weir.call("GET", "/v1/groups")["groups"]
    if not groups:
        raise RuntimeError("there should be a group")
    return (time.monotonic() - began) * 1000
