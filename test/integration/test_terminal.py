# SPDX-License-Identifier: Apache-2.0
"""What came from outside never moves a cursor, forges a line or becomes a formula, whatever view of the command line shows it."""
import csv
import io
import json
import re
import unittest

import stub_handler as stub
from evil_proxy import EvilProxy
from handler_case import HandlerCase
from server import run_cli, wait_for

CONFIG = """
streams: { s: { retention: 7d } }
dependencies: { stub: { url: "{url}", capacity: 100/s, policy: open } }
flows:
  one:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub, path: /one } }
    ordering: { key: subject, onFailure: continue }
    policy: quick
"""
EVIL = ("\x1b]0;title\x07\x1b[2J\x9b31m\x00\x08\u202e\u2066\u2069\u200b\u200f\ufeff\u061c\u2028\x7f\x85\r\nFORGED line\tx\U000e0041")
# What a terminal would obey, or not show.
HARMFUL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]")
FORMULA = re.compile("^[=+\\-@\t\r＝＋－＠]")
LISTS = ["flow list", "dependency list", "group list --all", "quarantine list", "replay list", "audit list", "event list s", "config history"]
VIEWS = [*LISTS, "status", "flow get one", "dependency get stub", "event get bad", "config diff 1 2", "replay get r1", "replay items r1",
         "explain bad", "version"]


class Terminal(HandlerCase):
    CONFIG = CONFIG

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        title = "broken \x1b[31m\u202e" + EVIL
        cls.handler.script("bad", stub.problem(422, "urn:x\u200b", title))
        cls.handler.script("worse", stub.problem(422, "=1+1", "@SUM(A1)"))
        event = {"specversion": "1.0", "source": "/test\u202e", "type": "test", "subject": "k\u202e\u200b", "data": {"x": EVIL}}
        batch = json.dumps([event | {"id": "bad"}, event | {"id": "worse"}, event | {"id": "=cmd"}])
        answer = cls.weir.request("POST", "/v1/streams/s/events", batch, {"Content-Type": "application/cloudevents-batch+json"})
        assert answer.status in (201, 207), answer.text
        wait_for(lambda: cls.weir.request("GET", "/v1/status").json["quarantined"] >= 2, 20, "the quarantine")
        wait_for(lambda: len(cls.weir.request("GET", "/v1/groups?all=true").json["groups"]) >= 2, 20, "the groups")
        cls.group = cls.weir.request("GET", "/v1/groups?all=true").json["groups"][0]["group"]
        cls.weir.write_config(cls.config(CONFIG) + "# changed\n")
        cls.told(cls.weir.cli("config", "reload", "--reason", f"again {EVIL[26:]}".replace("\0", "")))
        cls.told(cls.weir.cli("flow", "pause", "one", "--reason", "for a while"))
        cls.told(cls.weir.cli("replay", "plan", "--flow", "one", "--reason", "x\x1b]0;y\x07", "--canary", "1"))
        cls.told(cls.weir.cli("flow", "resume", "one", "--reason", "looked"))
        cls.handler.script("left", stub.problem(422, "urn:left", title))  # for another plan
        cls.weir.request("POST", "/v1/streams/s/events", json.dumps(event | {"id": "left"}),
                         {"Content-Type": "application/cloudevents+json"})
        wait_for(lambda: cls.weir.request("GET", "/v1/status").json["quarantined"] >= 3, 20, "the last one")
        cls.told(cls.weir.cli("flow", "pause", "one", "--reason", "\u202elooking\x1b[8m"))

    @staticmethod
    def told(done):
        assert done.code == 0, done.err
        return done

    def views(self):
        return [*VIEWS, f"group get {self.group}", f"group split {self.group} --by type",
                "replay plan --flow one --reason x --dry-run"]

    def assert_harmless(self, view, text):
        found = HARMFUL.search(text)
        self.assertIsNone(found, f"{view}: {found and ascii(text[max(0, found.start() - 60):found.end() + 20])}")

    def test_every_view_of_evil_answers(self):
        with EvilProxy(self.weir.port, lambda text: text + EVIL) as proxy:
            for view in self.views():
                for format_ in ("table", "json", "jsonl", "yaml", "csv", "name"):
                    done = run_cli(*view.split(), "-o", format_, "--server", proxy.url)
                    self.assert_harmless(f"{view} -o {format_}", done.out + done.err)
                    forged = [line for line in (done.out + done.err).splitlines() if line.startswith("FORGED")]
                    if view != "config diff 1 2":  # a text of many lines
                        self.assertEqual(forged, [], view)
            self.assertGreater(proxy.changed, 6 * len(VIEWS) - 12)

    def test_colours_are_this_programs_own(self):
        with EvilProxy(self.weir.port, lambda text: text + EVIL) as proxy:
            for view in self.views():
                done = run_cli(*view.split(), "--color", "always", "--server", proxy.url)
                self.assert_harmless(view, re.sub("\x1b\\[(0|1|2|1;31)m", "", done.out + done.err))

    def test_a_watched_replay(self):
        with EvilProxy(self.weir.port, lambda text: "completed" if text == "planned" else text + EVIL) as proxy:
            done = run_cli("replay", "watch", "r1", "--server", proxy.url)
            self.assertIn("r1", done.out)
            self.assert_harmless("replay watch", done.out + done.err)

    def test_every_view_of_events_that_are_evil_themselves(self):
        for view in self.views():
            done = self.told(self.weir.cli(*view.split()))
            self.assert_harmless(view, done.out + done.err)
        self.assertIn("\\u{202e}", self.weir.cli("explain", "bad").out)

    def test_errors(self):
        with EvilProxy(self.weir.port, lambda text: text + EVIL) as proxy:
            for view in ("event get nobody", "flow get nobody", "group get ffff", "replay get r99", "explain nobody"):
                done = run_cli(*view.split(), "--server", proxy.url)
                self.assertNotEqual(done.code, 0, view)
                self.assert_harmless(view, done.err)
        self.assert_harmless("an argument", self.weir.cli("flow", "get", "x\x1b[2J\u202e").err)

    def test_lines_of_the_log(self):
        log = self.weir.output.read_text()
        self.assert_harmless("the log", log)
        self.assertIn("\\u202elooking", log)

    def test_no_cell_of_a_list_is_a_formula(self):
        for start in ("=", "+", "-", "@", "\t", "\r", "＝"):
            with EvilProxy(self.weir.port, lambda text, start=start: start + "1+1" + text) as proxy:
                for view in LISTS:
                    done = self.told(run_cli(*view.split(), "-o", "csv", "--server", proxy.url))
                    rows = list(csv.reader(io.StringIO(done.out)))
                    self.assertGreater(len(rows), 1, view)
                    self.assertEqual({len(row) for row in rows}, {len(rows[0])}, view)
                    formulas = [cell for row in rows for cell in row if FORMULA.match(cell)]
                    self.assertEqual(formulas, [], view)


if __name__ == "__main__":
    unittest.main()
