# SPDX-License-Identifier: Apache-2.0
"""One Weir process under test, spoken to over its HTTP API."""

import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path

from weirbench.processes import Processes, cpu_seconds, resident_mib, wait_until

PORT = 18680  # as in weir.yaml


class Weir:
    """`ready_after` is the time from exec to the first 200 of /readyz, in seconds."""

    def __init__(self, processes: Processes, program: Path, config: Path, data: Path, preload: Path | None = None):
        self.processes = processes
        environment = dict(os.environ)
        if preload:
            environment["LD_PRELOAD"] = str(preload)
        command = [program, "serve", "--config", config, "--data", data]
        self.log = data.with_suffix(".log")
        with self.log.open("a", encoding="utf-8") as log:
            began = time.monotonic()
            self.process = processes.start(command, env=environment, stdout=log, stderr=log)
        wait_until("Weir is ready", self.is_ready, 60, every=0.001)
        self.ready_after = time.monotonic() - began

    def is_ready(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"Weir ended with {self.process.returncode}:\n{self.log.read_text()[-2000:]}")
        try:
            with socket.create_connection(("127.0.0.1", PORT), timeout=5) as connection:
                connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except ConnectionError:
            return False

    def call(self, method: str, path: str, body: dict | None = None, seconds: float = 60) -> dict:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=seconds)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"} if text else {})
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return json.loads(content)

    def metrics(self) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def flow(self, name: str) -> dict:
        return self.call("GET", f"/v1/flows/{name}")

    def pause(self, flow: str) -> None:
        self.call("POST", f"/v1/flows/{flow}/pause", {"reason": "bench"})

    def resume(self, flow: str) -> None:
        self.call("POST", f"/v1/flows/{flow}/resume", {"reason": "bench"})

    def replay(self, name: str) -> dict:
        return self.call("GET", f"/v1/replays/{name}")

    def plan(self, **members) -> dict:
        """A replay of all that the flow `quarantine` has in quarantine, frozen; `members` are more of its plan."""
        plan = {"selection": {"flow": "quarantine"}, "reason": "bench"} | members
        return self.call("POST", "/v1/replays", plan)

    def run(self, name: str) -> None:
        self.call("POST", f"/v1/replays/{name}/run", {})

    def abort(self, name: str) -> None:
        self.call("POST", f"/v1/replays/{name}/abort", {"reason": "bench"})

    def wait_for(self, flow: str, field: str, wanted: int, seconds: float) -> None:
        """Until the flow's `backlog`, `waiting` or `quarantined` is `wanted`."""
        wait_until(f"{flow}.{field} is {wanted}", lambda: self.flow(flow)[field] == wanted, seconds, every=0.2)

    def store(self) -> dict:
        return self.call("GET", "/v1/status")["store"]

    def cpu(self) -> float:
        return cpu_seconds(self.process.pid)

    def resident(self) -> float:
        return resident_mib(self.process.pid)

    def forget_peak(self) -> None:
        """From here on `peak` is the largest resident size since."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak(self) -> float:
        return resident_mib(self.process.pid, "VmHWM")

    def stop(self) -> None:
        self.processes.stop(self.process, signal.SIGTERM)

    def kill(self) -> None:
        self.processes.stop(self.process, signal.SIGKILL)
