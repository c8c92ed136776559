# SPDX-License-Identifier: Apache-2.0
"""What every measurement needs: programs, folders, a receiver, Weir, load, and the limits of this machine."""

import http.client
import json
import re
import shutil
import socket
import time
from contextlib import contextmanager
from pathlib import Path

from weirbench.disk import SyncProbe
from weirbench.processes import Processes
from weirbench.server import PORT, Weir

RECEIVER_PORT = 18681  # as in weir.yaml
LIMIT_EVENTS = 200_000


class Receiver:
    def __init__(self, processes: Processes, program: Path):
        self.processes = processes
        self.process = processes.start([program, "--port", RECEIVER_PORT])
        end = time.monotonic() + 5
        while True:
            try:
                self.counts()
                return
            except ConnectionError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.01)

    def counts(self, path: str = "/counts") -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", RECEIVER_PORT, timeout=10)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def delay(self, millis: int) -> None:
        self.counts(f"/control?delay-ms={millis}")

    def stop(self) -> None:
        self.processes.stop(self.process)


def ports_in_use() -> list[int]:
    found = []
    for port in (PORT, RECEIVER_PORT):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                found.append(port)
    return found


class Rig:
    """`scale` shrinks the number of events; `runs` is how often each figure is measured."""

    def __init__(self, bin_folder: Path, weir: Path, folder: Path, scale: float, runs: int, long: bool):
        self.bin = bin_folder
        self.weir_program = weir
        self.folder = folder
        self.scale = scale
        self.runs = runs
        self.long = long
        self.processes = Processes()
        self.config = Path(__file__).resolve().parent.parent / "weir.yaml"
        self.next_id = 1
        self.next_folder = 1
        self.probe = SyncProbe(self.processes, self.bin / "bench_fdatasync", folder)

    def events(self, count: int) -> int:
        """`count` scaled, in whole batches."""
        return max(1000, int(count * self.scale) // 1000 * 1000)

    def new_folder(self) -> Path:
        folder = self.folder / f"data-{self.next_folder}"
        self.next_folder += 1
        folder.mkdir()
        return folder

    @contextmanager
    def weir(self, data: Path | None = None, preload: Path | None = None, config: Path | None = None):
        """Weir on `data`, or on a new folder that is removed at the end."""
        folder = data or self.new_folder()
        server = Weir(self.processes, self.weir_program, config or self.config, folder, preload)
        try:
            yield server
        finally:
            server.kill()
            if data is None:
                shutil.rmtree(folder)

    @contextmanager
    def receiver(self):
        one = Receiver(self.processes, self.bin / "bench_receiver")
        try:
            yield one
        finally:
            one.stop()

    def publish_command(self, stream: str, events: int, **options) -> list:
        self.next_id += events
        command = [self.bin / "bench_publish", "--port", PORT, "--path", f"/v1/streams/{stream}/events"]
        command += ["--events", events, "--first-id", self.next_id - events]
        for name, value in options.items():
            command += [f"--{name}", value]
        return command

    def publish(self, stream: str, events: int, **options) -> dict:
        done = self.processes.run_json(self.publish_command(stream, events, **options), 900)
        if "seconds" not in options and done["events"] != events:
            raise RuntimeError(f"published {done['events']} of {events}")
        return done

    def preload(self, stream: str, events: int) -> dict:
        return self.publish(stream, events, batch=100, connections=8)

    # Limits, each measured anew next to what is compared with it.

    def raw_inserts(self, group: int) -> float:
        """Events a second that SQLite takes in transactions of `group`, under Weir's pragmas."""
        folder = self.new_folder()
        events = max(self.events(LIMIT_EVENTS), 20 * group)
        command = [self.bin / "bench_sqlite_inserts", "--folder", folder, "--events", events, "--group", group]
        rate = self.processes.run_json(command, 300)["rate"]
        shutil.rmtree(folder)
        return rate

    def floor(self) -> float:
        """Events a second of the floor program against the running receiver."""
        folder = self.new_folder()
        command = [self.bin / "bench_floor", "--folder", folder, "--port", RECEIVER_PORT]
        rate = self.processes.run_json([*command, "--events", self.events(LIMIT_EVENTS)], 300)["rate"]
        shutil.rmtree(folder)
        return rate

    def wrk(self) -> float:
        """Requests a second that the running receiver answers to `wrk -t1 -c64` with bodies of an event's size."""
        script = self.folder / "post.lua"
        script.write_text('wrk.method = "POST"\nwrk.body = string.rep("x", 512)\n')
        command = ["wrk", "-t1", "-c64", "-d3s", "-s", script, f"http://127.0.0.1:{RECEIVER_PORT}/wrk"]
        found = re.search(r"Requests/sec:\s*([\d.]+)", self.processes.run(command, 30))
        if not found:
            raise RuntimeError("wrk printed no rate")
        return float(found[1])
