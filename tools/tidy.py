#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules that no compiler knows: tiers, sizes, banned calls, names, pages.

    tools/tidy.py [ROOT]

Prints `path:line: rule: message` for every finding and exits 1 if there is one. The rules live in
tools/tidy_rules/, one file per family; tools/tidy_test.py shows what each of them catches.
"""

import sys
from pathlib import Path

from tidy_rules import bans, docs, fuzz, headers, names, sizes, tiers
from tidy_rules.tree import Finding, Tree

RULES = (tiers, headers, sizes, bans, names, docs, fuzz)

# Files that must break a rule: (rule, path) -> the reason. It only shrinks; one that is no longer
# needed is a finding itself.
EXCUSED: dict[tuple[str, str], str] = {
    ("third-party", "src/delivery/testing/bench_top.h"): "a test bench owns its event loop",
    ("fuzz", "src/recovery/references.h"): "a number of a replay; its module would double what is built",
    ("tier", "src/delivery/testing/bench_top.h"): "a test bench runs on the memory store, as the tests do",
}


def findings(root: Path, excused=None) -> list[Finding]:
    excused = EXCUSED if excused is None else excused
    tree = Tree(root)
    found = {finding for rule in RULES for finding in rule.check(tree)}
    broken = {(finding.rule, finding.path) for finding in found}
    found = {finding for finding in found if (finding.rule, finding.path) not in excused}
    for rule, path in excused.keys() - broken:
        found.add(Finding("tools/tidy.py", 1, "excuse", f"{path} no longer breaks {rule}"))
    return sorted(found)


def main() -> int:
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    found = findings(root)
    for finding in found:
        print(f"{finding.path}:{finding.line}: {finding.rule}: {finding.message}")
    print(f"tidy: {len(found)} findings" if found else "tidy: ok", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
