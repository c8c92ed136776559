# SPDX-License-Identifier: Apache-2.0
"""Many independent runs on a few processes, one summary line, and counters for those who add them up."""
import json
import os
import shutil
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

# A run mostly waits for two processes that wait for each other.
WORKERS = 2 * (os.cpu_count() or 2)


def in_folder(work, name, *arguments):
    """Calls work(folder, *arguments) in a new folder, which is kept if it fails. (what it gave, what went wrong)"""
    folder = Path(tempfile.mkdtemp(prefix="weir-crash-"))
    try:
        result, found = work(folder, *arguments)
    except Exception:  # whatever it is, the other runs go on and the summary tells
        result, found = None, [traceback.format_exc()]
    if not found:
        shutil.rmtree(folder, ignore_errors=True)
    return result, [f"{name}: {one}\n  its files: {folder}" for one in found]


def run_all(work, jobs):
    """`jobs` are tuples (name, argument...). What each gave, by name, and all that went wrong."""
    results, found = {}, []
    with ProcessPoolExecutor(WORKERS) as pool:
        waiting = {pool.submit(in_folder, work, *job): job[0] for job in jobs}
        for done in as_completed(waiting):
            results[waiting[done]], wrong = done.result()
            for one in wrong:
                print(f"FAILED {one}", flush=True)
            found += wrong
    return results, found


def conclude(title, counters, found, file):
    """Says how it went and writes the counters; the exit code."""
    told = ", ".join(f"{name} {value}" for name, value in counters.items())
    print(f"{title}: {told}; {'FAILED' if found else 'ok'}")
    if file:
        Path(file).write_text(json.dumps(counters) + "\n")
    return 1 if found else 0
