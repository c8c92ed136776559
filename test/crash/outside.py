# SPDX-License-Identifier: Apache-2.0
"""The outside of one run of the reference scenario: a handler and a bank in one server, which remember what came.
They live longer than any Weir they serve, so they are what the checks believe."""
import json
import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Outside:
    """`weir_port` is where the handler calls its effects. What an event does is in the name before its dash:

    flaky   fails once            poison  is refused until `mended` is set
    pay     has an effect at the bank, then fails once            any other: succeeds
    """

    def __init__(self, weir_port, calls=(), payments=()):
        self.weir_port = weir_port
        self.mended = False
        self.lock = threading.Lock()
        self.calls = list(calls)           # (flow, event, idempotency key, status), in order
        self.payments = Counter(payments)  # by key: the bank itself knows no keys and takes every call
        self.on_payment = None             # called when the bank was asked, before it answers
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.server.daemon_threads = True
        self.server.outside = self
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def handle(self, headers):
        """Status for a call of the handler."""
        event, flow, key = headers["ce-id"], headers["Weir-Flow"], headers["Idempotency-Key"]
        with self.lock:
            first = not any(call[:2] == (flow, event) for call in self.calls)
            place = len(self.calls)
            self.calls.append((flow, event, key, None))
        kind = event.partition("-")[0]
        paid = self.pay(headers["Weir-Token"]) if kind == "pay" else True
        status = 200 if paid else 500
        if kind == "poison" and not self.mended:
            status = 422
        elif kind in ("flaky", "pay") and first:
            status = 503
        with self.lock:
            self.calls[place] = (flow, event, key, status)
        return status

    def pay(self, token):
        """One effect through the gateway; whether it happened, by its answer."""
        connection = HTTPConnection("127.0.0.1", self.weir_port, timeout=5)
        try:
            connection.request("POST", "/effects/bank/payments", b'{"amount":5}', {"Weir-Token": token})
            answer = connection.getresponse()
            answer.read()
            return answer.status < 300
        except (OSError, HTTPException):
            return False  # Weir died meanwhile: nobody waits for this answer
        finally:
            connection.close()

    def take_payment(self, key):
        with self.lock:
            self.payments[key.strip('"')] += 1
        if self.on_payment:
            self.on_payment()

    def succeeded(self):
        """How often the handler said yes, by flow and event."""
        with self.lock:
            return Counter(call[:2] for call in self.calls if call[3] == 200)


class Door(BaseHTTPRequestHandler):
    """HTTP for the above."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        outside = self.server.outside
        if self.path.startswith("/bank"):
            outside.take_payment(self.headers["Idempotency-Key"])
            self.answer(201, {"paid": True})
        else:
            status = outside.handle(self.headers)
            self.answer(status, {"type": f"urn:test:{status}", "status": status})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 {status} Word\r\nContent-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        try:
            self.wfile.write(head.encode() + body)
        except OSError:
            self.close_connection = True

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass  # the other side was killed

    def log_message(self, *_arguments):
        pass
