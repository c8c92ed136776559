# SPDX-License-Identifier: Apache-2.0
"""The repository as the rules see it: its files, their text, and the module table."""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tidy_rules import cpp

SKIPPED_FOLDERS = {".git", ".cache", "build", "node_modules", "weir-data", "__pycache__"}
CODE_SUFFIXES = {".h", ".cc", ".def", ".py", ".sh", ".js", ".mjs", ".cmake", ".sql"}
CODE_FOLDERS = ("src/", "tools/", "test/", "bench/", "examples/", "cmake/")


class Finding(NamedTuple):
    path: str
    line: int
    rule: str
    message: str


class Source:
    """One text file. `code` has comments and literals blanked out, at unchanged offsets."""

    def __init__(self, root: Path, path: str):
        self.path = path
        self.folder, _, self.name = path.rpartition("/")
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")

    @cached_property
    def code(self) -> str:
        return cpp.blank(self.text)

    @cached_property
    def includes(self) -> list[cpp.Include]:
        return cpp.includes(self.text, self.code)

    @property
    def is_header(self) -> bool:
        return self.name.endswith(".h")

    @property
    def is_cpp(self) -> bool:
        return self.name.endswith((".h", ".cc"))

    @property
    def is_test(self) -> bool:
        return self.name.endswith("_test.cc")

    @property
    def is_testing(self) -> bool:
        """Fakes and contract suites that a module offers to the tests of others."""
        return "/testing" in self.folder

    def line_at(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1


class Module(NamedTuple):
    name: str
    line: int
    deps: tuple[str, ...]
    test_deps: tuple[str, ...]


class Tree:
    def __init__(self, root: Path):
        self.root = root
        self.paths = list(walk(root))
        self.sources = [Source(root, path) for path in self.paths if is_code(path)]
        self.modules = read_modules(root / "CMakeLists.txt")

    def src(self) -> list[Source]:
        """The C++ files of src/."""
        return [source for source in self.sources if source.is_cpp and source.path.startswith("src/")]

    def module_of(self, path_under_src: str) -> str | None:
        """The module a file belongs to: `store/sqlite` for `store/sqlite/commit.cc`."""
        folder = path_under_src.rpartition("/")[0]
        while folder and folder not in self.modules:
            folder = folder.rpartition("/")[0]
        return folder or None

    def reach(self, names: tuple[str, ...]) -> set[str]:
        """These modules and everything they may include in turn."""
        reached, left = set(), list(names)
        while left:
            name = left.pop()
            if name not in reached:
                reached.add(name)
                left.extend(self.modules[name].deps if name in self.modules else ())
        return reached


def walk(root: Path):
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        for name in sorted(files):
            yield (Path(folder) / name).relative_to(root).as_posix()


def is_code(path: str) -> bool:
    if path in ("dev", ".ci/run"):
        return True
    return path.startswith(CODE_FOLDERS) and Path(path).suffix in CODE_SUFFIXES


def read_modules(cmake_lists: Path) -> dict[str, Module]:
    """The weir_module(<name> DEPS ... TEST_DEPS ...) calls: the one source of the module table."""
    if not cmake_lists.exists():
        return {}
    text = re.sub(r"#[^\n]*", "", cmake_lists.read_text(encoding="utf-8"))
    modules = {}
    for call in re.finditer(r"^[ \t]*weir_module\(([^)]*)\)", text, re.MULTILINE):
        lists: dict[str, list[str]] = {"": []}
        current = ""
        for word in call[1].split():
            if re.fullmatch(r"[A-Z_]+", word):
                current = word
                lists.setdefault(current, [])
            else:
                lists[current].append(word)
        name = lists[""][0]
        line = text.count("\n", 0, call.start()) + 1
        modules[name] = Module(
            name, line, tuple(lists.get("DEPS", ())), tuple(lists.get("TEST_DEPS", ()))
        )
    return modules
