# SPDX-License-Identifier: Apache-2.0
"""A handler for very many calls: one thread, every connection kept, one short record per call.

    handler = FastHandler(lambda call: 422 if call["ce-type"] == "bad" else 200)
    handler.calls[0].replay       # None of a live call

A status from 400 on is answered with a problem of its own type, urn:test:<type of the event>. A GET always gets 200.
"""
import asyncio
import json
import re
import socket
import threading
import time
from collections import defaultdict
from typing import NamedTuple

HEADER = re.compile(rb"\r\n(ce-id|ce-type|weir-flow|weir-replay|content-length): *([^\r]*)", re.IGNORECASE)


class Call(NamedTuple):
    event_id: str
    flow: str
    replay: str | None
    status: int
    at: float  # monotonic, when it came


class FastHandler:
    """`answer` gives the status for the headers of a call, as a dict with lower-case names and "" for what is missing."""

    def __init__(self, answer):
        self.answer = answer
        self.calls = []  # of events, in order; only ever appended to
        self._answers = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._listener.close()

    def answer_to(self, head):
        """The bytes of the answer; the call is in the record from here on."""
        if not head["ce-id"]:
            return answer_bytes(200)
        status = self.answer(head)
        self.calls.append(Call(head["ce-id"], head["weir-flow"], head["weir-replay"] or None, status, time.monotonic()))
        key = (status, head["ce-type"] if status >= 400 else "")
        if key not in self._answers:
            self._answers[key] = answer_bytes(*key)
        return self._answers[key]

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._loop.create_server(lambda: Connection(self), sock=self._listener))
        self._loop.run_forever()


def answer_bytes(status, type_=""):
    body = json.dumps({"type": f"urn:test:{type_}", "title": "it failed", "status": status}).encode() if type_ else b""
    kind = "Content-Type: application/problem+json\r\n" if type_ else ""
    return f"HTTP/1.1 {status} Word\r\n{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    def __init__(self, handler):
        self.handler = handler
        self.transport = None
        self.rest = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.rest += data
        while (end := self.rest.find(b"\r\n\r\n")) >= 0:
            head = defaultdict(str)
            for name, value in HEADER.findall(self.rest, 0, end):
                head[name.decode().lower()] = value.decode()
            size = end + 4 + int(head["content-length"] or 0)
            if len(self.rest) < size:
                return
            self.rest = self.rest[size:]
            self.transport.write(self.handler.answer_to(head))
