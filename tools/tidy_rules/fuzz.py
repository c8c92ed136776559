# SPDX-License-Identifier: Apache-2.0
"""Whatever reads bytes has a fuzz target, and every target has a corpus to start from."""

import re

from tidy_rules.tree import Finding, Tree

TARGETS = "test/fuzz/"
CORPUS = "test/fuzz/corpus/"
# A declaration of a reader: its bytes come first.
READER = re.compile(r"\b(?:parse|decode|unpack|decrypt)_\w+\(std::string_view")


def check(tree: Tree):
    fuzzers = [source for source in tree.sources if source.path.startswith(TARGETS) and source.is_cpp]
    if not fuzzers:
        return
    yield from check_readers(tree, {include.path for source in fuzzers for include in source.includes})
    targets = {source.name.removeprefix("fuzz_").removesuffix(".cc"): source.path
               for source in fuzzers if source.name.startswith("fuzz_") and not source.is_header}
    corpora = {path.removeprefix(CORPUS).partition("/")[0] for path in tree.paths if path.startswith(CORPUS)}
    for name in sorted(targets.keys() - corpora):
        yield Finding(targets[name], 1, "fuzz", f"has no corpus in {CORPUS}{name}/")
    for name in sorted(corpora - targets.keys()):
        yield Finding(CORPUS + name, 1, "fuzz", f"there is no {TARGETS}fuzz_{name}.cc")


def check_readers(tree: Tree, included: set[str]):
    for source in tree.src():
        if not source.is_header or source.is_testing or source.path.removeprefix("src/") in included:
            continue
        reader = READER.search(source.code)
        if reader:
            yield Finding(source.path, source.line_at(reader.start()), "fuzz",
                          f"no target of {TARGETS} includes this reader")
