# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks and prints one table. See bench/README.md."""

import argparse
import json
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from weirbench import delivery, effects, encryption, ingest, memory, recovery, replay, simulation, start  # noqa: E402  (the path above)
from weirbench.figures import row, table  # noqa: E402
from weirbench.rig import Rig, ports_in_use  # noqa: E402

MEASUREMENTS = {
    "ingest_batch": ingest.ingest_batch,
    "ingest_single": ingest.ingest_single,
    "ingest_single_slow_disk": ingest.ingest_single_slow_disk,
    "encryption_cost": encryption.encryption_cost,
    "effect_latency": effects.effect_latency,
    "drain": delivery.drain,
    "publish_and_deliver": delivery.publish_and_deliver,
    "added_latency": delivery.added_latency,
    "memory_idle": memory.memory_idle,
    "memory_ready": memory.memory_ready,
    "memory_waiting": memory.memory_waiting,
    "start_empty": start.start_empty,
    "start_after_kill": start.start_after_kill,
    "plan_replay": recovery.plan_replay,
    "replay_cost": replay.replay_cost,
    "replay_beside_live": replay.replay_beside_live,
    "flatness": memory.flatness,
    "engine_memory": simulation.engine_memory,
    "engine_sim": simulation.engine_sim,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MEASUREMENTS)}; all without one")
    parser.add_argument("--quick", action="store_true", help="a tenth of the events, one run: for trying it out")
    parser.add_argument("--runs", type=int, default=0, choices=range(1, 21), metavar="N", help="runs per figure (3; 1 with --quick)")
    parser.add_argument("--long", action="store_true", help="flatness: ten minutes instead of one")
    parser.add_argument("--bin", type=Path, default=Path("build/release/bin"), help="folder of the bench programs")
    parser.add_argument("--weir", type=Path, help="the program under test (BIN/weir)")
    parser.add_argument("--folder", type=Path, default=Path("build"), help="where the data goes: the disk under test")
    parser.add_argument("--json", type=Path, help="write every sample to this file, too")
    given = parser.parse_args()
    for name in given.names:
        if name not in MEASUREMENTS:
            parser.error(f"no measurement '{name}'; there are {', '.join(MEASUREMENTS)}")
    return given


def measure(rig: Rig, names: list[str]) -> tuple[list, list]:
    """All figures that could be measured; one that fails is reported and does not stop the others."""
    figures, failed = [], []
    for name in names or MEASUREMENTS:
        began = time.monotonic()
        try:
            figures += MEASUREMENTS[name](rig)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        except Exception as error:  # noqa: BLE001
            failed.append((name, error))
            rig.processes.kill_all(but=rig.probe.process)
            print(f"{name}: FAILED: {error}", file=sys.stderr, flush=True)
    return figures, failed


def stop(*_) -> None:
    raise KeyboardInterrupt


def main() -> int:
    given = arguments()
    signal.signal(signal.SIGTERM, stop)
    for port in ports_in_use():
        print(f"port {port} of 127.0.0.1 is in use; is another bench running?", file=sys.stderr)
        return 1
    runs = given.runs or (1 if given.quick else 3)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=given.folder))
    rig = Rig(given.bin, given.weir or given.bin / "weir", folder, 0.1 if given.quick else 1, runs, given.long)
    try:
        figures, failed = measure(rig, given.names)
        rows = [row(figure, rig.probe.percentiles(figure.windows)) for figure in figures]
        print(table(rows))
        for name, error in failed:
            print(f"{name}: FAILED: {error}")
        if given.json:
            given.json.write_text(json.dumps([figure._asdict() for figure in figures], indent=1))
        return 1 if failed else 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    finally:
        rig.processes.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
