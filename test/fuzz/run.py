#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzz targets: their corpora through all of them, then some of them on inputs of their own.

    test/fuzz/run.py PROGRAMS [TARGET...] [--minutes N] [--json FILE] [--found FOLDER]

Without --minutes the riskiest targets get a minute each; with it every target that is named (or all)
gets N. An input that makes a target fail is kept under FOLDER, with the command that repeats it.
"""

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What strangers send, and what a library reads for us.
RISKIEST = ("http_request", "http_answer", "cloudevents", "filter", "config")
LIMITS = ("-timeout=20", "-rss_limit_mb=1024", "-malloc_limit_mb=256", "-max_len=8192", "-reload=0")
STAT = re.compile(r"^stat::(\w+):\s+(\d+)$", re.MULTILINE)
FEATURES = re.compile(r"\bft: (\d+)")
WHY = re.compile(r"assertion failed: .*|ERROR: .*|runtime error: .*")
LINE = "{:<16} {:>11} {:>9} {:>10} {:>8}"


@dataclass
class Result:
    """What one run of one target gave; `failed` is what is to be said if it ended badly."""
    target: str
    runs: int
    features: int
    new: int
    seconds: int
    failed: str = ""

    def line(self) -> str:
        return LINE.format(self.target, self.runs, self.features, self.new, self.seconds)


def fuzz(program: Path, found: Path, seconds: int, seed: int) -> Result:
    """0 seconds: the corpus, and what was found before, once each."""
    target = program.name.removeprefix("fuzz_")
    mine = found / target
    mine.mkdir(parents=True, exist_ok=True)
    how_long = [f"-max_total_time={seconds}", f"-seed={seed}"] if seconds else ["-runs=0"]
    words = HERE / "dict" / f"{target}.dict"
    dictionary = [f"-dict={words}"] if words.exists() else []
    command = [program, *LIMITS, *how_long, *dictionary, "-print_final_stats=1", f"-artifact_prefix={mine}/failed-",
               mine, HERE / "corpus" / target]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    stats = dict(STAT.findall(ended.stderr))
    features = FEATURES.findall(ended.stderr)
    result = Result(target, int(stats.get("number_of_executed_units", 0)), int(features[-1]) if features else 0,
                    int(stats.get("new_units_added", 0)) if seconds else 0, seconds)
    if ended.returncode != 0:
        result.failed = explain(program, ended.stderr)
    elif result.runs == 0:
        result.failed = f"{target} ran nothing: is test/fuzz/corpus/{target} there?"
    return result


def explain(program: Path, stderr: str) -> str:
    why = WHY.search(stderr)
    kept = re.search(r"Test unit written to (\S+)", stderr)
    repeat = f"{program} {kept.group(1)}" if kept else f"{program}: no input was kept\n{stderr[-2000:]}"
    return f"{why.group(0) if why else 'it ended by itself'}\n  repeat it: {repeat}"


def run(programs: list[Path], found: Path, seconds: int, at_once: int, seed: int = 0) -> list[Result]:
    results = []
    with ThreadPoolExecutor(at_once) as pool:
        for result in pool.map(lambda program: fuzz(program, found, seconds, seed), programs):
            print(result.line(), flush=True)
            if result.failed:
                print(f"  {result.failed}", flush=True)
            results.append(result)
    return results


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("programs", type=Path, help="the folder with the fuzz_* programs")
    parser.add_argument("targets", nargs="*", help="only these, without fuzz_")
    parser.add_argument("--minutes", type=float, help="for each target, instead of one for the riskiest")
    parser.add_argument("--jobs", type=int, default=2, help="targets at once")
    parser.add_argument("--found", type=Path, help="where inputs are kept (default: beside PROGRAMS)")
    parser.add_argument("--json", type=Path, help="counters for whoever adds them up")
    return parser.parse_intermixed_args()


def main() -> int:
    args = arguments()
    programs = sorted(path for path in args.programs.glob("fuzz_*") if path.suffix == "")
    missing = set(args.targets) - {path.name.removeprefix("fuzz_") for path in programs}
    if missing or not programs:
        print(f"no such target in {args.programs}: {', '.join(sorted(missing)) or 'fuzz_*'}", file=sys.stderr)
        return 2
    if args.targets:
        programs = [path for path in programs if path.name.removeprefix("fuzz_") in args.targets]
    found = args.found or args.programs.parent / "found"
    print(LINE.format("target", "runs", "features", "new inputs", "seconds"))
    results = run(programs, found, 0, args.jobs)
    if args.minutes is None and not args.targets:
        programs = [path for path in programs if path.name.removeprefix("fuzz_") in RISKIEST]
    # A change is judged by the same inputs each time; whoever fuzzes for longer gets new ones (0).
    seed = 1 if args.minutes is None else 0
    results += run(programs, found, max(1, round(60 * (args.minutes or 1))), args.jobs, seed)
    counters = {"fuzz.runs": sum(result.runs for result in results),
                "fuzz.targets": len({result.target for result in results}),
                "fuzz.new_inputs": sum(result.new for result in results),
                "fuzz.crashes": sum(1 for result in results if result.failed)}
    print(f"fuzz: {counters['fuzz.targets']} targets, {counters['fuzz.runs']} runs, {counters['fuzz.crashes']} failed")
    if args.json:
        args.json.write_text(json.dumps(counters) + "\n", encoding="utf-8")
    return 1 if counters["fuzz.crashes"] else 0


if __name__ == "__main__":
    sys.exit(main())
