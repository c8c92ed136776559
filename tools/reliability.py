# SPDX-License-Identifier: Apache-2.0
"""The counters of docs/reliability.json: what was tried how often, and the table of docs/reliability.md made of it."""

import fcntl
import json
import os
from pathlib import Path

import yaml

COUNTERS = "docs/reliability.json"
PAGE = "docs/reliability.md"
STAGES = "test/soak.yaml"
BEGIN = "<!-- counters: made by ./dev soak -->\n"
END = "<!-- end of counters -->\n"


def read_counters(root: Path) -> dict[str, float]:
    file = root / COUNTERS
    return checked(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def checked(counters) -> dict[str, float]:
    """One flat object of numbers, or a ValueError."""
    flat = isinstance(counters, dict) and all(
        isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
        for value in counters.values()
    )
    if not flat:
        raise ValueError("not one flat object of numbers")
    return counters


def add_counters(root: Path, more: dict[str, float]) -> dict[str, float]:
    """Sums, one process at a time; afterwards the file and the page are whole, whatever happens meanwhile."""
    lock = root / "build/reliability.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        counters = read_counters(root)
        for name, count in checked(more).items():
            counters[name] = round(counters.get(name, 0) + count, 3)
        replace(root / COUNTERS, json.dumps(counters, indent=2, sort_keys=True) + "\n")
        if (root / PAGE).exists():
            replace(root / PAGE, with_table((root / PAGE).read_text(encoding="utf-8"), table(root)))
    return counters


def replace(file: Path, text: str) -> None:
    unfinished = file.with_name(file.name + ".new")
    with unfinished.open("w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(file)


def read_stages(root: Path) -> list[dict]:
    return yaml.safe_load((root / STAGES).read_text(encoding="utf-8"))["stages"]


def table(root: Path) -> str:
    """The rows that the stages name. A counter that nothing has written yet is not claimed."""
    described = yaml.safe_load((root / STAGES).read_text(encoding="utf-8"))
    counters = read_counters(root)
    rows = [f"| {counters[name]:,.0f} | {text} |\n"
            for part in [*described["stages"], described["soak"]]
            for name, text in part["table"].items() if name in counters]
    return "| so often | what |\n|---:|---|\n" + "".join(rows)


def with_table(page: str, rows: str) -> str:
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE} has no place for the table: {BEGIN.strip()} ... {END.strip()}")
    return before + BEGIN + rows + END + after
