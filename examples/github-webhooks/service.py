#!/usr/bin/env python3
"""The receiving service: a ticket tracker and an activity feed behind plain HTTP.

It knows of its caller only the headers it reads: ce-*, Idempotency-Key, Weir-Flow, Weir-Attempt, Weir-Replay.
"""
import argparse
import json
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import tickets
from ledger import Call, Ledger

HERE = Path(__file__).resolve().parent
TROUBLES = ("slow", "down", "flaky", "none")
VERSIONS = ("1", "2")
FLOW_OF_PATH = {"/sync": "sync-issues", "/feed": "activity-feed"}
POST_PATHS = (*FLOW_OF_PATH, "/admin/trouble", "/admin/version")
GET_PATHS = ("/healthz", "/admin/stats")
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BODY_MAX = 8 * 1024 * 1024


class BadRequest(Exception):
    pass


class Service:
    """Everything that outlives one request."""

    def __init__(self, ledger, version, slow_seconds, seed):
        self.ledger = ledger
        self.version = version
        self.trouble = "none"
        self.slow_seconds = slow_seconds
        self.random = random.Random(seed)
        self.stopping = threading.Event()
        self.started = time.time() - time.monotonic()

    def now(self):
        """Seconds since 1970, by a clock that is never set back: differences between calls are exact."""
        return self.started + time.monotonic()

    def receive(self, path, call, payload):
        """Works on one event; (status, content type, body)."""
        if self.trouble == "down" or self.trouble == "flaky" and self.random.random() < 0.3:
            self.ledger.refuse(call, 503)
            return problem(503, "urn:tracker:unavailable", "the tracker is in trouble", f"trouble is {self.trouble}")
        try:
            fresh = self.ledger.apply(call, lambda ledger: self.work(path, call, payload))
        except tickets.MissingRepository as error:
            self.ledger.refuse(call, 422)
            return problem(422, "urn:tracker:missing-repository", "the payload has no repository", str(error))
        except sqlite3.Error:
            raise
        except Exception as error:
            self.ledger.refuse(call, 500)
            return crash(error)
        if self.trouble == "slow":
            # The work is done and only the answer is late: what a caller cannot tell from work that was not done.
            self.stopping.wait(self.slow_seconds)
        return plain(200, {"applied": fresh})

    def work(self, path, call, payload):
        version = self.version
        if path == "/feed":
            self.ledger.put_feed(call, tickets.feed_entry(call.type, call.source, payload, version))
        else:
            self.ledger.put_ticket(call, *tickets.sync_ticket(payload, version))

    def stats(self):
        return {"version": self.version, "trouble": self.trouble, **self.ledger.stats()}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave in one segment
    service: Service

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/healthz":
            self.answer(*plain(200, {"ok": True}))
        elif path == "/admin/stats":
            self.answer(*plain(200, self.service.stats()))
        else:
            self.answer(*self.not_found(path))

    def do_POST(self):
        self.arrived = self.service.now()
        url = urlsplit(self.path)
        try:
            body = self.read_body()
            self.answer(*self.route(url, body))
        except BadRequest as error:
            self.answer(*problem(400, "urn:tracker:bad-request", "the request cannot be understood", str(error)))
        except sqlite3.Error as error:
            self.answer(*problem(503, "urn:tracker:database", "the tracker's database failed", str(error)))

    def route(self, url, body):
        if url.path in FLOW_OF_PATH:
            return self.service.receive(url.path, self.call(url.path), parse_payload(body))
        if url.path == "/admin/trouble":
            self.service.trouble = chosen("trouble", TROUBLES, url.query, body)
            return plain(200, {"trouble": self.service.trouble})
        if url.path == "/admin/version":
            self.service.version = int(chosen("version", VERSIONS, url.query, body))
            return plain(200, {"version": self.service.version})
        return self.not_found(url.path)

    def read_body(self):
        # No body at all is fine: `curl -X POST` sends neither header.
        length = self.headers.get("Content-Length", "" if "Transfer-Encoding" in self.headers else "0")
        if not length.isdecimal() or int(length) > BODY_MAX:
            self.close_connection = True  # the body stays unread, so the next request cannot be found
            raise BadRequest(f"Content-Length must be given and at most {BODY_MAX}")
        return self.rfile.read(int(length))

    def call(self, path):
        def header(name):
            value = self.headers.get(name)
            return None if value is None else unquote(value)

        for name in ("Idempotency-Key", "ce-id", "ce-source", "ce-type"):
            if not header(name):
                raise BadRequest(f"the header {name} is missing")
        attempt = self.headers.get("Weir-Attempt", "")
        return Call(at=self.arrived, key=self.headers["Idempotency-Key"],
                    flow=header("Weir-Flow") or FLOW_OF_PATH[path], event_id=header("ce-id"),
                    source=header("ce-source"), type=header("ce-type"), subject=header("ce-subject"),
                    time=header("ce-time"), attempt=int(attempt) if attempt.isdecimal() else None,
                    replay=header("Weir-Replay"))

    def not_found(self, path):
        known = ", ".join([*(f"POST {p}" for p in POST_PATHS), *(f"GET {p}" for p in GET_PATHS)])
        return problem(404, "urn:tracker:not-found", f"there is no {self.command} {path}", f"there are {known}")

    def answer(self, status, content_type, body):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Service-Version", str(self.service.version))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a caller that gave up is no news
            super().handle_error(request, client_address)


def parse_payload(body):
    try:
        payload = json.loads(body)
    except ValueError as error:
        raise BadRequest(f"the body is not JSON: {error}")
    if not isinstance(payload, dict):
        raise BadRequest("the body is not a JSON object")
    return payload


def chosen(name, allowed, query, body):
    """The word in `?word`, `?name=word`, a body `word`, a form `name=word` or JSON; an error names what is allowed."""
    text = query or body.decode("utf-8", "replace").strip()
    try:
        value = json.loads(text)
    except ValueError:
        value = dict(parse_qsl(text)) or text
    if isinstance(value, dict):
        value = value.get(name, value.get("mode"))
    if str(value) not in allowed:
        raise BadRequest(f"{name} must be one of {', '.join(allowed)}: as in ?{name}={allowed[0]} or a body `{allowed[0]}`")
    return str(value)


def plain(status, value):
    return status, "application/json", json.dumps(value).encode()


def problem(status, kind, title, detail):
    body = {"type": kind, "title": title, "status": status, "detail": detail}
    return status, "application/problem+json", json.dumps(body).encode()


def crash(error):
    """A 500 as frameworks answer it: the exception and the innermost frame of our own code."""
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).resolve().parent == HERE]
    frame = f"{Path(own[-1].filename).name}:{own[-1].name}:{own[-1].lineno}"
    return plain(500, {"error": {"type": type(error).__name__, "message": str(error), "frame": frame}})


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=9900, help="0 takes a free one (default 9900)")
    parser.add_argument("--db", required=True, help="the SQLite file; made if it does not exist")
    parser.add_argument("--version", type=int, choices=(1, 2), default=1, help="1 has two bugs, 2 has none (default 1)")
    parser.add_argument("--slow-seconds", type=float, default=3.0, help="how late answers are in trouble `slow`")
    parser.add_argument("--seed", type=int, help="makes trouble `flaky` repeatable")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    try:
        ledger = Ledger(arguments.db)
    except sqlite3.Error as error:
        return f"service: {arguments.db} cannot be opened: {error}"
    Handler.service = service = Service(ledger, arguments.version, arguments.slow_seconds, arguments.seed)
    try:
        server = Server(("127.0.0.1", arguments.port), Handler)
    except OSError as error:
        return f"service: port {arguments.port} cannot be listened on: {os.strerror(error.errno)}"
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"tracker version {arguments.version} listens on http://127.0.0.1:{server.server_port}, db {arguments.db}",
          flush=True)
    signal.sigwait(STOP_SIGNALS)
    service.stopping.set()
    ledger.close()


if __name__ == "__main__":
    sys.exit(main())
