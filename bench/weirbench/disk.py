# SPDX-License-Identifier: Apache-2.0
"""How long fdatasync took on the disk under test, at any time of the run."""

from pathlib import Path

from weirbench.processes import Processes


class SyncProbe:
    """A small write and fdatasync ten times a second in the background, for as long as the bench runs."""

    def __init__(self, processes: Processes, program: Path, folder: Path):
        self.path = folder / "fdatasync.log"
        with self.path.open("w", encoding="ascii") as output:
            command = [program, "--folder", folder, "--every-ms", "100", "--seconds", "86400"]
            self.process = processes.start(command, stdout=output)

    def percentiles(self, windows: list[tuple[float, float]]) -> tuple[float, float]:
        """p50 and p99 in milliseconds of the syncs that ended within one of the windows (wall seconds)."""
        took = []
        for line in self.path.read_text(encoding="ascii").splitlines():
            parts = line.split()
            if len(parts) == 2 and any(began <= float(parts[0]) <= ended for began, ended in windows):
                took.append(int(parts[1]) / 1000)
        took.sort()
        if not took:
            return float("nan"), float("nan")
        return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.99))]
