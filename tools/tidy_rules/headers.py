# SPDX-License-Identifier: Apache-2.0
"""Where third-party headers may appear, and what every file of src/ begins with."""

from tidy_rules.tree import Finding, Source, Tree

SPDX = "// SPDX-License-Identifier: Apache-2.0"

THIRD_PARTY = ("boost/", "yaml-cpp/", "CLI/", "openssl/", "sqlite3.h", "xxhash.h")
EDGES = (
    "src/wire/",
    "src/async/",
    "src/net/",
    "src/store/",
    "src/config/",
    "src/telemetry/",
    "src/api/",
    "src/app/",
    "src/sources/",
    "src/handlers/",
    "src/ports/testing/",
)

# The small Asio core headers that src/async/*.h is made of.
ASIO_CORE = {
    f"boost/asio/{name}.hpp"
    for name in (
        "any_completion_handler",
        "any_io_executor",
        "associated_cancellation_slot",
        "associated_executor",
        "async_result",
        "awaitable",
        "bind_cancellation_slot",
        "bind_executor",
        "cancellation_signal",
        "cancellation_type",
        "deferred",
        "dispatch",
        "post",
        "this_coro",
        "use_awaitable",
    )
}

SOCKETS = ("boost/asio/ip/", "boost/asio/ssl", "boost/asio/local/", "sys/socket.h", "netinet/")
SOCKET_FOLDERS = ("src/net", "src/net/testing", "src/async")
TEST_ONLY = ("doctest/", "rapidcheck.h", "rapidcheck/")


def check(tree: Tree):
    for source in tree.src():
        yield from check_opening(source)
        for include in source.includes:
            reason = refused(source, include.path)
            if not include.quoted and reason:
                message = f"<{include.path}> {reason}"
                yield Finding(source.path, include.line, "third-party", message)


def check_opening(source: Source):
    if source.text.partition("\n")[0] != SPDX:
        yield Finding(source.path, 1, "spdx", f"the first line must be `{SPDX}`")
    if source.is_header and "\n#pragma once\n" not in source.code:
        yield Finding(source.path, 1, "pragma-once", "a header needs `#pragma once`")


def refused(source: Source, header: str) -> str | None:
    """Why this file may not include this third-party header; None if it may."""
    if header.startswith(TEST_ONLY):
        return None if source.is_test or source.is_testing else "belongs in tests only"
    if header.startswith("boost/beast"):
        is_http = source.folder == "src/net" and source.name.startswith("http_")
        return None if is_http and not source.is_header else "belongs in src/net/http_*.cc only"
    if header.startswith(SOCKETS):
        in_place = source.folder in SOCKET_FOLDERS and not source.is_header
        return None if in_place else "belongs in the .cc files of src/net and src/async only"
    if not header.startswith(THIRD_PARTY):
        return None
    if source.folder == "src/async" and header in ASIO_CORE:
        return None
    if not source.path.startswith(EDGES):
        return "belongs in edge folders only"
    return "belongs in .cc files only" if source.is_header else None
