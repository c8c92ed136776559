# SPDX-License-Identifier: Apache-2.0
"""A served Weir in a folder of its own: start and stop it, ask it over HTTP, the command line or raw bytes."""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from processes import Served, answers, environment_binary, free_port, wait_for  # noqa: E402, F401


@dataclass
class Answer:
    """An HTTP answer; `json` is None for a body that is no JSON."""
    status: int
    headers: dict
    text: str

    @property
    def json(self):
        try:
            return json.loads(self.text)
        except ValueError:
            return None


@dataclass
class Done:
    """A command that has ended."""
    code: int
    out: str
    err: str


def run_cli(*arguments, **popen):
    """Runs `weir ARGUMENTS`."""
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C.UTF-8"}
    options = {"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, "env": environment}
    done = subprocess.run([environment_binary(), *map(str, arguments)], check=False, **(options | popen))
    return Done(done.returncode, done.stdout or "", done.stderr or "")


class Server(Served):
    """`config` is the YAML without version and listen address; the data is in folder/store. Access is open unless it
    says something about `access`; then requests and commands bring the first admin token."""

    def __init__(self, folder, config, port=None, **popen):
        port = port or free_port()
        self.folder = Path(folder)
        self.config = self.folder / "weir.yaml"
        self.data = self.folder / "store"
        super().__init__(environment_binary(), self.config, self.data, port, self.folder / "weir.log", **popen)
        self.write_config(config)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def write_config(self, config):
        access = "" if "access:" in config else "\naccess: { open: true }\n"
        listen = "" if "listen:" in config else f"listen: {{ http: 127.0.0.1:{self.port} }}\n"
        self.config.write_text(f"version: 1\n{listen}{config}{access}")

    @property
    def token_file(self):
        """The first admin token, where access is not open."""
        return self.data / "admin.token"

    def credentials(self):
        return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"} if self.token_file.exists() else {}

    def request(self, method, path, body=None, headers=None, timeout=10):
        """One request on a connection of its own; OSError or HTTPException if nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            headers = self.credentials() | (headers or {})
            sent = {name: value for name, value in headers.items() if value is not None}
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            text = answer.read().decode()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, text)
        finally:
            connection.close()

    def watch(self, timeout=10):
        """The open answer of /v1/watch, to be read line by line; the caller closes it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        connection.request("GET", "/v1/watch", headers=self.credentials())
        answer = connection.getresponse()
        answer.connection = connection
        return answer

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def raw(self, data, timeout=10):
        """Sends bytes as they are; everything that comes back until the server closes."""
        with self.connect(timeout) as connection:
            connection.sendall(data)
            return read_to_end(connection)

    def cli(self, *arguments, **popen):
        """Runs `weir ARGUMENTS` against this server."""
        token = ["--token-file", self.token_file] if self.token_file.exists() else []
        return run_cli(*arguments, "--server", self.url, *token, **popen)

    def wait_ready(self, seconds=20):
        wait_for(lambda: answers(self.port, "/readyz"), seconds, "/readyz")

    def log(self):
        """The lines of the structured log."""
        lines = self.output.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def logged(self, event):
        return [line for line in self.log() if line["event"] == event]


def read_to_end(connection):
    """What arrives until the other side closes or resets."""
    got = b""
    try:
        while part := connection.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


def parse_answer(data):
    """The HTTP answer in raw bytes, after an interim one if there is one."""
    head, _, body = data.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Answer(int(first.split(" ")[1]), headers, body.decode())


class ServerCase(unittest.TestCase):
    """A folder per test, and checks that many tests share."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="weir-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def serve(self, config, **options):
        """A server that is ready, and is gone when the test is over."""
        weir = Server(self.folder, config, **options)
        self.addCleanup(weir.kill_if_running)
        weir.start()
        return weir

    def publish(self, weir, event_id, data=b"{}", stream="s", content_type="application/json"):
        """One event in binary mode; its reference."""
        headers = {"ce-specversion": "1.0", "ce-id": event_id, "ce-type": "test", "ce-source": "/test",
                   "Content-Type": content_type}
        answer = weir.request("POST", f"/v1/streams/{stream}/events", data, headers)
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["results"][0]["ref"]

    def assert_problem(self, answer, status, code, *texts):
        """An RFC 9457 problem that says what, where and what next in these words."""
        self.assertEqual(answer.status, status, answer.text)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        problem = answer.json
        self.assertEqual((problem["status"], problem["code"]), (status, code), answer.text)
        self.assertTrue(problem["title"] and problem["detail"], answer.text)
        self.assert_says(f"{problem['detail']}\n{problem.get('hint', '')}", *texts)

    def assert_says(self, said, *texts):
        for text in texts:
            self.assertIn(text, said)

    def assert_kept(self, weir, references, stream="s"):
        """Exactly these events are in the stream, in order."""
        answer = weir.request("GET", f"/v1/events?stream={stream}&from=1&limit=1000")
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual([event["ref"] for event in answer.json["events"]], list(references))
