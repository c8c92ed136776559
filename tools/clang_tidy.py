#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over what changed since it was last clean.

    tools/clang_tidy.py BUILD_FOLDER [--no-tests | FILE...]

Takes the files of src/ and bench/ from the build's compile commands; in a build that compiles several
files as one, these together, which reads the headers once for all of them. A file is clean under a key made
of its content, of every header of ours it included when it was built, of its command and of
.clang-tidy; clean keys are kept in build/.tidy-cache, so an unchanged file costs nothing.
"""

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / "build" / ".tidy-cache"
PROGRAM = "clang-tidy-19"
FOLDERS = ("src/", "bench/")


def main() -> int:
    build = Path(sys.argv[1]).resolve()
    tests = "--no-tests" not in sys.argv[2:]
    wanted = [Path(argument).resolve() for argument in sys.argv[2:] if argument != "--no-tests"]
    units = [u for u in read_units(build) if not wanted or u["path"] in wanted]
    if not tests:
        units = [u for u in units if not re.search(r"_test(ing)?\.dir/|_test\.cc$", str(u["path"]))]
    keys = cache_keys(build, units)
    CACHE.mkdir(parents=True, exist_ok=True)
    stale = [unit for unit in units if not (CACHE / keys[unit["path"]]).exists()]
    started = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        clean = list(pool.map(lambda unit: run(build, unit["path"], keys[unit["path"]]), stale))
    if tests and not wanted:
        prune(set(keys.values()))
    took = time.monotonic() - started
    print(
        f"clang-tidy: {len(stale)} of {len(units)} files checked in {took:.0f} s,"
        f" {clean.count(False)} with findings",
        file=sys.stderr,
    )
    return 0 if all(clean) else 1


def read_units(build: Path) -> list[dict]:
    units: dict[Path, dict] = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (Path(entry["directory"]) / entry["file"]).resolve()
        if is_ours(path) or (path.parent.name == "Unity" and is_ours(first_included(path))):
            units.setdefault(path, {"path": path, "command": entry["command"]})
    return list(units.values())


def is_ours(path: Path) -> bool:
    return path.is_relative_to(ROOT) and str(path.relative_to(ROOT)).startswith(FOLDERS)


def first_included(path: Path) -> Path:
    return Path(re.search(r'#include "(.*)"', path.read_text())[1])


def cache_keys(build: Path, units: list[dict]) -> dict[Path, str]:
    version = subprocess.check_output([PROGRAM, "--version"])
    common = version + (ROOT / ".clang-tidy").read_bytes()
    included = read_dependencies(build)
    contents: dict[Path, bytes] = {}
    keys = {}
    for unit in units:
        digest = hashlib.sha256(common)
        digest.update(unit["command"].replace(str(ROOT), "").encode())
        for path in sorted({unit["path"], *included.get(object_of(build, unit), ())}):
            if path not in contents:
                contents[path] = path.read_bytes() if path.exists() else b""
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + contents[path])
        keys[unit["path"]] = digest.hexdigest()
    return keys


def object_of(build: Path, unit: dict) -> Path:
    words = shlex.split(unit["command"])
    return build / words[words.index("-o") + 1]


def read_dependencies(build: Path) -> dict[Path, list[Path]]:
    """Our own headers that each object file was made of, as Ninja recorded them."""
    listing = subprocess.check_output(["ninja", "-C", str(build), "-t", "deps"], text=True)
    included: dict[Path, list[Path]] = {}
    current: list[Path] = []
    for line in listing.splitlines():
        if match := re.match(r"(\S+): #deps", line):
            current = included.setdefault(build / match[1], [])
        elif line.startswith("    "):
            path = Path(os.path.normpath(build / line.strip()))
            if path.is_relative_to(ROOT) and not path.is_relative_to(build):
                current.append(path)
    return included


def run(build: Path, path: Path, key: str) -> bool:
    command = [PROGRAM, "-p", str(build), "--quiet", "--use-color=false", str(path)]
    if path.parent.name == "Unity":
        command.append("--checks=-bugprone-suspicious-include")
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode == 0:
        (CACHE / key).touch()
        return True
    findings = done.stdout.replace(f"{ROOT}/", "")
    print(findings or done.stderr, end="", flush=True)
    return False


def prune(used: set[str]):
    for key in CACHE.iterdir():
        if key.name not in used:
            key.unlink()


if __name__ == "__main__":
    sys.exit(main())
