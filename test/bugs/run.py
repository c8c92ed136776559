#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Switches every bug of bugs.yaml on and wants its test to fail.

    test/bugs/run.py [--build DIR] [--json FILE] [NAME...]

Builds nothing. Each test runs once without a bug, where it must pass, and once per bug, where one of
its checks must fail: a crash, a hang or an exception of the test itself does not count as caught.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
VARIABLE = "WEIR_SEEDED_BUG"
SWITCH = re.compile(r'WEIR_SEEDED_BUG\(\s*"([^"]+)"\s*\)')
LIMIT = 60  # seconds for one test
AT_ONCE = 2
FIELDS = {"name", "means", "test"}

Bug = namedtuple("Bug", "name means test")
Ran = namedtuple("Ran", "verdict seconds output")  # verdict: passed, failed, or what else went wrong


def bugs_of(table):
    """The bugs of a table; ValueError says what is wrong with it."""
    bugs = []
    for row in yaml.safe_load(table):
        if set(row) != FIELDS or len(row["test"]) != 2:
            raise ValueError(f"{row.get('name', row)}: a bug has {', '.join(sorted(FIELDS))}; a test is [program, name]")
        bugs.append(Bug(row["name"], row["means"], tuple(row["test"])))
    names = [bug.name for bug in bugs]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"more than once in the table: {', '.join(sorted(twice))}")
    return bugs


def switches_of(folder):
    """The names of all switches below a folder; ValueError if two places share one."""
    names = [name for file in sorted(folder.rglob("*")) if file.suffix in (".cc", ".h")
             if file.name != "seeded_bug.h" for name in SWITCH.findall(file.read_text())]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"the same switch in two places: {', '.join(sorted(twice))}")
    return set(names)


def check_both_ways(bugs, switches):
    table = {bug.name for bug in bugs}
    if missing := switches - table:
        raise ValueError(f"switches that are not in bugs.yaml: {', '.join(sorted(missing))}")
    if gone := table - switches:
        raise ValueError(f"bugs that no code has: {', '.join(sorted(gone))}")


def command_of(test, build):
    program, name = test
    if program.endswith(".py"):
        return [sys.executable, str(REPO / "test" / program), name]
    # A comma would end the filter.
    return [str(build / "bin" / program), "--no-skip", f"--test-case={name.replace(',', '?')}"]


def doctest_verdict(code, output):
    cases = re.search(r"test cases:\s*(\d+) \|", output)
    checks = re.search(r"assertions:.*\|\s*(\d+) failed", output)
    if "CRASHED" in output or code < 0 or not cases or not checks:
        return "crashed"
    if cases[1] == "0":
        return "no such test"
    if code == 0:
        return "passed"
    return "failed" if int(checks[1]) > 0 else "threw"


def unittest_verdict(code, output):
    if re.search(r"^(ImportError|AttributeError):", output, re.MULTILINE) or "Ran 0 tests" in output:
        return "no such test"
    if code == 0:
        return "passed"
    summary = re.search(r"^FAILED \((.*)\)$", output, re.MULTILINE)
    if not summary:
        return "crashed"
    return "failed" if "failures=" in summary[1] and "errors=" not in summary[1] else "threw"


def run(test, build, bug=None):
    environment = {key: value for key, value in os.environ.items() if key != VARIABLE}
    environment |= {"WEIR_BINARY": str(build / "bin" / "weir"), "PYTHONDONTWRITEBYTECODE": "1"}
    if bug:
        environment[VARIABLE] = bug
    started = time.monotonic()
    try:
        done = subprocess.run(command_of(test, build), env=environment, timeout=LIMIT, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except subprocess.TimeoutExpired:
        return Ran("hung", time.monotonic() - started, "")
    verdict = unittest_verdict if test[0].endswith(".py") else doctest_verdict
    return Ran(verdict(done.returncode, done.stdout), time.monotonic() - started, done.stdout)


def judge(clean, bugged):
    """What became of a bug, from its test without and with it."""
    if clean.verdict != "passed":
        return f"NO TEST: {clean.verdict} without the bug"
    return {"failed": "caught", "passed": "SURVIVED"}.get(bugged.verdict, f"SURVIVED: {bugged.verdict}")


def hunt(bugs, build):
    """[(bug, verdict, seconds with the bug)], in the order of the table."""
    tests = sorted({bug.test for bug in bugs})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        clean = dict(zip(tests, pool.map(lambda test: run(test, build), tests)))
        bugged = list(pool.map(lambda bug: run(bug.test, build, bug.name), bugs))
    return [(bug, judge(clean[bug.test], ran), ran.seconds) for bug, ran in zip(bugs, bugged)]


def check_build(bugs, build):
    """Programs that are not there, or that were built without the switches."""
    for program in sorted({"weir" if bug.test[0].endswith(".py") else bug.test[0] for bug in bugs}):
        file = build / "bin" / program
        if not file.exists():
            raise ValueError(f"{file} is missing: build it first")
        if VARIABLE.encode() not in file.read_bytes():
            raise ValueError(f"{file} was built without WEIR_SEEDED_BUGS")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these bugs")
    parser.add_argument("--build", type=Path, default=REPO / "build/dev", help="the folder of a test build")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts there")
    options = parser.parse_args()
    try:
        bugs = bugs_of((HERE / "bugs.yaml").read_text())
        check_both_ways(bugs, switches_of(REPO / "src"))
        bugs = [bug for bug in bugs if not options.names or bug.name in options.names]
        check_build(bugs, options.build)
    except ValueError as problem:
        sys.exit(f"bugs: {problem}")
    started = time.monotonic()
    found = hunt(bugs, options.build)
    for bug, verdict, seconds in found:
        print(f"{verdict:8} {bug.name:32} {seconds:5.1f} s  {bug.test[0]}: {bug.test[1]}")
    caught = sum(verdict == "caught" for _, verdict, _ in found)
    print(f"bugs: {caught} of {len(found)} caught by {len({bug.test for bug in bugs})} tests "
          f"in {time.monotonic() - started:.0f} s")
    if options.json:
        options.json.write_text(json.dumps({"bugs.total": len(found), "bugs.caught": caught}) + "\n")
    return 0 if found and caught == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
