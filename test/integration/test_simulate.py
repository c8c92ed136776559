# SPDX-License-Identifier: Apache-2.0
"""`weir simulate`: a policy before the incident, from a file, from the real configuration, from a journal."""
import json
import re
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from server import ServerCase, run_cli

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = ROOT / "test" / "scenarios"
# A command in front of a printed block, or at its beginning.
PRINTED = re.compile(r"`(?:\./dev )?weir (simulate [^`]*)`\s*```\n(.*?)```|```\n\$ weir (simulate [^\n]*)\n(.*?)```", re.S)
STORM = """
name: a storm
lasts: 90s
policy:
  timeouts: { attempt: 1s }
  retry: { maxAttempts: 2, backOff: { baseInterval: 1ms, maxInterval: 1ms, jitter: none } }
  retryConstraint: { budget: { percent: 100 }, minRetryRate: { count: 100000 }, tokens: { capacity: 0 } }
  circuitBreaker: { enabled: false }
  deadLetterBrake: { enabled: false }
  concurrency: { maxParallelRequests: 10000 }
load: { a: { to: d, rate: 280/s } }
dependencies: { d: { server: { capacity: 300/s } } }
faults: [{ pause: d, at: 20s, for: 10s }]
expect: { verdict: recovers }
"""
CONFIG = """
streams: { s: {} }
dependencies: { tracker: { url: "http://127.0.0.1:9", capacity: 100/s, policy: p } }
flows:
  f: { from: { stream: s }, where: { type: [nobody] }, to: { http: { dependency: tracker } }, policy: p, peak: 50/s }
policies: { p: { timeouts: { attempt: 1s }, retry: { maxAttempts: 3 } } }
"""


class Simulate(ServerCase):
    def write(self, text, name="s.yaml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def test_the_annotated_example(self):
        done = run_cli("simulate", SCENARIOS / "example.yaml")
        self.assertEqual((done.code, done.err), (0, ""), done)
        self.assert_says(done.out, "recovers in all 3 runs", "MIDDLE", "all expectations are met")

    def test_what_the_documents_show_is_what_is_printed(self):
        for document, count in (("README.md", 1), ("docs/guide/simulate.md", 3)):
            shown = PRINTED.findall((ROOT / document).read_text())
            self.assertEqual(len(shown), count, document)
            for before, under, inside, below in shown:
                printed = run_cli(*(before or inside).split(), cwd=ROOT)
                at = 0
                for line in (under or below).splitlines():
                    if line == "...":
                        continue
                    found = printed.out.find(line.rstrip() + "\n", at) if line else at
                    self.assertNotEqual(found, -1, f"{document}: weir {before or inside} prints no '{line}' there")
                    at = found + len(line.rstrip())

    def test_the_verdict_comes_first_and_missed_expectations_are_an_exit_code(self):
        done = run_cli("simulate", self.write(STORM))
        self.assertEqual((done.code, done.err), (8, ""), done)
        self.assertTrue(done.out.startswith("never recovers: metastable. 60 s after the pause of d ended"), done.out)
        self.assert_says(done.out, "MISSED verdict recovers: metastable")

    def test_one_seed_is_one_trace(self):
        path = self.write(STORM)
        first, again, other = (json.loads(run_cli("simulate", path, "--seed", seed, "-o", "json").out)["runs"][0]
                               for seed in (5, 5, 6))
        self.assertEqual(first["traceHash"], again["traceHash"])
        self.assertNotEqual(first["traceHash"], other["traceHash"])
        self.assertEqual(first["ending"], "metastable")
        self.assertEqual(len(first["series"][0]["steps"]), 90)

    def test_a_setting_makes_it_another_policy(self):
        done = run_cli("simulate", self.write(STORM), "--set", "policy.retry.maxAttempts=1", "--set", "lasts=300s")
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, "recovers ", "met    verdict recovers")

    def test_junit(self):
        done = run_cli("simulate", self.write(STORM), "--runs", 2, "-o", "junit")
        self.assertEqual(done.code, 8, done)
        suite = xml.fromstring(done.out)
        self.assertEqual((suite.get("name"), suite.get("tests"), suite.get("failures")), ("a storm", "2", "2"))

    def test_the_real_configuration_and_an_outage(self):
        path = self.write('version: 1\nlisten: { http: "127.0.0.1:8600" }\ndata: ./d' + CONFIG, "weir.yaml")
        done = run_cli("simulate", "--config", path, "--outage", "tracker=30s", "-o", "json")
        self.assertEqual((done.code, done.err), (0, ""), done)
        run = json.loads(done.out)["runs"][0]
        self.assertEqual((run["ending"], run["faults"][0]["what"]), ("recovers", "outage of tracker"))
        more = run_cli("simulate", "--config", path, "--set", "policies.p.retry.maxAttempts=x")
        self.assertEqual(more.code, 1, more)
        self.assertEqual(more.out, "")
        self.assert_says(more.err, "'maxAttempts' must be a number")

    def test_what_the_command_line_says_is_told_as_it_was_written(self):
        path = self.write('version: 1\nlisten: { http: "127.0.0.1:8600" }\ndata: ./d' + CONFIG, "weir.yaml")
        rows = ((("--outage", "tracker=5m", "--outage", "trackr=5m"), "--outage trackr=5m: error[WR1301]: unknown dependency "
                 "'trackr'\nhint: did you mean 'tracker'?"),
                (("--set", "load.f.rat=5/s"), "--set load.f.rat=5/s: error[WR1301]: unknown setting 'rat'"),
                (("--set", "load.f.rate=five"), "--set load.f.rate=five: error[WR1301]: 'five' is no rate"))
        for arguments, told in rows:
            done = run_cli("simulate", "--config", path, *arguments)
            self.assertEqual((done.code, done.out), (1, ""), done)
            self.assert_says(done.err, told)
            self.assertNotIn("the command line", done.err)
        none = run_cli("simulate", self.write("load: { f: { rate: 1/s } }"), "--config", "none.yaml")
        self.assertEqual((none.code, none.out), (1, ""), none)
        self.assert_says(none.err, "--config none.yaml: error[WR1301]: 'none.yaml' cannot be read")

    def test_what_a_guardrail_holds_back_can_be_expected(self):
        path = self.write("""
lasts: 40s
policy: { rateLimit: { requests: 50, unit: second, burst: 10 } }
load: { a: { to: d, rate: 100/s } }
dependencies: { d: { capacity: 200/s } }
expect: { verdict: heldBack }
""")
        told = "held back by rateLimit of d: 50/s are done of "
        for output in ("table", "json", "junit", "html"):
            done = run_cli("simulate", path, "-o", output)
            self.assertEqual((done.code, done.err), (0, ""), done)
            self.assert_says(done.out, "heldBack")
            if output != "junit":
                self.assert_says(done.out, told)
        missed = run_cli("simulate", path, "--set", "expect.verdict=steady", "-o", "junit")
        self.assertEqual(missed.code, 8, missed)
        self.assert_says(missed.out, "expected steady, measured heldBack", told)

    def test_two_sides_are_told_apart(self):
        path = self.write(STORM.replace("90s", "40s"))
        done = run_cli("simulate", path, "--compare", path)
        self.assert_says(done.out, f"\n{path}, compared: ")
        wrong = run_cli("simulate", path, "--compare", self.write("load: { a: { to: b } }", "bad.yaml"))
        self.assertEqual((wrong.code, wrong.out), (1, ""), wrong)
        self.assert_says(wrong.err, "bad.yaml: 2 problems\n", "bad.yaml:1:18: error[WR1301]: unknown dependency 'b'")

    def test_what_a_journal_recorded_is_the_load(self):
        weir = self.serve(CONFIG)
        events = [{"specversion": "1.0", "id": str(i), "source": "/s", "type": "t"} for i in range(1200)]
        for start in (0, 600):
            answer = weir.request("POST", "/v1/streams/s/events", json.dumps(events[start:start + 600]),
                                  {"Content-Type": "application/cloudevents-batch+json"})
            self.assertEqual(answer.status, 201)
        done = weir.cli("simulate", "--config", weir.config, "--from-journal", "10m", "-o", "json")
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.err, "s: 1200 events in the last 10 min 0 s")
        self.assertEqual(json.loads(done.out)["runs"][0]["totals"]["events"], 1200)

    def test_what_is_wrong_is_told_with_its_place(self):
        rows = ((STORM.replace("rate: 280/s", "rat: 280/s"), 1, "unknown setting 'rat' in load 'a'"),
                (STORM.replace("to: d", "to: e"), 1, "s.yaml:11:18: error[WR1301]: unknown dependency 'e'"),
                (STORM.replace("{ pause: d", "{ pauze: d"), 1, "did you mean 'pause'?"),
                ("config: no.yaml\n" + STORM, 1, "no.yaml' cannot be read"),
                ("[", 1, "not valid YAML"), ("\x00\xff", 1, "s.yaml:1:"),
                ("", 1, "s.yaml:1:1: error[WR1301]: nothing is offered to anybody"))
        for text, code, told in rows:
            for output in ("table", "json", "junit", "html"):
                done = run_cli("simulate", self.write(text), "-o", output)
                self.assertEqual((done.code, done.out), (code, ""), done)
                self.assert_says(done.err, told)

    def test_wrong_arguments(self):
        path = self.write(STORM)
        rows = ((), (path, "--outage", "d=1s"), (path, "--set", "a"), (path, "--set", "policy=[1"), (path, "--runs", "0"),
                (path, "-o", "html2"),
                (path, "--seed", "-1"), (path, "--seed", "99999999999999999999999"),
                (path, "--compare", path, "-o", "junit", "--runs", "10000"), ("--config", "x", "--outage", "d"), (path, "--from-journal", "soon"))
        for arguments in rows:
            done = run_cli("simulate", *arguments)
            self.assertEqual(done.code, 2, done)
        self.assertEqual(run_cli("simulate", self.folder / "none.yaml").code, 1)
        unreachable = run_cli("simulate", path, "--from-journal", "1m", "--server", "http://127.0.0.1:9")
        self.assertEqual(unreachable.code, 9, unreachable)


if __name__ == "__main__":
    unittest.main()
