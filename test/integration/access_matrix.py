# SPDX-License-Identifier: Apache-2.0
"""Which role may use which route: as the OpenAPI document says, as docs/guide/access.md shows it."""
from pathlib import Path

GUIDE = Path(__file__).resolve().parents[2] / "docs/guide/access.md"
ROLES = ("viewer", "operator", "approver", "admin", "producer", "worker")
HEAD = f"| route | {' | '.join(ROLES)} | limited token |"


def operations(document):
    """(method, path, roles or None for an open route, what a limited token reaches)."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation.get("x-roles"), operation.get("x-limited-token", "-")


def table(document):
    """The lines of the matrix."""
    lines = [HEAD, "|" + "---|" * (len(ROLES) + 2)]
    for method, path, roles, limited in operations(document):
        cells = ["open" if roles is None else "yes" if role in roles else "-" for role in ROLES]
        lines.append(f"| `{method} {path}` | {' | '.join(cells)} | {limited} |")
    return lines


def shown():
    """The lines of the matrix in the guide."""
    lines = GUIDE.read_text().splitlines()
    first = lines.index(HEAD)
    return lines[first:lines.index("", first)]


if __name__ == "__main__":
    import json
    print("\n".join(table(json.loads((GUIDE.parents[2] / "src/api/openapi.json").read_text()))))
