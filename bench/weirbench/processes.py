# SPDX-License-Identifier: Apache-2.0
"""Child processes that are all gone when the bench ends, and what the kernel tells about one."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
MIB = 1024 * 1024


class Processes:
    """Every child has a session of its own, so that Ctrl-C reaches the bench alone, which stops them."""

    def __init__(self):
        self.running: list[subprocess.Popen] = []

    def start(self, command: list, **options) -> subprocess.Popen:
        process = subprocess.Popen([str(part) for part in command], start_new_session=True, **options)
        self.running.append(process)
        return process

    def run(self, command: list, seconds: float, **options) -> str:
        """The output of a program that must end well within `seconds`."""
        process = self.start(command, stdout=subprocess.PIPE, text=True, **options)
        try:
            output, _ = process.communicate(timeout=seconds)
        finally:
            self.stop(process, signal.SIGKILL)
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit code {process.returncode}")
        return output

    def run_json(self, command: list, seconds: float, **options) -> dict:
        return json.loads(self.run(command, seconds, **options))

    def stop(self, process: subprocess.Popen, how=signal.SIGTERM, patience: float = 40) -> None:
        if process.poll() is None:
            process.send_signal(how)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.running:
            self.running.remove(process)

    def kill_all(self, but: subprocess.Popen | None = None) -> None:
        for process in list(self.running):
            if process is not but:
                self.stop(process, signal.SIGKILL)


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mib(pid: int, field: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def wait_until(what: str, ready, seconds: float, every: float = 0.1) -> None:
    """Asks `ready` until it holds; it is an error when that takes longer than `seconds`."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)
