# SPDX-License-Identifier: Apache-2.0
"""Resident memory: idle, with a million events ready, with many waiting, and over ten minutes."""

import time

from weirbench.delivery import publish_and_deliver_once
from weirbench.figures import Figure, Sample
from weirbench.rig import Receiver, Rig
from weirbench.server import Weir

IDLE_MIB = 30
LOADED_MIB = 150
HANGING_MILLIS = 600_000  # the receiver answers after ten minutes: nothing gets done
FLAT_MEMORY = 1.1  # resident memory at the end over that after three tenths, when the dedupe table has filled
FLAT_SPEED = 0.99  # the last tenth's deliveries over the first tenth's; one percent is how they are counted


def figure(name: str, unit: str, samples: list[Sample], note: str = "") -> Figure:
    return Figure(name, unit, samples, 1, at_most=True, note=note)


def memory_idle(rig: Rig) -> list[Figure]:
    """A new store, a second after the start."""
    samples = []
    for _ in range(rig.runs):
        began = time.time()
        with rig.weir() as weir:
            time.sleep(1)
            samples.append(Sample(weir.resident(), IDLE_MIB, began, time.time()))
    return [figure("memory_idle", "MiB", samples)]


def ready_and_never_attempted(rig: Rig, weir: Weir, receiver: Receiver, events: int) -> float:
    """Events in the log, the flow running and as far ahead as it reads, 64 calls hanging. The larger resident size."""
    weir.pause("deliver")
    rig.preload("load", events)
    paused = weir.resident()
    receiver.delay(HANGING_MILLIS)
    weir.resume("deliver")
    time.sleep(3)
    backlog = weir.flow("deliver")["backlog"]
    if backlog != events:
        raise RuntimeError(f"{events} events should be undelivered, the backlog is {backlog}")
    return max(paused, weir.resident())


def memory_ready(rig: Rig) -> list[Figure]:
    """A million events ready and never attempted."""
    events = rig.events(1_000_000)
    samples = []
    for _ in range(rig.runs):
        began = time.time()
        with rig.receiver() as receiver, rig.weir() as weir:
            resident = ready_and_never_attempted(rig, weir, receiver, events)
            samples.append(Sample(resident, LOADED_MIB, began, time.time(), weir.cpu(), events))
    return [figure("memory_ready", "MiB", samples, f"{events:,} events")]


def memory_waiting(rig: Rig) -> list[Figure]:
    """A hundred thousand deliveries that failed once and wait for their next attempt."""
    events = rig.events(100_000)
    samples = []
    for _ in range(rig.runs):
        began = time.time()
        with rig.receiver(), rig.weir() as weir:
            rig.preload("later", events)
            weir.wait_for("wait", "waiting", events, 300)
            samples.append(Sample(weir.resident(), LOADED_MIB, began, time.time(), weir.cpu(), events))
    return [figure("memory_waiting", "MiB", samples, f"{events:,} deliveries")]


def flatness(rig: Rig) -> list[Figure]:
    """Publishing and delivering without a pause for ten minutes (one without --long), retention at work, at half of
    what Weir just reached without retention: beyond what it keeps up with the backlog grows, and that is another
    measurement."""
    tenth = 60 if rig.long else 6
    rate = int(publish_and_deliver_once(rig, rig.events(200_000))[0] * 0.5)
    speeds, sizes = [], []
    with rig.receiver() as receiver, rig.weir() as weir:
        began, cpu = time.time(), weir.cpu()
        options = {"rate": rate, "batch": 100, "connections": 4}
        load = rig.processes.start(rig.publish_command("steady", rate * tenth * 10, **options), stdout=-1, text=True)
        for _ in range(10):
            before = receiver.counts()["requests"]
            time.sleep(tenth)
            speeds.append((receiver.counts()["requests"] - before) / tenth)
            sizes.append(weir.resident())
        backlog = weir.flow("steady")["backlog"]
        load.communicate(timeout=60)
        shared = (began, time.time(), weir.cpu() - cpu, receiver.counts()["requests"])
        rig.processes.stop(load)
    minutes = f"{tenth * 10 // 60} min"
    memory = Sample(sizes[-1], sizes[2], *shared)
    speed = Sample(speeds[-1], speeds[0], *shared)
    by_tenth = f"limit: the third tenth; by tenth {', '.join(f'{size:.0f}' for size in sizes)}"
    load_note = f"{rate:,} ev/s published, backlog {backlog:,} at the end; limit: the first tenth"
    return [
        Figure(f"flat memory, {minutes}", "MiB", [memory], FLAT_MEMORY, at_most=True, note=by_tenth),
        Figure(f"flat throughput, {minutes}", "ev/s", [speed], FLAT_SPEED, note=load_note),
    ]
