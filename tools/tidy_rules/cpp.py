# SPDX-License-Identifier: Apache-2.0
"""Just enough C++ to find includes and function bodies without a compiler."""

import re
from typing import Iterator, NamedTuple

TOKEN = re.compile(
    r"""
    (?P<raw>R"(?P<mark>[^()\\\s]{0,16})\((?:.*?)\)(?P=mark)")
  | (?P<string>"(?:\\.|[^"\\\n])*")
  | (?P<line>//(?:\\\n|[^\n])*)
  | (?P<block>/\*.*?\*/)
  | (?P<number>\b[0-9](?:'?[0-9a-zA-Z_.])*)
  | (?P<char>'(?:\\.|[^'\\\n])+')
    """,
    re.DOTALL | re.VERBOSE,
)
NOT_NEWLINE = re.compile(r"[^\n]")
INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b", re.MULTILINE)
INCLUDED = re.compile(r'#[ \t]*include[ \t]*(?P<open>[<"])(?P<path>[^>"]+)[>"]')
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)

BRACE = re.compile(r"[{}]")
BRACE_OR_END = re.compile(r"[{};]")
OPERATOR = re.compile(r"\boperator\s*(?:\(\s*\)|[^\s\w(]+)")
ATTRIBUTE = re.compile(r"\b(?:alignas|decltype)\s*\(\)|\[\]")
SCOPE = re.compile(
    r"\b(?:namespace|class|struct|union|enum)\b[^()]*$|\bextern\s*\"[^\"]*\"\s*$"
)
ASSIGNMENT = re.compile(r"(?<![=!<>])=(?!=)")
MEMBER_INITIALISERS = re.compile(r"\)[^():?]*:(?!:)")


class Include(NamedTuple):
    line: int
    path: str
    quoted: bool


class Function(NamedTuple):
    line: int
    lines: int
    name: str


def blank(text: str) -> str:
    """Comments, strings and characters become spaces; quotes stay, so that a literal stays a word."""

    def replace(match: re.Match) -> str:
        token = match[0]
        if match["number"]:
            return token
        spaces = NOT_NEWLINE.sub(" ", token)
        if match["string"] or match["char"]:
            return token[0] + spaces[1:-1] + token[-1]
        return spaces

    return TOKEN.sub(replace, text)


def includes(text: str, code: str) -> list[Include]:
    found = []
    for match in INCLUDE.finditer(code):
        included = INCLUDED.match(text, match.end() - len(match[0].lstrip()))
        if included:
            line = text.count("\n", 0, included.start()) + 1
            found.append(Include(line, included["path"], included["open"] == '"'))
    return found


def functions(code: str) -> Iterator[Function]:
    """The function bodies of blanked code, outermost braces only; lambdas outside functions are not.

    `head` is what stands before a brace since the last statement ended.
    """
    code = DIRECTIVE.sub(lambda match: NOT_NEWLINE.sub(" ", match[0]), code)
    head_start = position = 0
    while match := BRACE_OR_END.search(code, position):
        position = match.end()
        kind = "end"
        if match[0] == "{":
            kind = brace_kind(code[head_start : match.start()])
        if kind in ("body", "initialiser"):
            position = closing_brace(code, match.start()) + 1
        if kind == "body":
            line = code.count("\n", 0, match.start()) + 1
            lines = code.count("\n", match.start(), position) + 1
            yield Function(line, lines, name_of(code[head_start : match.start()]))
        if kind != "initialiser":
            head_start = position


def brace_kind(head: str) -> str:
    """What the brace after `head` opens: a `scope` (class, namespace), a `body`, an `initialiser`."""
    head = OPERATOR.sub("operator", head).replace("->", "  ")
    head = without_nested(head)
    if head is None:
        return "initialiser"
    if SCOPE.search(head):
        return "scope"
    if "(" not in head or ASSIGNMENT.search(head):
        return "initialiser"
    if MEMBER_INITIALISERS.search(head) and head.rstrip()[-1] not in ")}":
        return "initialiser"  # of one member; the body follows `)` or `}`
    return "body"


def without_nested(head: str) -> str | None:
    """`head` without what stands inside (), {}, [] and <>; None if a bracket is still open."""
    kept, depth = [], 0
    for piece in re.findall(r"[(){}\[\]]|[^(){}\[\]]+", head):
        depth -= piece in ")}]"
        if depth < 0:
            return None
        if depth == 0:
            kept.append(piece)
        elif depth == 1 and piece in "({[":
            kept.append(piece)
        depth += piece in "({["
    if depth:
        return None
    flat, count = ATTRIBUTE.sub("", "".join(kept)), 1
    while count:
        flat, count = re.subn(r"<[^<>]*>", "", flat)
    return flat


def closing_brace(code: str, open_brace: int) -> int:
    """The offset of the brace that closes the one at `open_brace`, or the end of the code."""
    depth = 0
    for match in BRACE.finditer(code, open_brace):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return len(code) - 1


def name_of(head: str) -> str:
    match = re.search(r"(operator[^\w\s]+|[\w:~]+)\s*\(", head)
    return match[1] if match else "function"
