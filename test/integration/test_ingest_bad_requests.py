# SPDX-License-Identifier: Apache-2.0
"""Requests that are wrong, slow or too many: bounded, answered clearly, and nothing acknowledged is lost."""
import json
import socket
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from server import ServerCase, parse_answer, read_to_end, wait_for

CONFIG = """
streams: { s: { retention: 7d } }
limits: { headerBytes: 4KiB, bodyBytes: 64KiB, eventBytes: 60KiB, pendingIngestBytes: 64KiB, connections: 64 }
"""
PATH = "/v1/streams/s/events"
HEAD = (f"POST {PATH} HTTP/1.1\r\nHost: weir\r\nContent-Type: application/json\r\n"
        "ce-specversion: 1.0\r\nce-type: test\r\nce-source: /test\r\n")


def head(event_id, *lines):
    return (HEAD + f"ce-id: {event_id}\r\n" + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()


class RequestCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG)
        self.kept = [self.publish(self.weir, "before", b'{"kept": true}')]
        self.addCleanup(self.check_kept)

    def check_kept(self):
        self.assert_kept(self.weir, self.kept)

    def answer_to(self, data):
        return parse_answer(self.weir.raw(data))


class Malformed(RequestCase):
    def test_both_content_length_and_chunked(self):
        for lengths in (("Content-Length: 5", "Transfer-Encoding: chunked"),
                        ("Transfer-Encoding: chunked", "Content-Length: 5")):
            answer = self.answer_to(head("smuggled", *lengths) + b"5\r\n{   }\r\n0\r\n\r\n")
            self.assert_problem(answer, 400, "WR1107", "Content-Length", "Transfer-Encoding")
            self.assertEqual(answer.headers["connection"], "close")

    def test_what_follows_a_refused_request_is_never_run(self):
        smuggled = head("smuggled", "Content-Length: 2", "Connection: close") + b"{}"
        refused = head("first", "Content-Length: 2", "Content-Length: 3") + b"{}"
        data = self.weir.raw(refused + smuggled)
        self.assertEqual(data.count(b"HTTP/1.1 "), 1, data)
        self.assert_problem(parse_answer(data), 400, "WR1107", "Content-Length")

    def test_lengths_that_are_none(self):
        for length in ("-1", "+2", "0x2", "2,2x", "99999999999999999999999", ""):
            answer = self.answer_to(head("x", f"Content-Length: {length}") + b"{}")
            self.assertIn(answer.status, (400, 413), answer.text)
            self.assertIn(answer.json["code"], ("WR1107", "WR1104"))

    def test_chunks_that_are_none(self):
        for body in (b"Z\r\n", b"2\r\n{}X", b"FFFFFFFFFFFFFFFFF\r\n", b"-2\r\n{}\r\n"):
            answer = self.answer_to(head("x", "Transfer-Encoding: chunked") + body)
            self.assertIn(answer.status, (400, 413), answer.text)
            self.assertIn(answer.json["code"], ("WR1107", "WR1104"))

    def test_lines_that_are_none(self):
        for data in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
                     b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\nName : x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n"):
            with self.subTest(data=data):
                answer = self.answer_to(data)
                self.assertIn(answer.status, (400, 505), answer.text)
                self.assertEqual(answer.json["code"], "WR1107")
                self.assertTrue(answer.json["detail"])

    def test_a_chunked_event_is_as_good_as_any(self):
        answer = self.answer_to(head("chunked", "Transfer-Encoding: chunked", "Connection: close") +
                                b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\nTrailer: x\r\n\r\n")
        self.assertEqual(answer.status, 201, answer.text)
        self.kept.append(answer.json["results"][0]["ref"])


class TooLarge(RequestCase):
    def test_headers(self):
        answer = self.answer_to(head("x", "X-Long: " + "x" * 5000, "Content-Length: 0"))
        self.assert_problem(answer, 431, "WR1105", "4096")
        answer = self.answer_to(head("x", *["A: b"] * 200, "Content-Length: 0"))
        self.assert_problem(answer, 431, "WR1105", "100")

    def test_a_body_is_refused_before_it_is_sent(self):
        answer = self.answer_to(head("x", "Content-Length: 100000000", "Expect: 100-continue"))
        self.assert_problem(answer, 413, "WR1104", "65536")

    def test_a_chunked_body_is_refused_where_it_grows_too_large(self):
        chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"
        answer = self.answer_to(head("x", "Transfer-Encoding: chunked") + chunk * 17)
        self.assert_problem(answer, 413, "WR1104", "65536")


class Slow(RequestCase):
    """Clients that trickle; all in one test, because each has to wait for the same ten seconds."""

    def trickle(self, data, found):
        """Sends the head, then a byte now and then, until the server answers."""
        with self.weir.connect(timeout=0.5) as connection:
            connection.sendall(data)
            began = time.monotonic()
            got = b""
            while time.monotonic() - began < 30:
                try:
                    got = connection.recv(65536)
                    break
                except socket.timeout:
                    connection.sendall(b"a")
            found.append((parse_answer(got + read_to_end(connection)), time.monotonic() - began))

    def test_slow_clients_are_ended_and_nobody_else_waits_for_them(self):
        in_head, in_body = [], []
        threads = [threading.Thread(target=self.trickle, args=(data, found)) for data, found in
                   ((HEAD.encode() + b"X-Slow: ", in_head), (head("slow", "Content-Length: 4000"), in_body)) * 8]
        for thread in threads:
            thread.start()
        slowest = 0
        while any(thread.is_alive() for thread in threads):
            began = time.monotonic()
            self.kept.append(self.publish(self.weir, f"fast-{len(self.kept)}"))
            slowest = max(slowest, time.monotonic() - began)
            threads[-1].join(0.2)
            for thread in threads:
                thread.join(0)
        self.assertLess(slowest, 2)
        for found, what in ((in_head, "header"), (in_body, "body")):
            self.assertEqual(len(found), 8)
            for answer, seconds in found:
                self.assert_problem(answer, 408, "WR1108", what)
                self.assertTrue(answer.json["retryable"])
                self.assertLess(seconds, 15)

    def test_a_connection_that_says_nothing_is_closed(self):
        with self.weir.connect(timeout=20) as connection:
            self.assertEqual(read_to_end(connection), b"")

    def test_a_client_that_leaves_in_the_middle(self):
        for data in (b"POST", HEAD.encode(), head("gone", "Content-Length: 10") + b"{"):
            with self.weir.connect() as connection:
                connection.sendall(data)
        self.kept.append(self.publish(self.weir, "after"))


class TooMuch(RequestCase):
    def test_connections_above_the_bound_are_turned_away(self):
        open_ones = [self.weir.connect() for _ in range(64)]
        try:
            answer = self.answer_to(b"GET /livez HTTP/1.1\r\nHost: weir\r\n\r\n")
            self.assert_problem(answer, 503, "WR1603", "64")
            self.assertTrue(answer.json["retryable"])
        finally:
            for connection in open_ones:
                connection.close()
        wait_for(self.there_is_room, 10, "a free connection")

    def there_is_room(self):
        return self.weir.request("GET", "/livez").status == 200

    def test_more_than_fits_into_memory_waits_and_arrives_once(self):
        """Bursts of events that do not fit together: some get 503 and come again, and each is stored once."""
        refused = []

        def insist(number):
            body = json.dumps({"n": number, "x": "x" * 50_000}).encode()
            headers = {"ce-specversion": "1.0", "ce-id": f"big-{number}", "ce-type": "test", "ce-source": "/test",
                       "Content-Type": "application/json"}
            for _ in range(500):
                answer = self.weir.request("POST", PATH, body, headers)
                if answer.status == 201:
                    return answer.json["results"][0]
                refused.append(answer)
                time.sleep(0.02)
            raise TimeoutError(f"event {number} is refused for ever: {answer.text}")

        with ThreadPoolExecutor(16) as burst:
            for first in range(0, 400, 50):
                results = list(burst.map(insist, range(first, first + 50)))
                self.assertEqual({one["status"] for one in results}, {"stored"})
                self.kept += [one["ref"] for one in results]
                if refused:
                    break
        self.kept.sort(key=lambda reference: int(reference.partition("#")[2]))
        self.assertTrue(refused, "the bound was never reached")
        for answer in refused:
            self.assert_problem(answer, 503, "WR1006", "memory is set aside for", "Retry-After", "pendingIngestBytes")
            self.assertEqual(answer.headers["retry-after"], "1")
            self.assertTrue(answer.json["retryable"])


if __name__ == "__main__":
    unittest.main()
