# SPDX-License-Identifier: Apache-2.0
"""How fast the engine runs on a virtual clock: on the memory store, and on SQLite over the simulated VFS."""

from weirbench.figures import Figure, Sample
from weirbench.rig import Rig

WANTED_PER_SECOND = 50_000  # deliveries on the memory store
WANTED_TIMES_REAL = 150  # virtual seconds per second, at 100 events per virtual second


def engine_memory(rig: Rig) -> list[Figure]:
    """Deliveries per second of the whole engine, with a handler that answers at once."""
    samples = []
    for _ in range(rig.runs):
        found = rig.processes.run_json([rig.bin / "bench_engine_memory", "--events", rig.events(200_000)], 300)
        samples.append(Sample(found["rate"], WANTED_PER_SECOND, found["began"], found["ended"]))
    return [Figure("engine_memory", "/s", samples, 1, note="one core; limit: what is asked for")]


def engine_sim(rig: Rig) -> list[Figure]:
    """Virtual seconds per second at 100 events per virtual second, that come by tens and one by one."""
    figures = []
    for batch in (10, 1):
        samples = []
        for _ in range(rig.runs):
            command = [rig.bin / "bench_engine_sim", "--seconds", max(30, int(300 * rig.scale)), "--batch", batch]
            found = rig.processes.run_json(command, 300)
            samples.append(Sample(found["times_real"], WANTED_TIMES_REAL, found["began"], found["ended"]))
        note = f"one core, events come {batch} at a time; limit: what is asked for"
        figures.append(Figure("engine_sim", "x", samples, 1, note=note))
    return figures
