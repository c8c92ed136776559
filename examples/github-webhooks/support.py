"""What the tests share: small payloads, a running service, and an ingest to publish to."""
import hashlib
import http.client
import json
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import github_events

HERE = Path(__file__).resolve().parent
REPOSITORY = {"full_name": "octo/hello"}
SENDER = {"login": "ada"}
TIME = "2024-05-15T15:20:18Z"


def issue(action, number=7, **fields):
    item = {"number": number, "title": "Spelling", "state": "open", "labels": [{"name": "bug"}], "updated_at": TIME}
    return {"action": action, "issue": item | fields, "repository": REPOSITORY, "sender": SENDER}


def pull_request(action, number=8, **fields):
    item = {"number": number, "title": "Fix", "state": "open", "labels": [], "updated_at": TIME, "milestone": None,
            "requested_reviewers": [{"login": "bob"}], "draft": False, "merged": False, "auto_merge": None}
    return {"action": action, "number": number, "pull_request": item | fields, "repository": REPOSITORY,
            "sender": SENDER}


def review(action, number=8):
    payload = pull_request(action, number)
    del payload["pull_request"]["auto_merge"], payload["pull_request"]["merged"]
    return payload | {"review": {"submitted_at": TIME}}


FAMILIES = {
    "installation": [{"action": "created", "installation": {"account": {"login": "acme"}}, "sender": SENDER}],
    "issues": [issue("opened"), issue("opened"), issue("closed", state="closed")],
    "pull_request": [pull_request("opened"), review("odd"), pull_request("closed", state="closed", merged=True)],
    "push": [{"repository": REPOSITORY, "sender": SENDER, "head_commit": {"timestamp": "2024-05-15T17:20:41+02:00"}}],
    "security_advisory": [{"action": "published", "security_advisory": {"published_at": TIME}}],
}


def small_package(folder):
    """A package of the same shape as the real one."""
    (folder / "api.github.com").mkdir(parents=True)
    families = [{"name": name, "examples": examples} for name, examples in FAMILIES.items()]
    (folder / "api.github.com" / "index.json").write_text(json.dumps(families))
    return folder


def key_of(flow, event):
    return hashlib.sha256(f"{flow} {event['source']} {event['id']}".encode()).hexdigest()


def headers_of(flow, event, attempt=1, **more):
    attributes = {f"ce-{name}": quote(event[name], safe="/:.#+ -") for name in
                  ("specversion", "id", "source", "type", "subject", "time") if name in event}
    return {**attributes, "Content-Type": "application/json", "Idempotency-Key": key_of(flow, event),
            "Weir-Flow": flow, "Weir-Attempt": str(attempt), **more}


class RunningService:
    """The service as its own process, on a free port and a new file."""

    def __init__(self, *arguments):
        self.folder = tempfile.TemporaryDirectory()
        self.db = str(Path(self.folder.name) / "tracker.db")
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "service.py"), "--port", "0", "--db", self.db, *arguments],
            stdout=subprocess.PIPE, text=True)
        self.greeting = self.process.stdout.readline()
        self.port = int(self.greeting.split("127.0.0.1:")[1].split(",")[0])
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def request(self, method, path, body=None, headers=None):
        """(status, headers, parsed body), all over one keep-alive connection."""
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, json.loads(answer.read())

    def deliver(self, flow, event, attempt=1, **headers):
        path = {"sync-issues": "/sync", "activity-feed": "/feed"}[flow]
        return self.request("POST", path, json.dumps(event["data"]), headers_of(flow, event, attempt, **headers))

    def deliver_all(self, events):
        """Every event to its flows, as Weir would at its best: the statuses."""
        return [self.deliver(flow, event)[0] for event in events for flow in github_events.flows_of(event["type"])]

    def stop(self, number=signal.SIGTERM):
        self.connection.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process.stdout.close()
        return code

    def close(self):
        if self.process.poll() is None:
            self.stop()
        self.folder.cleanup()


class FakeIngest:
    """Answers as planned: a list of (status, headers, body), then 201 for ever; keeps every body that it accepted."""

    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []
        ingest = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, answer = ingest.answers.pop(0) if ingest.answers else (201, {}, None)
                ingest.requests.append((self.path, self.headers["Content-Type"], body, status))
                text = json.dumps(answer).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, format, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def events(self):
        return [event for _, _, body, status in self.requests if status < 300 for event in json.loads(body)]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class ExampleTest(unittest.TestCase):
    def start(self, *arguments):
        service = RunningService(*arguments)
        self.addCleanup(service.close)
        return service

    def rows(self, service, query):
        db = sqlite3.connect(service.db)
        self.addCleanup(db.close)
        return db.execute(query).fetchall()

    def package(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return small_package(Path(folder.name) / "package")

    def ingest(self, *answers):
        ingest = FakeIngest(*answers)
        self.addCleanup(ingest.close)
        return ingest
