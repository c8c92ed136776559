# SPDX-License-Identifier: Apache-2.0
"""Requests that two parsers could read differently: one refusal, the connection closed, and what was hidden in them never run."""
import re
import socket
import unittest

from server import ServerCase, parse_answer, read_to_end

CONFIG = "streams: { s: { retention: 7d } }\n"
HEAD = "POST /v1/streams/s/events HTTP/1.1\r\nHost: weir\r\n"
EVENT = "ce-specversion: 1.0\r\nce-type: test\r\nce-source: /test\r\nContent-Type: application/json\r\n"


def hidden(event_id="hidden"):
    """A complete request that would store an event."""
    return f"{HEAD}{EVENT}ce-id: {event_id}\r\nContent-Length: 2\r\n\r\n{{}}"


def request(*lines, body="", head=HEAD):
    return head + EVENT + "ce-id: first\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n" + body


CHUNKED = "Transfer-Encoding: chunked"
LENGTH = "Content-Length: 2"
# Name, what is sent before the hidden request, the statuses that are honest.
CASES = [
    ("CL.TE", request("Content-Length: 6", CHUNKED, body="0\r\n\r\n"), (400,)),
    ("TE.CL", request(CHUNKED, "Content-Length: 4", body="5c\r\n"), (400,)),
    ("two equal lengths", request(LENGTH, LENGTH, body="{}"), (400,)),
    ("two lengths", request("Content-Length: 0", LENGTH, body="{}"), (400,)),
    ("a list of lengths", request("Content-Length: 2, 2", body="{}"), (400,)),
    ("a signed length", request("Content-Length: +2", body="{}"), (400,)),
    ("a length in hexadecimal", request("Content-Length: 0x2", body="{}"), (400,)),
    ("xchunked", request("Transfer-Encoding: xchunked", body="0\r\n\r\n"), (501,)),
    ("chunked, identity", request("Transfer-Encoding: chunked, identity", body="0\r\n\r\n"), (501,)),
    ("identity, chunked", request("Transfer-Encoding: identity, chunked", body="0\r\n\r\n"), (501,)),
    ("two codings", request(CHUNKED, "Transfer-Encoding: identity", body="0\r\n\r\n"), (400, 501)),
    ("a blank before the colon of a coding", request("Transfer-Encoding : chunked", body="0\r\n\r\n"), (400,)),
    ("a tab before the colon of a coding", request("Transfer-Encoding\t: chunked", body="0\r\n\r\n"), (400,)),
    ("a vertical tab before a coding", request("Transfer-Encoding: \x0bchunked", body="0\r\n\r\n"), (400,)),
    ("a folded coding", request("Transfer-Encoding:\r\n chunked", body="0\r\n\r\n"), (400,)),
    ("a coding after a bare line feed", request("X: y\nTransfer-Encoding: chunked", body="0\r\n\r\n"), (400,)),
    ("a coding after a bare return", request("X: y\rTransfer-Encoding: chunked", body="0\r\n\r\n"), (400,)),
    ("NUL in a coding", request("Transfer-Encoding: chunked\0", body="0\r\n\r\n"), (400,)),
    ("a quoted coding", request('Transfer-Encoding: "chunked"', body="0\r\n\r\n"), (501,)),
    ("chunked in HTTP/1.0", request(CHUNKED, body="0\r\n\r\n", head=HEAD.replace("1.1", "1.0")), (400,)),
    ("a blank in a chunk size", request(CHUNKED, body="2 \r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a chunk size with a prefix", request(CHUNKED, body="0x2\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a chunk size that overflows", request(CHUNKED, body="10000000000000002\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a chunk size with many zeros", request(CHUNKED, body="0" * 32 + "2\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a bare line feed after a chunk size", request(CHUNKED, body="2\n{}\r\n0\r\n\r\n"), (400,)),
    ("a bare line feed in an extension", request(CHUNKED, body="2;a\nb\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a bare return in an extension", request(CHUNKED, body="2;a\rb\r\n{}\r\n0\r\n\r\n"), (400,)),
    ("a chunk longer than its size", request(CHUNKED, body="2\r\n{}{}\r\n0\r\n\r\n"), (400,)),
    ("a length in the trailer", request(CHUNKED, body="2\r\n{}\r\n0\r\nContent-Length: 9\r\n\r\n"), (400,)),
    ("two hosts", request("Host: other", LENGTH, body="{}"), (400,)),
    ("another host in the target", request(LENGTH, body="{}", head=HEAD.replace("/v1", "http://other/v1")), (400,)),
    ("a tab in the request line", request(LENGTH, body="{}", head=HEAD.replace("POST /", "POST\t/")), (400,)),
    ("two versions", request(LENGTH, body="{}", head=HEAD.replace("HTTP/1.1", "HTTP/1.1 HTTP/1.1")), (400,)),
    ("no version", request(LENGTH, body="{}", head=HEAD.replace(" HTTP/1.1", "")), (400,)),
    ("a minor version of two digits", request(LENGTH, body="{}", head=HEAD.replace("1.1", "1.10")), (400,)),
    ("a folded first line", request(LENGTH, body="{}", head=HEAD.replace("HTTP/1.1\r\n", "HTTP/1.1\r\n ")), (400,)),
    ("bare line feeds only", request(LENGTH, body="{}").replace("\r\n", "\n"), (400,)),
]


class Smuggling(ServerCase):
    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG)

    def answer_of(self, data):
        """Everything that is answered before the server closes; a connection that stays open is a failure."""
        with self.weir.connect(8) as connection:
            connection.sendall(data)
            return read_to_end(connection)

    def test_each_is_refused_closed_and_hides_nothing(self):
        for name, first, statuses in CASES:
            with self.subTest(name):
                data = self.answer_of((first + hidden() + hidden("second")).encode("latin-1"))
                answer = parse_answer(data)
                self.assertEqual(len(re.findall(rb"HTTP/1.1 \d{3} ", data)), 1, data)
                self.assertIn(answer.status, statuses, answer.text)
                self.assertEqual(answer.json["code"], "WR1107")
                self.assertEqual(answer.headers["connection"], "close")
        self.assert_kept(self.weir, [])

    def test_what_is_sent_after_the_refusal_is_not_read_as_a_request(self):
        """The client waits for the refusal, and then goes on as if nothing had happened."""
        with self.weir.connect(8) as connection:
            connection.sendall(request("Content-Length: 6", CHUNKED, body="0\r\n\r\n").encode())
            first = connection.recv(65536)
            self.assertTrue(first.startswith(b"HTTP/1.1 400 "), first)
            try:
                connection.sendall(hidden().encode())
            except OSError:
                pass  # closed already
            self.assertNotIn(b"HTTP/1.1 ", read_to_end(connection))
        self.assert_kept(self.weir, [])

    def test_an_honest_pipeline_is_served(self):
        closing = hidden("b").replace("Content-Length: 2", "Content-Length: 2\r\nConnection: close")
        data = self.answer_of((hidden("a") + closing).encode())
        self.assertEqual(data.count(b"HTTP/1.1 201 "), 2, data)
        self.assert_kept(self.weir, ["s#1", "s#2"])

    def test_half_a_request_is_none(self):
        with self.weir.connect(8) as connection:
            connection.sendall(hidden().encode()[:-1])
            connection.shutdown(socket.SHUT_WR)
            self.assertEqual(read_to_end(connection), b"")
        self.assert_kept(self.weir, [])


if __name__ == "__main__":
    unittest.main()
