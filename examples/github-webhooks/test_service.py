"""The receiving service over HTTP, as its own process."""
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import github_events
from support import FAMILIES, HERE, ExampleTest, headers_of, issue, pull_request, review

ISSUE = github_events.event("issues", issue("opened"), "i-1")
PULL = github_events.event("pull_request", pull_request("opened"), "p-1")
REVIEW = github_events.event("pull_request_review", review("submitted"), "r-1")
PLACELESS = github_events.event("installation", FAMILIES["installation"][0], "n-1")


class ServiceTest(ExampleTest):
    def test_feed_and_ticket_are_kept(self):
        service = self.start()
        for flow, event in (("sync-issues", ISSUE), ("activity-feed", ISSUE), ("sync-issues", PULL)):
            self.assertEqual(service.deliver(flow, event)[0], 200)
        self.assertEqual(self.rows(service, "SELECT ticket, kind, title, state, labels, requested_reviewers, auto_merge"
                                            " FROM tickets"),
                         [("octo/hello#7", "issue", "Spelling", "open", "bug", None, None),
                          ("octo/hello#8", "pull_request", "Fix", "open", "", "bob", 0)])
        self.assertEqual(self.rows(service, "SELECT place, summary FROM feed"),
                         [("octo/hello", "ada: issues opened in octo/hello")])

    def test_a_partial_payload_keeps_what_it_does_not_carry(self):
        service = self.start()
        payload = issue("pinned")
        del payload["issue"]["labels"], payload["issue"]["state"]
        service.deliver("sync-issues", ISSUE)
        service.deliver("sync-issues", github_events.event("issues", payload, "i-2"))
        self.assertEqual(self.rows(service, "SELECT state, labels, last_event_id, changes FROM tickets"),
                         [("open", "bug", "i-2", 2)])

    def test_one_key_is_applied_once(self):
        service = self.start()
        first = service.deliver("sync-issues", PULL)
        again = service.deliver("sync-issues", PULL, attempt=2, **{"Weir-Replay": "run%201"})
        self.assertEqual((first[2], again[0], again[2]), ({"applied": True}, 200, {"applied": False}))
        self.assertEqual(self.rows(service, "SELECT calls, applications FROM received"), [(2, 1)])
        self.assertEqual(self.rows(service, "SELECT attempt, replay, status, applied FROM log ORDER BY n"),
                         [(1, None, 200, 1), (2, "run 1", 200, 0)])
        self.assertEqual(self.rows(service, "SELECT changes FROM tickets"), [(1,)])

    def test_the_log_tells_when_each_call_came_in(self):
        service = self.start()
        before = time.time()
        service.deliver("sync-issues", PULL)
        service.request("POST", "/admin/trouble", "down")
        service.deliver("sync-issues", PULL, attempt=2)
        (first,), (second,) = self.rows(service, "SELECT at FROM log ORDER BY n")
        self.assertLess(first, second)
        self.assertAlmostEqual(first, before, delta=30)

    def test_version_1_refuses_a_payload_without_repository(self):
        service = self.start()
        status, headers, body = service.deliver("activity-feed", PLACELESS)
        self.assertEqual((status, headers["Content-Type"]), (422, "application/problem+json"))
        self.assertEqual((body["type"], body["status"]), ("urn:tracker:missing-repository", 422))
        self.assertIn("com.github.installation.created", body["detail"])
        self.assertEqual(service.request("POST", "/admin/version", "2")[2], {"version": 2})
        self.assertEqual(service.deliver("activity-feed", PLACELESS, attempt=2)[0], 200)
        self.assertEqual(self.rows(service, "SELECT calls, applications FROM received"), [(2, 1)])
        self.assertEqual(self.rows(service, "SELECT place FROM feed"), [("acme",)])

    def test_version_1_crashes_on_a_pull_request_without_auto_merge(self):
        service = self.start()
        self.assertEqual(service.deliver("sync-issues", PULL)[0], 200)
        status, headers, body = service.deliver("sync-issues", REVIEW)
        self.assertEqual((status, headers["Content-Type"]), (500, "application/json"))
        self.assertEqual((body["error"]["type"], body["error"]["message"]), ("KeyError", "'auto_merge'"))
        self.assertRegex(body["error"]["frame"], r"^tickets\.py:merges_by_itself_v1:\d+$")
        self.assertEqual(self.rows(service, "SELECT changes FROM tickets"), [(1,)])
        self.assertEqual(service.deliver("activity-feed", REVIEW)[0], 200)
        service.request("POST", "/admin/version?version=2", "")
        self.assertEqual(service.deliver("sync-issues", REVIEW, attempt=2)[0], 200)
        self.assertEqual(self.rows(service, "SELECT merged, last_event_id FROM tickets"), [(0, "r-1")])

    def test_trouble(self):
        service = self.start("--slow-seconds", "0.05", "--seed", "1")
        service.request("POST", "/admin/trouble", "down")
        status, headers, body = service.deliver("sync-issues", PULL)
        self.assertEqual((status, body["type"]), (503, "urn:tracker:unavailable"))
        service.request("POST", "/admin/trouble", json.dumps({"trouble": "slow"}))
        started = time.monotonic()
        self.assertEqual(service.deliver("sync-issues", PULL, attempt=2)[2], {"applied": True})
        self.assertGreaterEqual(time.monotonic() - started, 0.05)
        service.request("POST", "/admin/trouble?flaky", "")
        refused = sum(service.deliver("sync-issues", PULL, attempt=3)[0] == 503 for _ in range(200))
        self.assertTrue(40 <= refused <= 80, refused)
        service.request("POST", "/admin/trouble", "none")
        self.assertEqual(service.deliver("sync-issues", PULL, attempt=4)[0], 200)
        stats = service.request("GET", "/admin/stats")[2]
        self.assertEqual((stats["trouble"], stats["version"], stats["tickets"]), ("none", 1, 1))
        self.assertEqual(stats["flows"]["sync-issues"], {"events": 1, "calls": 203, "applied": 1, "notApplied": 0,
                                                         "answers": {"200": 202 - refused, "503": 1 + refused}})

    def test_bad_input_is_explained(self):
        service = self.start()
        cases = [("/admin/trouble", "sideways", {}, "slow, down, flaky, none"), ("/admin/version", "3", {}, "1, 2"),
                 ("/admin/version", "", {}, "1, 2"), ("/sync", "{", headers_of("sync-issues", PULL), "not JSON"),
                 ("/sync", "[]", headers_of("sync-issues", PULL), "not a JSON object"),
                 ("/feed", "{}", {}, "Idempotency-Key")]
        for path, body, headers, words in cases:
            status, _, answer = service.request("POST", path, body, headers)
            self.assertEqual(status, 400, path)
            self.assertIn(words, answer["detail"])
        self.assertEqual(service.request("POST", "/nowhere", "")[0], 404)
        self.assertEqual(service.request("GET", "/sync")[0], 404)
        self.assertEqual(service.request("GET", "/healthz")[0], 200)

    def test_header_values_are_decoded(self):
        service = self.start()
        event = ISSUE | {"id": "späte \"50 %\"", "subject": "octo/hello#7"}
        service.deliver("sync-issues", event)
        self.assertEqual(self.rows(service, "SELECT event_id, subject FROM received"), [(event["id"], event["subject"])])

    def test_64_callers_at_once(self):
        service = self.start("--version", "2")
        statuses = []

        def caller(number):
            connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=10)
            for turn in range(5):
                event = ISSUE | {"id": f"{number}-{turn}"}
                connection.request("POST", "/sync", json.dumps(event["data"]), headers_of("sync-issues", event))
                answer = connection.getresponse()
                answer.read()
                statuses.append(answer.status)
            connection.close()

        callers = [threading.Thread(target=caller, args=(number,)) for number in range(64)]
        started = time.monotonic()
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
        self.assertEqual(statuses, [200] * 320)
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(self.rows(service, "SELECT changes FROM tickets"), [(320,)])

    def test_signals_end_it_and_its_file_is_whole(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            service = self.start("--slow-seconds", "60")
            service.deliver("sync-issues", PULL)
            service.request("POST", "/admin/trouble", "slow")
            with socket.create_connection(("127.0.0.1", service.port)) as hanging:
                hanging.sendall(b"POST /sync HTTP/1.1\r\nContent-Length: 5\r\n\r\n")
                self.assertEqual(service.stop(number), 0)
            self.assertEqual(self.rows(service, "SELECT applications FROM received"), [(1,)])

    def test_a_port_in_use_is_said(self):
        service = self.start()
        second = subprocess.run([sys.executable, HERE / "service.py", "--port", str(service.port), "--db", ":memory:"],
                                capture_output=True, text=True, timeout=10)
        self.assertEqual(second.returncode, 1)
        self.assertIn("cannot be listened on", second.stderr)


if __name__ == "__main__":
    unittest.main()
