#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real binary crashes at every failpoint of its source, once in each of its first passages; then the rest of the
reference scenario is run and every promise checked. A failpoint that no crash test comes to is a failure.

usage: failpoint_test.py [--passages N] [--only NAME] [--json FILE]     WEIR_BINARY names the binary
"""
import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from lives import before_phases
from points import conclude, run_all
from processes import REPO
from reference_run import Died, ReferenceRun

CRASHED = 137
IN_SOURCE = re.compile(r'WEIR_FAILPOINT\("([^"]+)"\)')
# What the reference scenario does not do, and the test that crashes there.
ELSEWHERE = {
    "approval.after_grant": "test/integration/test_approvals.py",
    "operator.before_settle": "test/crash/step_crash_test.cc",
    "operator.after_settle": "test/crash/step_crash_test.cc",
    "retention.before_trim": "test/crash/step_crash_test.cc",
    "retention.after_trim": "test/crash/step_crash_test.cc",
    "rotation.before_commit": "test/integration/test_encryption.py",
    "rotation.after_commit": "test/integration/test_encryption.py",
    "shred.before_commit": "test/integration/test_encryption.py",
    "shred.after_commit": "test/integration/test_encryption.py",
    "store.before_checkpoint": "test/crash/step_crash_test.cc",
    "store.after_checkpoint": "test/crash/step_crash_test.cc",
}


def crashes(folder, point, passage, before):
    """(whether it came to the failpoint, what went wrong)"""
    run = ReferenceRun(folder, before)
    try:
        run.weir.popen = {"env": os.environ | {"WEIR_FAILPOINT": f"{point}=crash@{passage}"}}
        try:
            run.launch()
            run.drive()
            run.weir.stop()
        except Died:
            pass
        code = run.weir.process.returncode
        if code == 0:
            return False, []
        run.weir.popen = {}
        run.crashes += 1
        return True, [f"it ended with {code}: {run.log()}"] if code != CRASHED else run.finish()
    finally:
        run.end()


def never_reached(names, reached):
    """Failpoints that this test does not come to and that no other one names."""
    found = []
    for name in sorted(set(names) - reached):
        elsewhere = ELSEWHERE.get(name)
        if not elsewhere or f'"{name}' not in (REPO / elsewhere).read_text():
            found.append(f"{name}: no crash test comes to this failpoint; let the reference scenario do it")
    return found + [f"{name}: is no failpoint any more" for name in set(ELSEWHERE) - set(names)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--passages", type=int, default=1)
    parser.add_argument("--only", default="", help="beginning of a name")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    began = time.monotonic()
    names = sorted({name for path in (REPO / "src").rglob("*.cc") for name in IN_SOURCE.findall(path.read_text())})
    with tempfile.TemporaryDirectory(prefix="weir-failpoints-") as folder:
        befores = before_phases(Path(folder))
        jobs = [(f"{name}@{passage} {phase}", name, passage, befores[phase]) for name in names
                if name.startswith(arguments.only) for phase in ("create", "recover")
                for passage in range(1, arguments.passages + 1)]
        results, found = run_all(crashes, jobs)
    reached = {name.partition("@")[0] for name, came in results.items() if came}
    if not arguments.only:
        unreached = never_reached(names, reached)
        print("\n".join(f"FAILED {one}" for one in unreached), flush=True)
        found += unreached
    counters = {"failpoints.names": len(names), "failpoints.reached": len(reached),
                "failpoints.crashes": sum(1 for came in results.values() if came),
                "failpoints.failures": len(found), "failpoints.seconds": round(time.monotonic() - began)}
    return conclude("crash at every failpoint", counters, found, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
