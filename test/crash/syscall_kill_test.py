#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every storage and network system call of the reference scenario: of a first start, of a start after a
crash, and of serving, up to and with its end. After each the rest of the scenario is run and every promise checked.

usage: syscall_kill_test.py [--only PHASE:CALL[:N]] [--json FILE]     WEIR_BINARY names the binary
"""
import argparse
import sys
import tempfile
import time
from pathlib import Path

import injection
from lives import PHASES, before_phases, count_calls, live, paths_of
from points import conclude, run_all
from reference_run import ReferenceRun

STORAGE = ("openat", "pwrite64", "fdatasync", "fsync", "ftruncate", "truncate", "fallocate", "rename", "unlink", "mkdir")
NETWORK = ("socket", "bind", "listen", "accept4", "connect", "recvmsg", "sendmsg", "shutdown")
CALLS = {"create": STORAGE + NETWORK[:3], "recover": STORAGE + NETWORK[:3], "serve": STORAGE + NETWORK}
WAVES_MORE = 12  # behind what was counted: no two runs are the same


def killed_at(folder, phase, call, number, before):
    """One life that is killed at the number-th such call, and the rest of the scenario.
    (whether it came to that call, what went wrong)"""
    run = ReferenceRun(folder, before)
    try:
        code = live(run, phase, injection.fault(call, "signal=KILL", number, paths_of(run, call)))
        if code is None:
            return False, []
        if code != -9:
            return True, [f"it ended with {code}: {run.log()}"]
        run.crashes += 1
        return True, run.finish()
    finally:
        run.end()


def kill_everywhere(folder, only):
    """(points, runs that did not come to their call, what went wrong)"""
    befores, ends = before_phases(folder), {}
    for phase in PHASES:
        counted = count_calls(folder, phase, CALLS[phase], befores[phase])
        ends |= {(phase, call): times for call, times in counted.items()}
        print(f"{phase}: " + ", ".join(f"{call} {times}" for call, times in sorted(counted.items())), flush=True)
    ends = {point: times for point, times in ends.items() if not only or ":".join(point).startswith(only)}
    jobs = [(*point, number) for point, times in ends.items() for number in range(1, times + 1)]
    reached, missed, found = 0, 0, []
    for _ in range(WAVES_MORE):
        results, wrong = run_all(killed_at, [(":".join(map(str, job)), *job, befores[job[0]]) for job in jobs])
        found += wrong
        reached += sum(1 for result in results.values() if result)
        missed += sum(1 for result in results.values() if result is False)
        jobs = [(phase, call, number + 1) for phase, call, number in jobs
                if number >= ends[phase, call] and results[f"{phase}:{call}:{number}"]]
        if not jobs:
            break
    return reached, missed, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", help="phase and call, as serve:pwrite64")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    injection.require_strace()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-points-") as folder:
        reached, missed, found = kill_everywhere(Path(folder), arguments.only)
    counters = {"kill.points": reached, "kill.notReached": missed, "kill.failures": len(found),
                "kill.seconds": round(time.monotonic() - began)}
    return conclude("kill -9 at every system call", counters, found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
