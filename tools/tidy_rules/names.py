# SPDX-License-Identifier: Apache-2.0
"""Words that say nothing: in type names, and in the names of files and folders."""

import re
from pathlib import PurePosixPath

from tidy_rules.tree import Finding, Source, Tree

NEVER = {"Manager", "Helper", "Helpers", "Util", "Utils"}  # anywhere in a type name
NOT_LAST = {"Impl", "Context", "Base", "Data", "Info"}  # as its last or only word
BANNED_PATHS = {"util", "utils", "common", "misc", "helper", "helpers"}

TYPE = re.compile(
    r"(?:^|[;{}>])(?P<indent>[ \t]*)(?:class|struct|union|concept|enum(?:[ \t]+(?:class|struct))?)"
    r"(?:\s+(?:\[\[[^\]]*\]\]|alignas\([^)]*\)|[A-Z][A-Z_]+(?=\s+\w)))*\s+(?P<name>[\w:]+)(?=\s*[^\w\s>,])",
    re.MULTILINE,
)
ALIAS = re.compile(r"\busing\s+(?P<name>\w+)\s*=")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def check(tree: Tree):
    for source in tree.sources:
        if source.is_cpp:
            yield from check_types(source)
    for path in tree.paths:
        if not path.startswith("docs/") and not path.endswith(".md"):
            yield from check_path(path)


def check_types(source: Source):
    declared = [(m, m["name"], m["indent"]) for m in TYPE.finditer(source.code)]
    declared += [(m, m["name"], "") for m in ALIAS.finditer(source.code)]
    for match, name, indent in declared:
        word = banned_word(name)
        if word and not is_pimpl(name, indent):
            line = source.line_at(match.start("name"))
            message = f"`{name}`: the word {word} says nothing; name what an operator would say"
            yield Finding(source.path, line, "type-name", message)


def banned_word(name: str) -> str | None:
    words = WORD.findall(name.rpartition("::")[2])
    if not words or not name.rpartition("::")[2][0].isupper():
        return None  # not one of our PascalCase names
    return next((w for w in words if w in NEVER), words[-1] if words[-1] in NOT_LAST else None)


def is_pimpl(name: str, indent: str) -> bool:
    """`struct Impl` nested in a class: declared indented there, defined as `Store::Impl`."""
    return (name == "Impl" and indent != "") or name.endswith("::Impl")


def check_path(path: str):
    for part in PurePosixPath(path).parts:
        if part.partition(".")[0] in BANNED_PATHS:
            yield Finding(path, 1, "path-name", f"`{part}` names nothing: say what is in it")
