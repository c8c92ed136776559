# SPDX-License-Identifier: Apache-2.0
"""From exec to the first 200 of /readyz."""

import shutil
import time

from weirbench.figures import Figure, Sample
from weirbench.memory import ready_and_never_attempted
from weirbench.rig import Rig

EMPTY_MILLIS = 100
LOADED_MILLIS = 2000


def start_empty(rig: Rig) -> list[Figure]:
    """On a folder without a store."""
    samples = []
    for _ in range(max(3, rig.runs)):
        began = time.time()
        with rig.weir() as weir:
            samples.append(Sample(weir.ready_after * 1000, EMPTY_MILLIS, began, time.time(), weir.cpu()))
    return [Figure("start_empty", "ms", samples, 1, at_most=True)]


def start_after_kill(rig: Rig) -> list[Figure]:
    """After kill -9 with undelivered events, calls in flight, and deliveries in quarantine."""
    undelivered, quarantined = rig.events(1_000_000), rig.events(100_000)
    samples = []
    data = rig.new_folder()
    with rig.receiver() as receiver:
        with rig.weir(data) as weir:
            rig.preload("broken", quarantined)
            weir.wait_for("quarantine", "quarantined", quarantined, 300)
            ready_and_never_attempted(rig, weir, receiver, undelivered)
        for _ in range(max(3, rig.runs)):
            began = time.time()
            with rig.weir(data) as weir:  # ends with kill -9
                samples.append(Sample(weir.ready_after * 1000, LOADED_MILLIS, began, time.time(), weir.cpu()))
                time.sleep(1)
    shutil.rmtree(data)
    note = f"{undelivered:,} undelivered, {quarantined:,} quarantined"
    return [Figure("start_after_kill", "ms", samples, 1, at_most=True, note=note)]
