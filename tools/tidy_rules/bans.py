# SPDX-License-Identifier: Apache-2.0
"""Calls that only the edges may make: clock, chance, environment, sleep, sockets, and a few more."""

import re
from typing import NamedTuple

from tidy_rules import cpp, tiers
from tidy_rules.tree import Finding, Source, Tree

NOT_A_MEMBER = r"(?<![\w.>:])(?:std::|::)?"
PROGRAMS = ("bench/", "test/")  # they drive Weir from outside; *_test.cc may not sleep even there


class Ban(NamedTuple):
    rule: str
    pattern: re.Pattern
    edges: tuple[str, ...]  # path prefixes where it is allowed
    instead: str


def ban(rule: str, pattern: str, edges: tuple[str, ...], instead: str) -> Ban:
    return Ban(rule, re.compile(pattern), edges, instead)


BANS = (
    ban(
        "clock",
        r"\b(?:system_clock|steady_clock)::now\b|\bhigh_resolution_clock\b"
        rf"|{NOT_A_MEMBER}(?:time\s*\(\s*(?:nullptr|NULL|0)?\s*\)|gettimeofday\s*\(|clock_gettime\s*\()",
        ("src/async/", *PROGRAMS),
        "decisions are handed `now`, drivers ask async::Clock",
    ),
    ban(
        "random",
        rf"\brandom_device\b|{NOT_A_MEMBER}s?rand\s*\(|{NOT_A_MEMBER}getrandom\s*\(",
        ("src/app/", *PROGRAMS),
        "take a weir::Rng&",
    ),
    ban(
        "environment",
        rf"{NOT_A_MEMBER}(?:secure_getenv|getenv|setenv|putenv|unsetenv)\s*\(",
        ("src/app/", "src/base/seeded_bug.cc", *PROGRAMS),
        "src/app reads it and passes the value on",
    ),
    ban(
        "sleep",
        rf"\bthis_thread::sleep_(?:for|until)\b|{NOT_A_MEMBER}(?:usleep|nanosleep|sleep)\s*\(",
        PROGRAMS,
        "wait for the thing itself, or sleep on async::Clock",
    ),
    ban(
        "socket",
        rf"{NOT_A_MEMBER}socket(?:pair)?\s*\(",
        ("src/net/", "src/async/", *PROGRAMS),
        "src/net has the sockets",
    ),
    ban(
        "output",
        r"\bstd::(?:cout|cerr|clog)\b|#\s*include\s*<iostream>",
        ("src/app/", *PROGRAMS),
        "return text, or log through telemetry",
    ),
    ban(
        "detached",
        r"\basio::detached\b|boost/asio/detached\.hpp",
        ("src/async/", *PROGRAMS),
        "spawn into an async::TaskGroup, which is joined",
    ),
)

USING_NAMESPACE = re.compile(r"^\s*using\s+namespace\b", re.MULTILINE)
LOCKS = re.compile(r"\bstd::\w*mutex\b|#\s*include\s*<(?:shared_)?mutex>")
STATEMENT_EXPRESSION = re.compile(r"\(\s*\{")


def check(tree: Tree):
    for source in tree.sources:
        if source.is_cpp and source.path.startswith(("src/", *PROGRAMS)):
            yield from check_bans(source)
            yield from check_statement_expressions(source)
            yield from check_headers(source)
            yield from check_locks(tree, source)


def check_bans(source: Source):
    for ban in BANS:
        sleeping_test = ban.rule == "sleep" and source.is_test
        if source.path.startswith(ban.edges) and not sleeping_test:
            continue
        for match in ban.pattern.finditer(source.code):
            call = " ".join(match[0].split()).rstrip("( ")
            message = f"`{call}` outside the edges: {ban.instead}"
            yield Finding(source.path, source.line_at(match.start()), ban.rule, message)


def check_headers(source: Source):
    if source.is_header:
        for match in USING_NAMESPACE.finditer(source.code):
            line = source.line_at(match.end())
            yield Finding(source.path, line, "using-namespace", "no `using namespace` in a header")


def check_locks(tree: Tree, source: Source):
    module = tree.module_of(source.path.removeprefix("src/"))
    if module is None or tiers.tier_of(module) not in (2, 3):
        return
    for match in LOCKS.finditer(source.code):
        line = source.line_at(match.start())
        yield Finding(source.path, line, "lock", "no locks in tiers 2 and 3: one thread owns it")


def check_statement_expressions(source: Source):
    """`({ a; b; })`, told from a braced argument `f({a, b})` by a semicolon of its own."""
    for match in STATEMENT_EXPRESSION.finditer(source.code):
        close = cpp.closing_brace(source.code, match.end() - 1)
        inside = source.code[match.end() : close]
        if ";" in (cpp.without_nested(inside) or ""):
            line = source.line_at(match.start())
            yield Finding(source.path, line, "statement-expression", "no GNU statement expressions")
