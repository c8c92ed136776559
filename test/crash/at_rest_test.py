#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damage at rest: flipped bytes, cut and swapped files of a real data folder. Each is found (`weir store check`,
`weir audit verify`, or a start that is refused, with an error that says so), or changed nothing that is stored; and no
start is ever empty.

usage: at_rest_test.py [--each N] [--everything] [--seed S] [--json FILE]     WEIR_BINARY names the binary
"""
import argparse
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from damage import DATABASE, LOG, damage_of
from lives import crashed_store
from points import conclude, run_all
from processes import environment_binary
from reference_run import Before, Died, ReferenceRun
from stored import commits_of, content_of

KEY = "master.key"  # in the data folder, so that it goes where that goes
ENCRYPTED = "encryption: {{ keyFile: {data}/" + KEY + " }}\n"
REFUSED = (2, 75)   # the configuration cannot be used, which names the key; the store cannot be opened
SERVED_OF = 8       # flips of which one is served as well


def weir(*arguments):
    return subprocess.run([environment_binary(), *map(str, arguments)], capture_output=True, text=True, check=False)


def is_found(done):
    """Whether a command says that something is wrong; it must say it in words."""
    if done.returncode == 0:
        return False
    if done.returncode == 8 or "error[WR" in done.stderr:
        return True
    raise RuntimeError(f"{done.args} ended with {done.returncode}: {done.stdout}{done.stderr}")


def judge(folder, damage, before, harmless, serve):
    """Does the damage to a copy. (found, refused or harmless; what went wrong)"""
    run = ReferenceRun(folder, before)
    try:
        damage.do(run.data)
        key = ["--key-file", run.data / KEY] if (run.data / KEY).exists() else []
        found = is_found(weir("store", "check", "--data", run.data, *key))
        found = found or is_found(weir("audit", "verify", "--data", run.data))
        now = content_of(run.data) if not found and damage.file in (DATABASE, LOG) else None
        changed = now is not None and now != harmless.whole
        refused, wrong = serve_damaged(run, found or changed) if serve or changed else (False, [])
        if found or refused:
            return "found" if found else "refused", wrong
        if changed and now not in harmless.without(damage):
            return "missed", wrong + ["what is stored has changed, and nothing says so"]
        return "cut tail" if changed else "harmless", wrong
    finally:
        run.end()


def serve_damaged(run, told):
    """(whether the start is refused, what is wrong about it); `told` allows that some of it is not there any more."""
    try:
        run.launch()
    except Died:
        said = run.log()
        code = run.weir.process.returncode
        right = code in REFUSED and "error[WR" in said and "hint: " in said
        return True, [] if right else [f"it left with {code}: {said}"]
    status, answer = run.ask("GET", "/v1/events?stream=s&from=1&limit=1000")
    run.weir.kill()
    if status == 200 and len(answer["events"]) < len(run.acknowledged) and not told:
        return False, [f"it serves {len(answer['events'])} events of {len(run.acknowledged)}"]
    return False, []


# --- what is damaged ---


def stores(folder):
    """One folder that a killed Weir left, with a log, and what it became until Weir ended in order."""
    seed = folder / "seed"
    seed.mkdir()
    made = weir("encryption", "key", "create", seed / KEY)
    assert made.returncode == 0, made.stderr
    killed = crashed_store(folder / "killed", Before(seed, more=ENCRYPTED))
    run = ReferenceRun(folder / "stopped", killed)
    found = run.finish()
    assert not found, found
    return {"killed": killed, "stopped": run.left()}


class Contents:
    """What is stored in a folder, and what was stored before the last commits in its log. A log that ends early cannot
    be told from the end of a crash; nor, if its end is damaged, can the last two commits."""

    def __init__(self, folder):
        self.whole = content_of(folder)
        log = (folder / LOG).read_bytes() if (folder / LOG).exists() else b""
        self.ends = commits_of(log)
        self.earlier = []
        for end in [0, *self.ends[:-1]]:
            with tempfile.TemporaryDirectory() as cut:
                shutil.copy(folder / DATABASE, cut)
                (Path(cut) / LOG).write_bytes(log[:end])
                self.earlier.append(content_of(Path(cut)))

    def without(self, damage):
        """What may be left, in silence, by this damage."""
        if damage.file != LOG:
            return []
        if damage.kind in ("cut", "remove"):
            return self.earlier
        at_the_end = isinstance(damage.at, int) and len(self.ends) > 3 and damage.at >= self.ends[-4]
        return self.earlier[-3:] if at_the_end else []


def jobs_for(befores, arguments):
    chance = random.Random(arguments.seed)
    older = {"stopped": befores["killed"].data}
    jobs = []
    for state, before in befores.items():
        contents = Contents(before.data)
        damages = damage_of(before.data, older.get(state), chance, arguments.each, arguments.everything)
        for number, damage in enumerate(damages):
            serve = damage.kind != "flip" or number % SERVED_OF == 0 or damage.file not in (DATABASE, LOG)
            jobs.append((f"{state}: {damage}", damage, before, contents, serve))
    return jobs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=1, help="flips in the head of each page, and in its body")
    parser.add_argument("--everything", action="store_true", help="every byte")
    parser.add_argument("--seed", type=int, default=340628)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-rest-") as folder:
        results, found = run_all(judge, jobs_for(stores(Path(folder)), arguments))
    how = Counter(results.values())
    counters = {"rest.runs": 1, "rest.damaged": len(results), "rest.found": how["found"], "rest.refused": how["refused"],
                "rest.harmless": how["harmless"], "rest.cutTails": how["cut tail"], "rest.failures": len(found),
                "rest.seconds": round(time.monotonic() - began)}
    return conclude("damage at rest", counters, found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
