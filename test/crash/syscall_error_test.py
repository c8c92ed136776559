#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Errors of the disk in the real binary, one system call at a time: a full disk is backpressure and ends by itself; any
other error ends the process with its own exit code, and the next start serves again. Then every promise is checked.

usage: syscall_error_test.py [--only CASE] [--everything] [--json FILE]     WEIR_BINARY names the binary
"""
import argparse
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import injection
from lives import PHASES, before_phases, count_calls, live, paths_of
from points import conclude, run_all
from reference_run import Died, ReferenceRun

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "rename", "openat", "pread64")
MANY, OF_MANY = ("pwrite64", "pread64"), 9
STORE_FAILED = 74
STORE_REFUSED = 75
FULL_SECONDS = 0.7  # so long the disk is full


def fails(folder, phase, call, when, before):
    """An error while it opens the store or serves: nothing is acknowledged any more, and it leaves. What it does not
    depend on may be passed over."""
    run = ReferenceRun(folder, before)
    try:
        code = live(run, phase, injection.fault(call, "error=EIO", when, paths_of(run, call)))
        if code is not None:
            run.crashes += 1
            return "stopped", left_wrongly(run, phase) + run.finish()
        if run.weir.stop() not in (0, STORE_FAILED):  # strace is still there, for the other threads
            return "passed over", left_wrongly(run)
        return "passed over", run.finish()
    finally:
        run.end()


def left_wrongly(run, phase="serve"):
    """It said what is wrong, and left with the code for that."""
    code, said = run.weir.process.returncode, run.log()
    right = code == STORE_FAILED and '"store.failed"' in said
    if phase != "serve":
        right = right or code == STORE_REFUSED and "error[WR1" in said and "hint: " in said
    return [] if right else [f"it left with {code}: {said}"]


def full(folder, what, when, before):
    """No room: what is published is refused or waits, and the same process goes on once there is room."""
    run = ReferenceRun(folder, before)
    run.launch()
    tracer = injection.Attached(run.weir.process.pid, injection.fault("pwrite64", what, when))
    room = threading.Timer(FULL_SECONDS, tracer.detach)
    room.start()
    try:
        run.drive()
        room.join()
        return "refused" if run.refused else "passed over", run.finish()
    except Died:
        return "stopped", [f"a full disk ended it with {run.weir.process.returncode}: {run.log()}"]
    finally:
        room.cancel()
        room.join()
        tracer.detach()
        run.end()


def short_write(folder, more, before):
    """Files may grow by so many bytes: the write that goes beyond is cut short, the next one fails with EFBIG."""
    run = ReferenceRun(folder, before)
    run.weir.popen = {"restore_signals": False}  # SIGXFSZ stays ignored
    try:
        run.launch()
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        size = (run.data / "weir.db-wal").stat().st_size
        resource.prlimit(run.weir.process.pid, resource.RLIMIT_FSIZE, (size + more, hard))
        try:
            run.drive()
            run.weir.stop()
            return "passed over", run.finish()
        except Died:
            run.crashes += 1
            return "stopped", left_wrongly(run) + run.finish()
    finally:
        run.end()


def all_jobs(folder, everything):
    """Of the many writes some, unless everything is asked for; of the other calls each."""
    befores = before_phases(folder)
    jobs, times = [], 0
    for phase in PHASES:
        counted = count_calls(folder, phase, CALLS, befores[phase])
        times = counted["pwrite64"]
        for call, number in [(call, number) for call, last in sorted(counted.items()) for number in range(1, last + 1)]:
            if call == "pread64" and phase == "serve":
                continue  # fails that one query, and no promise is about that
            if number % OF_MANY == 1 or everything or call not in MANY:
                when = number if number % 2 or everything else f"{number}+"
                jobs.append((f"EIO {phase}:{call}:{when}", fails, phase, call, when, befores[phase]))
            if everything:
                jobs.append((f"EIO {phase}:{call}:{number}+", fails, phase, call, f"{number}+", befores[phase]))
    before = befores["serve"]
    for number in range(1, times + 1, 1 if everything else 3 * OF_MANY):
        jobs += [(f"full {what} {when}", full, what, when, before)
                 for what in ("error=ENOSPC", "retval=0") for when in (number, f"{number}+")]
    return jobs + [(f"short {more}", short_write, more, before) for more in range(1, 150_000, 9_001)]


def one(folder, work, *arguments):
    return work(folder, *arguments)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="", help="beginning of a name, as 'EIO serve:fdatasync'")
    parser.add_argument("--everything", action="store_true", help="at every call, once and from it on")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    injection.require_strace()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="weir-errors-") as folder:
        jobs = [job for job in all_jobs(Path(folder), arguments.everything) if job[0].startswith(arguments.only)]
        results, found = run_all(one, jobs)
    how = Counter(results.values())
    counters = {"errors.injected": len(results), "errors.stopped": how["stopped"], "errors.refused": how["refused"],
                "errors.passedOver": how["passed over"], "errors.failures": len(found),
                "errors.seconds": round(time.monotonic() - began)}
    return conclude("errors of the disk", counters, found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
