#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs everything that can run for as long as asked, in turns, each time with new seeds.

    tools/soak.py MINUTES [--only STAGE]
    tools/soak.py --targets     what must be built before

The stages are in test/soak.yaml. What they count is added to docs/reliability.json. The first that finds something
ends the soak with exit code 1; how to see it again is printed and kept in build/soak/failure.txt.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import reliability

TURN = 5.0  # minutes at most for one stage at a time
SHORTEST = 0.05  # minutes; no turn is worth less
FIRST_SEED = 1_000_000  # the tests of every change use those below
TAIL = 40  # lines of output that are kept of a failure


class Turn(NamedTuple):
    command: list[str]
    exit_code: int
    output: str
    counters: dict[str, float]
    problem: str  # with the counters; empty = none


def next_seed(stage: dict, counters: dict[str, float]) -> int:
    return FIRST_SEED + int(counters.get(stage["seeds"], 0)) if "seeds" in stage else FIRST_SEED


def run_turn(root: Path, stage: dict, minutes: float) -> Turn:
    told = root / "build/soak" / f"{stage['name']}.json"
    told.parent.mkdir(parents=True, exist_ok=True)
    told.unlink(missing_ok=True)
    seed = next_seed(stage, reliability.read_counters(root))
    places = {"minutes": f"{minutes:.2f}", "seed": seed, "json": told.relative_to(root)}
    command = shlex.split(stage["run"].format(**places))
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    try:
        counters, problem = reliability.checked(json.loads(told.read_text(encoding="utf-8"))), ""
    except (OSError, ValueError) as error:
        counters, problem = {}, f"its counters cannot be used: {error}"
    return Turn(command, done.returncode, done.stdout, counters, problem)


def write_failure(root: Path, stage: dict, turn: Turn) -> Path:
    file = root / "build/soak/failure.txt"
    last = "\n".join(turn.output.splitlines()[-TAIL:])
    reason = f"exit code {turn.exit_code}" if turn.exit_code else turn.problem
    file.write_text(f"stage {stage['name']}: {reason}\nagain: {shlex.join(turn.command)}\n\n{last}\n",
                    encoding="utf-8")
    return file


def soak(root: Path, stages: list[dict], minutes: float) -> int:
    """0: nothing was found."""
    deadline = time.monotonic() + 60 * minutes
    for stage in cycle(stages):
        left = (deadline - time.monotonic()) / 60
        if left < SHORTEST:
            return 0
        begun = time.monotonic()
        turn = run_turn(root, stage, min(TURN, left))
        failed = turn.exit_code != 0 or turn.problem != ""
        took = round(time.monotonic() - begun)
        reliability.add_counters(root, turn.counters)
        reliability.add_counters(root, {"soak.seconds": took, "soak.failures": int(failed)})
        if failed:
            print(write_failure(root, stage, turn).read_text(encoding="utf-8"), end="", flush=True)
            return 1
        last = turn.output.strip().rpartition("\n")[2]
        print(f"{stage['name']}, {took} s: {last}", flush=True)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", type=float, nargs="?")
    parser.add_argument("--only", metavar="STAGE")
    parser.add_argument("--targets", action="store_true")
    args = parser.parse_args()
    root = Path(__file__).resolve().parent.parent
    stages = [stage for stage in reliability.read_stages(root) if args.only in (None, stage["name"])]
    if not stages:
        parser.error(f"no stage {args.only} in {reliability.STAGES}")
    if args.targets:
        print(*(target for stage in stages for target in stage["targets"]))
        return 0
    if args.minutes is None or args.minutes <= 0:
        parser.error("for how many minutes?")
    return soak(root, stages, args.minutes)


if __name__ == "__main__":
    sys.exit(main())
