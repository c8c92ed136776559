# SPDX-License-Identifier: Apache-2.0
"""How long a file, a function and a line may be."""

import ast

from tidy_rules import cpp
from tidy_rules.tree import Finding, Source, Tree

FILE_LINES = 500
FUNCTION_LINES = 70
CPP_COLUMNS = 120  # the formatter aims at 100


def check(tree: Tree):
    for source in tree.sources:
        lines = source.text.split("\n")
        count = len(lines) - (lines[-1] == "")
        if count > FILE_LINES:
            message = f"{count} lines, at most {FILE_LINES}"
            yield Finding(source.path, FILE_LINES + 1, "file-size", message)
        yield from check_functions(source)
        if source.is_cpp:
            yield from check_columns(source, lines)


def check_columns(source: Source, lines: list[str]):
    for number, line in enumerate(lines, 1):
        if len(line) > CPP_COLUMNS:
            message = f"{len(line)} columns, at most {CPP_COLUMNS}"
            yield Finding(source.path, number, "line-length", message)


def check_functions(source: Source):
    for function in functions_of(source):
        if function.lines > FUNCTION_LINES:
            message = f"{function.name} has {function.lines} lines, at most {FUNCTION_LINES}"
            yield Finding(source.path, function.line, "function-size", message)


def functions_of(source: Source):
    if source.is_cpp:
        yield from cpp.functions(source.code)
    elif source.name.endswith(".py"):
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
        for node in ast.walk(ast.parse(source.text, source.path)):
            if isinstance(node, kinds):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                yield cpp.Function(node.lineno, lines, node.name)
