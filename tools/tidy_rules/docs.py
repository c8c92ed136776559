# SPDX-License-Identifier: Apache-2.0
"""Pages that must keep up with the code: the walk, the READMEs of modules, the error pages, the counters."""

import re

import reliability
from tidy_rules.tree import Finding, Tree

WALK = "docs/walk.md"
WALK_FILES = 8
README_LINES = 25
CATALOGUE = "src/base/error_codes.def"
SECURITY = "docs/security.md"
SECURITY_ROWS = 32

PATH = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.[a-z]+)(?::\d+)?`")
SECURITY_ROW = re.compile(r"\| SEC(\d+) \|[^|]*\|(.*)\|$")
TEST = re.compile(r"`([\w.-]+(?:/[\w.-]+)+\.(?:cc|py|service|def|md))(?:: ([^`]+))?`")
FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:h|cc|py|def))`")
ERROR = re.compile(r"^WEIR_ERROR\((WR\d{4}),", re.MULTILINE)
ERROR_PAGE = re.compile(r"docs/errors/(WR\d{4})\.md")


def check(tree: Tree):
    yield from check_walk(tree)
    yield from check_readmes(tree)
    yield from check_error_pages(tree)
    yield from check_security(tree)
    yield from check_reliability(tree)


def check_walk(tree: Tree):
    if not (tree.root / WALK).exists():
        yield Finding(WALK, 1, "walk", "is missing: the life of an event, file by file")
        return
    paths = set(tree.paths)
    walked = set()
    for number, line in enumerate((tree.root / WALK).read_text(encoding="utf-8").split("\n"), 1):
        for path in PATH.findall(line):
            full = path if path in paths else f"src/{path}"  # folders may go without src/
            if full not in paths:
                yield Finding(WALK, number, "walk", f"`{path}` does not exist")
            elif full.startswith("src/"):
                walked.add(full)
    if len(walked) > WALK_FILES:
        message = f"walks through {len(walked)} files of src, at most {WALK_FILES}"
        yield Finding(WALK, 1, "walk", message)


def check_readmes(tree: Tree):
    for module in tree.modules.values():
        path = f"src/{module.name}/README.md"
        if not any(p.startswith(f"src/{module.name}/") for p in tree.paths):
            continue
        if path not in tree.paths:
            yield Finding(path, 1, "readme", "is missing: purpose, files in reading order")
            continue
        text = (tree.root / path).read_text(encoding="utf-8")
        if text.count("\n") > README_LINES:
            yield Finding(path, 1, "readme", f"has more than {README_LINES} lines")
        for number, line in enumerate(text.split("\n"), 1):
            for name in FILE.findall(line):
                if not any(p.endswith(f"/{name}") for p in tree.paths):
                    yield Finding(path, number, "readme", f"`{name}` does not exist")


def check_security(tree: Tree):
    """Every row of the checklist is there, and names tests that exist."""
    if not (tree.root / SECURITY).exists():
        yield Finding(SECURITY, 1, "security", "is missing: the checklist, each row with its test or a reason")
        return
    yield from check_named_tests(tree, SECURITY, "security")
    rows = {}
    for number, line in enumerate((tree.root / SECURITY).read_text(encoding="utf-8").split("\n"), 1):
        if row := SECURITY_ROW.match(line):
            rows[int(row[1])] = number
            if not row[2].strip():
                yield Finding(SECURITY, number, "security", f"SEC{row[1]} has neither a test nor a reason")
    for missing in sorted(set(range(1, SECURITY_ROWS + 1)) - rows.keys()):
        yield Finding(SECURITY, 1, "security", f"SEC{missing} has no row")


def check_named_tests(tree: Tree, page: str, rule: str):
    for number, line in enumerate((tree.root / page).read_text(encoding="utf-8").split("\n"), 1):
        for path, name in TEST.findall(line):
            if path not in tree.paths:
                yield Finding(page, number, rule, f"`{path}` does not exist")
            elif name and name not in unbroken((tree.root / path).read_text(encoding="utf-8")):
                yield Finding(page, number, rule, f"`{path}` has no '{name}'")


def unbroken(text: str) -> str:
    """Literals that go on in the next line, in one piece."""
    return re.sub(r'"\s*\n\s*"', "", text)


def check_reliability(tree: Tree):
    """The table says what the counters say, and every test that is named exists."""
    page = reliability.PAGE
    if page not in tree.paths:
        yield Finding(page, 1, "reliability", "is missing: promises, faults, and what was tried how often")
        return
    yield from check_named_tests(tree, page, "reliability")
    text = (tree.root / page).read_text(encoding="utf-8")
    try:
        fresh = reliability.with_table(text, reliability.table(tree.root))
    except ValueError as problem:
        yield Finding(page, 1, "reliability", str(problem))
        return
    if fresh != text:
        line = text.count("\n", 0, text.find(reliability.BEGIN)) + 1
        yield Finding(page, line, "reliability", f"the table differs from {reliability.COUNTERS}")


def check_error_pages(tree: Tree):
    catalogue = tree.root / CATALOGUE
    text = catalogue.read_text(encoding="utf-8") if catalogue.exists() else ""
    lines = {m[1]: text.count("\n", 0, m.start()) + 1 for m in ERROR.finditer(text)}
    pages = {m[1] for path in tree.paths if (m := ERROR_PAGE.fullmatch(path))}
    for code in sorted(lines.keys() - pages):
        yield Finding(CATALOGUE, lines[code], "error-page", f"docs/errors/{code}.md is missing")
    for code in sorted(pages - lines.keys()):
        message = f"{code} is not in {CATALOGUE}"
        yield Finding(f"docs/errors/{code}.md", 1, "error-page", message)
