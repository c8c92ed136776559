# SPDX-License-Identifier: Apache-2.0
"""The two processes of the crash test, and what it asks them."""
import json
import subprocess
import sys
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from processes import EXAMPLE, Served, answers, free_port, request, wait_for  # noqa: E402


class Tracker:
    """The example's service: the outside counter. It is never killed."""

    def __init__(self, folder):
        self.db = folder / "tracker.db"
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE / "service.py", "--port", str(self.port), "--db", self.db, "--version", "1"],
            stdout=subprocess.DEVNULL)
        wait_for(lambda: answers(self.port, "/healthz"), 10, "the service")

    def set_version(self, version):
        request(self.port, "POST", "/admin/version", str(version), "text/plain")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Weir(Served):
    """The built binary with the example's configuration."""

    def __init__(self, binary, folder, tracker_port):
        port = free_port()
        config = (EXAMPLE / "weir.yaml").read_text()
        config = config.replace("127.0.0.1:8600", f"127.0.0.1:{port}").replace("127.0.0.1:9900", f"127.0.0.1:{tracker_port}")
        # Failures of the killed process's last calls must not end in quarantine by themselves.
        config = config.replace("minimumNumberOfCalls: 20", "minimumNumberOfCalls: 1000000")
        (folder / "weir.yaml").write_text(config)
        super().__init__(binary, folder / "weir.yaml", folder / "store", port, folder / "weir.log")
        self.starts = 0

    def start(self, seconds=20):
        self.starts += 1
        super().start(seconds)

    def get(self, path):
        status, answer = request(self.port, "GET", path)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {answer}")
        return answer

    def post(self, path, body):
        return request(self.port, "POST", path, json.dumps(body))

    def explain(self, reference, flow):
        return self.get(f"/v1/events/{urllib.parse.quote(reference, safe='')}/explain?flow={flow}")

    def pages(self, path, member):
        cursor, found = "", []
        while True:
            joint = "&" if "?" in path else "?"
            page = self.get(f"{path}{joint}limit=1000" + (f"&cursor={cursor}" if cursor else ""))
            found += page[member]
            cursor = page.get("cursor")
            if not cursor:
                return found

