# SPDX-License-Identifier: Apache-2.0
"""A handler on raw sockets that does whatever a script says, per event id, and keeps every call it saw.

    with StubHandler() as handler:
        handler.script("e1", hang(), status(200))     # first call hangs, every later one gets 200
        handler.calls_of("e1")[0].header("weir-attempt")

A script is a list of behaviours; the last one repeats. Without a script the answer is 204.
"""
import json
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

HEAD_MAX = 64 * 1024
REASONS = {200: "OK", 202: "Accepted", 204: "No Content", 302: "Found", 500: "Internal Server Error"}


@dataclass
class Call:
    """One request as it came in."""

    method: str
    target: str
    headers: list  # (lower-case name, value), in order
    body: bytes
    at: float  # monotonic, when the request was complete
    connection: int
    answered: bool = field(default=False)  # the behaviour ran to its end

    def header(self, name):
        """The value, or None; a header that came twice is an error of the sender."""
        values = [value for known, value in self.headers if known == name.lower()]
        assert len(values) <= 1, f"header {name} came {len(values)} times"
        return values[0] if values else None

    @property
    def event_id(self):
        return self.header("ce-id")

    @property
    def key(self):
        return self.header("idempotency-key")


# --- behaviours: called with (peer, call); True keeps the connection ------------------------------


def status(code, headers=(), body=b""):
    """An ordinary answer."""
    def answer(peer, _call):
        lines = [f"HTTP/1.1 {code} {REASONS.get(code, 'Word')}"]
        lines += [f"{name}: {value}" for name, value in headers]
        if code != 204 and code != 304:
            lines.append(f"Content-Length: {len(body)}")
        peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body if code not in (204, 304) else b""))
        return True
    return answer


def problem(code, type_, title="it failed", headers=()):
    """An RFC 9457 answer."""
    body = json.dumps({"type": type_, "title": title, "status": code}).encode()
    return status(code, [("Content-Type", "application/problem+json"), *headers], body)


def raw(data, keep=False):
    """These bytes, then the end of the connection."""
    def answer(peer, _call):
        peer.sendall(data)
        return keep
    return answer


def close():
    """No answer at all."""
    return raw(b"")


def close_mid_head():
    return raw(b"HTTP/1.1 200 OK\r\nContent-Le")


def close_mid_body():
    return raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly ten b")


def garbage():
    return raw(bytes(range(256)) * 4)


def reset():
    """Read the request, then send RST instead of an answer."""
    def answer(peer, _call):
        reset_on_close(peer)
        return False
    return answer


def hang():
    """Keep the connection until the other side gives up."""
    def answer(peer, _call):
        wait_for_end(peer)
        return False
    return answer


def flood_body(code=200, chunked=False):
    """A body without an end; stops when the other side has had enough."""
    def answer(peer, _call):
        coding = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {1 << 40}"
        peer.sendall(f"HTTP/1.1 {code} Word\r\n{coding}\r\n\r\n".encode())
        block = b"x" * 65536
        send_for_ever(peer, b"10000\r\n" + block + b"\r\n" if chunked else block)
        return False
    return answer


def flood_headers():
    def answer(peer, _call):
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        send_for_ever(peer, b"X-More: " + b"y" * 1000 + b"\r\n")
        return False
    return answer


def interim(code, then):
    """An interim answer before the real one."""
    def answer(peer, call):
        peer.sendall(f"HTTP/1.1 {code} Word\r\nLink: </x>\r\n\r\n".encode())
        return then(peer, call)
    return answer


def drip(data=b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"z" * 1000, every=0.05):
    """One byte at a time, each well within any read timeout."""
    def answer(peer, _call):
        try:
            for at in range(len(data)):
                peer.sendall(data[at:at + 1])
                time.sleep(every)
        except OSError:
            return False
        return True
    return answer


def late(seconds, then):
    """An answer after a while."""
    def answer(peer, call):
        time.sleep(seconds)
        return then(peer, call)
    return answer


def when(event, then):
    """An answer once `event` (threading.Event) is set."""
    def answer(peer, call):
        event.wait(60)
        return then(peer, call)
    return answer


def reset_on_close(peer):
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def wait_for_end(peer):
    try:
        while peer.recv(65536):
            pass
    except OSError:
        pass


def send_for_ever(peer, block):
    try:
        for _ in range(100_000):  # more than anybody should take
            peer.sendall(block)
    except OSError:
        pass


# --- the server -----------------------------------------------------------------------------------


class StubHandler:
    """Listens on a free port; one thread per connection."""

    def __init__(self, certificate=None):
        """certificate: (certificate file, key file) for https."""
        self._tls = None
        if certificate:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(*certificate)
        self._lock = threading.Lock()
        self._scripts = {}
        self._default = status(204)
        self._calls = []
        self._peers = set()
        self._connections = 0
        self._reset_connects = False
        self._listener = None
        self._listen(0)
        self.port = self._listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def url(self):
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def script(self, event_id, *behaviours):
        """What each call for this event gets; the last one repeats. Starts from the first."""
        with self._lock:
            self._scripts[event_id] = list(behaviours)

    def default(self, behaviour):
        with self._lock:
            self._default = behaviour

    def reset_connects(self, on):
        """Whether a new connection is reset before a byte of it is read."""
        self._reset_connects = on

    def refuse(self):
        """Stop listening: connections are refused until accept()."""
        self._close_listener()
        self.drop_connections()

    def accept(self):
        self._listen(self.port)

    def drop_connections(self):
        with self._lock:
            peers = list(self._peers)
        for peer in peers:
            shut(peer)

    def stop(self):
        self._close_listener()
        self.drop_connections()

    def calls(self):
        with self._lock:
            return list(self._calls)

    def calls_of(self, event_id, flow=None):
        return [call for call in self.calls()
                if call.event_id == event_id and flow in (None, call.header("weir-flow"))]

    # --- inside ---

    def _listen(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        self._listener = listener
        threading.Thread(target=self._accept_all, args=(listener,), daemon=True).start()

    def _close_listener(self):
        listener, self._listener = self._listener, None
        if listener is not None:
            shut(listener)  # wakes the accepting thread
            listener.close()

    def _accept_all(self, listener):
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            if self._reset_connects:
                reset_on_close(peer)
                peer.close()
                continue
            with self._lock:
                self._connections += 1
                number = self._connections
            threading.Thread(target=self._serve, args=(peer, number), daemon=True).start()

    def _serve(self, peer, number):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls:
                peer = self._tls.wrap_socket(peer, server_side=True)
            with self._lock:
                self._peers.add(peer)
            self._serve_calls(peer, number)
        except OSError:  # the other side went away, or never trusted us
            pass
        finally:
            with self._lock:
                self._peers.discard(peer)
            peer.close()

    def _serve_calls(self, peer, number):
        rest = b""
        while True:
            call, rest = read_request(peer, rest, number)
            if call is None:
                return
            with self._lock:
                self._calls.append(call)
                behaviour = self._next_behaviour(call.event_id)
            keep = behaviour(peer, call)
            call.answered = True
            if not keep:
                return

    def _next_behaviour(self, event_id):
        script = self._scripts.get(event_id)
        if not script:
            return self._default
        return script.pop(0) if len(script) > 1 else script[0]


def shut(peer):
    try:
        peer.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def read_request(peer, rest, number):
    """(Call or None, what came after it)."""
    data = rest
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more or len(data) > HEAD_MAX:
            return None, b""
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = []
    for line in lines[1:]:
        name, value = line.split(":", 1)
        headers.append((name.lower(), value.strip()))
    length = int(dict(headers).get("content-length", "0"))
    while len(body) < length:
        more = peer.recv(65536)
        if not more:
            return None, b""
        body += more
    call = Call(method, target, headers, body[:length], time.monotonic(), number)
    return call, body[length:]
