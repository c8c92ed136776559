"""The two processes of the crash test, and how to talk to them."""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
EXAMPLE = REPO / "examples/github-webhooks"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_until(check, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if check():
            return
        time.sleep(0.01)
    raise TimeoutError(f"{what} took more than {seconds} s")


def request(port, method, path, body=None, content_type="application/json", timeout=5):
    """(status, parsed JSON or text); OSError or HTTPException if nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        headers = {"Content-Type": content_type} if body is not None else {}
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text


class Tracker:
    """The example's service: the outside counter. It is never killed."""

    def __init__(self, folder):
        self.db = folder / "tracker.db"
        self.port = free_port()
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE / "service.py", "--port", str(self.port), "--db", self.db, "--version", "1"],
            stdout=subprocess.DEVNULL)
        wait_until(lambda: answers(self.port, "/healthz"), 10, "the service")

    def set_version(self, version):
        request(self.port, "POST", "/admin/version", str(version), "text/plain")

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Weir:
    """The built binary; killed and started again on the same data."""

    def __init__(self, binary, folder, tracker_port):
        self.binary = binary
        self.folder = folder
        self.port = free_port()
        config = (EXAMPLE / "weir.yaml").read_text()
        config = config.replace("127.0.0.1:8600", f"127.0.0.1:{self.port}").replace("127.0.0.1:9900", f"127.0.0.1:{tracker_port}")
        # Failures of the killed process's last calls must not end in quarantine by themselves.
        config = config.replace("minimumNumberOfCalls: 20", "minimumNumberOfCalls: 1000000")
        self.config = folder / "weir.yaml"
        self.config.write_text(config)
        self.log = (folder / "weir.log").open("ab")
        self.process = None
        self.starts = 0

    def start(self):
        self.starts += 1
        self.process = subprocess.Popen([self.binary, "serve", "--config", self.config, "--data", self.folder / "store"],
                                        stdout=self.log, stderr=self.log)
        wait_until(lambda: self.process.poll() is not None or answers(self.port, "/readyz"), 20, "weir")
        if self.process.poll() is not None:
            raise RuntimeError(f"weir left with {self.process.returncode}, see {self.log.name}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(40)
        return self.process.returncode

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


def answers(port, path):
    try:
        return request(port, "GET", path, timeout=1)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def environment_binary():
    return os.environ.get("WEIR_BINARY", str(REPO / "build/dev/bin/weir"))
