#!/usr/bin/env python3
"""The publisher and the proof, without Weir. Set WEBHOOKS_EXAMPLES for the real payloads; run as a program, this runs
the tests of the whole folder."""
import contextlib
import io
import json
import os
import socket
import sqlite3
import sys
import unittest
from pathlib import Path

import github_events
import prove
import publish
from support import FAMILIES, HERE, ExampleTest

PACKAGE = os.environ.get("WEBHOOKS_EXAMPLES")


def run(main, *arguments):
    """(exit code, stdout, stderr) of a program's main."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(argument) for argument in arguments])
    return code, out.getvalue(), err.getvalue()


class PublishTest(ExampleTest):
    def test_attributes(self):
        made = {event["id"]: event for event in github_events.events(github_events.load_examples(self.package()))}
        self.assertEqual(len(made), sum(len(examples) for examples in FAMILIES.values()))
        expected = {"installation-0": ("com.github.installation.created", "https://github.com/acme", None),
                    "issues-1": ("com.github.issues.opened", "https://github.com/octo/hello", "octo/hello#7"),
                    "pull_request-2": ("com.github.pull_request.closed", "https://github.com/octo/hello", "octo/hello#8"),
                    "push-0": ("com.github.push", "https://github.com/octo/hello", "octo/hello"),
                    "security_advisory-0": ("com.github.security_advisory.published", "https://github.com/advisories",
                                            None)}
        for identity, (kind, source, subject) in expected.items():
            event = made[identity]
            self.assertEqual((event["type"], event["source"], event.get("subject")), (kind, source, subject))
        self.assertEqual(made["push-0"]["time"], "2024-05-15T17:20:41+02:00")
        self.assertEqual(made["issues-0"]["data"], made["issues-1"]["data"])
        self.assertNotIn("time", made["installation-0"])

    def test_batches_keep_order_and_bounds(self):
        big = [{"id": str(number), "data": "x" * 100_000} for number in range(12)]
        small = [{"id": str(number)} for number in range(120)]
        for events in (big, small):
            made = list(publish.batches(events))
            self.assertEqual([event["id"] for _, body in made for event in json.loads(body)],
                             [event["id"] for event in events])
            self.assertTrue(all(count <= 50 and len(body) < 1024 * 1024 for count, body in made))
        self.assertEqual([count for count, _ in publish.batches(small)], [50, 50, 20])

    def test_publishes_everything_and_waits_out_503(self):
        ingest = self.ingest((503, {"Retry-After": "0"}, {}))
        code, out, _ = run(publish.main, self.package(), "--server", ingest.url, "--prefix", "a-", "--repeat", 2)
        self.assertEqual((code, out), (0, "published 18, duplicates 0, refused 0\n"))
        path, content_type, _, _ = ingest.requests[0]
        self.assertEqual((path, content_type), ("/v1/streams/github/events", "application/cloudevents-batch+json"))
        identities = [event["id"] for event in ingest.events()]
        self.assertEqual((len(set(identities)), identities[0], identities[9]),
                         (18, "a-installation-0", "a-installation-0-r2"))

    def test_counts_duplicates_and_refusals(self):
        results = [{"id": "1", "status": 201}, {"id": "2", "status": "duplicate"},
                   {"id": "3", "status": 409, "error": {"code": "WR1103"}}]
        ingest = self.ingest((207, {}, {"results": results}))
        code, out, err = run(publish.main, self.package(), "--server", ingest.url, "--limit", 3, "--stream", "other")
        self.assertEqual((code, out), (1, "published 1, duplicates 1, refused 1\n"))
        self.assertIn("WR1103", err)
        self.assertEqual(ingest.requests[0][0], "/v1/streams/other/events")

    def test_failures_are_explained(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
        refusing = self.ingest((404, {}, {"title": "unknown stream"}))
        for arguments, words in (((self.package(), "--server", nobody), "nothing listens"),
                                 ((self.package(), "--server", refusing.url), "unknown stream"),
                                 ((self.package(), "--server", "tcp:9"), "not an http"), (("/nowhere",), "npm install")):
            code, _, err = run(publish.main, *arguments)
            self.assertEqual(code, 1)
            self.assertIn(words, err)

    def test_writes_json_lines(self):
        package = self.package()
        file = package / "events.jsonl"
        self.assertEqual(run(publish.main, package, "--out", file)[0], 0)
        self.assertEqual([json.loads(line) for line in file.read_text().splitlines()],
                         list(github_events.events(github_events.load_examples(package))))


class ProveTest(ExampleTest):
    def delivered(self, change=lambda events: events, **options):
        """A stopped service that got the small package's events, after `change`, and the package."""
        package, service = self.package(), self.start("--version", "2")
        service.deliver_all(change(list(github_events.events(github_events.load_examples(package), **options))))
        service.stop()
        return service, package

    def violations(self, change):
        service, package = self.delivered(change)
        code, out, _ = run(prove.main, "--db", service.db, "--package", package)
        self.assertEqual(code, 1, out)
        self.assertIn("NOT PROVED", out)
        return [line for line in out.splitlines() if line.startswith("VIOLATION")]

    def test_a_good_history_is_proved(self):
        service, package = self.delivered(lambda events: events + events[:4], prefix="a-", repeat=2)
        code, out, _ = run(prove.main, "--db", service.db, "--package", package, "--prefix", "a-", "--repeat", 2)
        self.assertEqual(code, 0, out)
        self.assertIn("PROVED", out)

    def test_version_1_then_2_is_proved_when_the_key_is_parked(self):
        package, service = self.package(), self.start()
        events = list(github_events.events(github_events.load_examples(package)))
        parked = [event for event in events if event.get("subject") == "octo/hello#8"]
        statuses = service.deliver_all(event for event in events if event not in parked[2:])
        self.assertEqual(sorted(statuses), [200] * 10 + [422] * 2 + [500])
        self.assertEqual(run(prove.main, "--db", service.db, "--package", package)[0], 1)
        service.request("POST", "/admin/version", "2")
        service.deliver_all(events)
        self.assertEqual(run(prove.main, "--db", service.db, "--package", package)[0], 0)

    def test_a_lost_event_is_found(self):
        found = self.violations(lambda events: events[:-1])
        self.assertEqual(found, ["VIOLATION  activity-feed: security_advisory-0 never arrived"])

    def test_a_wrong_order_is_found(self):
        found = self.violations(lambda events: events[:4] + [events[5], events[4]] + events[6:])
        self.assertEqual(len(found), 1)
        self.assertIn("key octo/hello#8: pull_request-1", found[0])

    def test_double_application_and_changed_keys_are_found(self):
        service, package = self.delivered()
        db = sqlite3.connect(service.db)
        db.execute("INSERT INTO log (at, flow, event_id, key, status, applied) VALUES"
                   " (0,'sync-issues','issues-0','new',200,1), (0,'sync-issues','issues-1','new',200,0)")
        db.execute("UPDATE tickets SET state = 'odd'")
        db.commit()
        db.close()
        _, out, _ = run(prove.main, "--db", service.db, "--package", package)
        self.assertIn("issues-0 was applied 2 times in 2 calls", out)
        self.assertIn("issues-1 came under 2 different idempotency keys", out)

    def test_a_wrong_ticket_is_found(self):
        service, package = self.delivered()
        db = sqlite3.connect(service.db)
        db.execute("UPDATE tickets SET state = 'odd' WHERE ticket = 'octo/hello#8'")
        db.commit()
        db.close()
        _, out, _ = run(prove.main, "--db", service.db, "--package", package)
        self.assertIn("ticket octo/hello#8 is not in the state", out)

    def test_a_missing_file_is_said(self):
        code, _, err = run(prove.main, "--db", "/nowhere/tracker.db", "--package", self.package())
        self.assertEqual(code, 2)
        self.assertIn("/nowhere/tracker.db", err)


@unittest.skipUnless(PACKAGE and Path(PACKAGE).is_dir(), "WEBHOOKS_EXAMPLES does not name the npm package")
class RealPayloadsTest(ExampleTest):
    def test_the_whole_package(self):
        examples = github_events.load_examples(PACKAGE)
        events = list(github_events.events(examples))
        self.assertEqual(len({event["id"] for event in events}), len(examples))
        self.assertTrue(all(event["source"].startswith("https://github.com/") for event in events))
        placeless = [event for event in events if "repository" not in event["data"]]
        self.assertGreater(len(placeless), 24)
        self.assertTrue(all("subject" not in event for event in placeless))
        service = self.start()
        failed = [(event["id"], flow) for event in events for flow in github_events.flows_of(event["type"])
                  if service.deliver(flow, event)[0] != 200]
        without = [event["id"] for event in events if "sync-issues" in github_events.flows_of(event["type"])
                   and "auto_merge" not in event["data"].get("pull_request", {"auto_merge": None})]
        self.assertGreater(len(without), 1)
        self.assertCountEqual(failed, [(event["id"], "activity-feed") for event in placeless]
                              + [(identity, "sync-issues") for identity in without])

    def test_version_2_is_proved(self):
        service = self.start("--version", "2")
        service.deliver_all(github_events.events(github_events.load_examples(PACKAGE)))
        code, out, _ = run(prove.main, "--db", service.db, "--package", PACKAGE)
        self.assertEqual(code, 0, out)


if __name__ == "__main__":
    unittest.main(module=None, argv=[sys.argv[0], "discover", "-s", str(HERE), *sys.argv[1:]])
