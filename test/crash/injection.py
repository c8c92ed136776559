# SPDX-License-Identifier: Apache-2.0
"""Faults in the system calls of a process, by strace, which counts them per call and thread."""
import os
import re
import select
import shutil
import subprocess
import time
from collections import Counter

PATIENCE = 10
CALL = re.compile(r"^(\d+) +(\w+)\((.*)$", re.MULTILINE)


def require_strace():
    if not shutil.which("strace"):
        raise SystemExit("strace is missing: ./dev setup")


# --- what strace is to do ---


def fault(call, what, when, paths=()):
    """strace's inject=: `what` as error=EIO or signal=KILL, `when` as 3 (the third), 3+ (from the third on) or 1+2."""
    only = [argument for path in paths for argument in ("-P", str(path))]
    return ["-o", os.devnull, *only, f"-etrace={call}", f"-einject={call}:{what}:when={when}"]


def record(calls, file):
    return ["-o", str(file), f"-etrace={','.join(calls)}"]


def recorded(file, paths):
    """How often each call was made, by the thread that made it most often; openat for these paths."""
    of_threads = Counter((thread, call) for thread, call, rest in CALL.findall(file.read_text())
                         if call != "openat" or any(f'"{path}"' in rest for path in paths))
    most = Counter()
    for (_thread, call), times in of_threads.items():
        most[call] = max(most[call], times)
    return most


# --- strace itself ---


def launched(arguments):
    """A command before another one: strace beside it, as a process of its own, with a filter in the kernel so that no
    other call is slow."""
    return ["strace", "-D", "-f", "--seccomp-bpf", "-qqq", *arguments]


class Attached:
    """strace on all threads of a running process, until the process ends or this is detached."""

    def __init__(self, pid, arguments):
        self.process = subprocess.Popen(["strace", "-f", *arguments, "-p", str(pid)], stderr=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        said = b""
        while b"attached" not in said:
            ready, _, _ = select.select([self.process.stderr], [], [], 0.1)
            part = os.read(self.process.stderr.fileno(), 4096) if ready else b""
            if (ready and not part) or time.monotonic() > deadline:
                raise RuntimeError(f"strace cannot attach: {said.decode()}")
            said += part

    def detach(self):
        """The process goes on without faults."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE)
        self.process.stderr.close()
