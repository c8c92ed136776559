# SPDX-License-Identifier: Apache-2.0
"""The built binary as a process, and how to talk to it: shared by every test that runs the real thing."""
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
EXAMPLE = REPO / "examples/github-webhooks"


def environment_binary():
    return os.environ.get("WEIR_BINARY", str(REPO / "build/dev/bin/weir"))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(check, seconds, what):
    """What `check` answered, as soon as that is true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := check():
            return found
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


def answers(port, path):
    try:
        return request(port, "GET", path, timeout=1)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


class Served:
    """`weir serve` on one port; killed and started again on the same data as often as a test likes."""

    def __init__(self, binary, config, data, port, output, command=None, **popen):
        self.command = command or [binary, "serve", "--config", config, "--data", data]
        self.port = port
        self.output = output
        self.popen = popen
        self.process = None

    def launch(self):
        """Starts it without waiting for anything."""
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(self.command, **({"stdout": log, "stderr": log} | self.popen))

    def start(self, seconds=20):
        """Starts it and waits until it is ready."""
        self.launch()
        wait_for(lambda: self.process.poll() is not None or answers(self.port, "/readyz"), seconds, "weir")
        if self.process.poll() is not None:
            raise RuntimeError(f"weir left with {self.process.returncode}: {self.output.read_text()}")

    def running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def kill_if_running(self):
        if self.running():
            self.kill()

    def stop(self):
        """Asks it to end, as an operator would; its exit code."""
        if self.running():
            self.process.terminate()
        return self.process.wait(40) if self.process else None
