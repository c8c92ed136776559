# SPDX-License-Identifier: Apache-2.0
"""Who may include whom: the weir_module() table, and the tiers it must respect."""

from tidy_rules.tree import Finding, Module, Source, Tree

# The tier of each folder; a name ending in `/` stands for every folder below it.
TIERS = {
    "base": 0,
    "model": 1,
    "async": 1,
    "wire": 1,
    "policy": 2,
    "config": 2,
    "ports": 2,
    "delivery": 3,
    "effects": 3,
    "recovery": 3,
    "workflow": 3,
    "store/": 4,
    "net": 4,
    "telemetry": 4,
    "sources/": 5,
    "handlers/": 5,
    "api": 5,
    "sim": 5,
    "app": 6,
}
# Pairs that never meet, in either direction. Siblings below these prefixes never meet either.
APART = (("delivery", "recovery"),)
NEVER_REACHED = {"sim": ("net",)}
LONELY_SIBLINGS = ("sources/", "handlers/")


def check(tree: Tree):
    yield from check_table(tree)
    for source in tree.src():
        yield from check_includes(tree, source)


def tier_of(name: str) -> int | None:
    if name in TIERS:
        return TIERS[name]
    return TIERS.get(name.partition("/")[0] + "/") if "/" in name else None


def check_table(tree: Tree):
    for module in tree.modules.values():
        for message in module_problems(tree, module):
            yield Finding("CMakeLists.txt", module.line, "tier", f"{module.name}: {message}")


def module_problems(tree: Tree, module: Module):
    tier = tier_of(module.name)
    if tier is None:
        yield "has no tier in tools/tidy_rules/tiers.py"
        return
    for dep in module.deps + module.test_deps:
        if dep not in tree.modules:
            yield f"depends on {dep}, which is no module"
    for dep in module.deps:
        dep_tier = tier_of(dep)
        if dep_tier is not None and dep_tier > tier:
            yield f"tier {tier} must not depend on {dep}, tier {dep_tier}"
    reached = tree.reach(module.deps)
    if module.name in reached:
        yield "depends on itself, through " + " or ".join(sorted(module.deps))
    for other in sorted(tree.reach(module.deps + module.test_deps) - {module.name}):
        if never_meet(module.name, other):
            yield f"must never meet {other}"


def never_meet(name: str, other: str) -> bool:
    if tuple(sorted((name, other))) in APART or other in NEVER_REACHED.get(name, ()):
        return True
    return any(name.startswith(p) and other.startswith(p) for p in LONELY_SIBLINGS)


def check_includes(tree: Tree, source: Source):
    own = tree.module_of(source.path.removeprefix("src/"))
    if own is None:
        yield Finding(source.path, 1, "tier", "its folder is no weir_module() in CMakeLists.txt")
        return
    module = tree.modules[own]
    allowed = tree.reach(module.deps + (module.test_deps if source.is_test else ())) | {own}
    for include in source.includes:
        if not include.quoted:
            continue
        theirs = tree.module_of(include.path)
        if theirs is None:
            message = f'"{include.path}" is not the path of a module\'s file, relative to src/'
            yield Finding(source.path, include.line, "tier", message)
        elif theirs not in allowed:
            message = f"{own} must not include {theirs} ({include.path})"
            yield Finding(source.path, include.line, "tier", message)
