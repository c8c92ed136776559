# SPDX-License-Identifier: Apache-2.0
"""`weir policy explain`, as docs/guide/classification.md promises it: the row, its reason, its source, and what would be
decided; from the command line alone, without a server."""
import json
import re
import unittest

from server import ServerCase, run_cli
from processes import REPO

CONFIG = """version: 1
streams: { s: {} }
dependencies: { d: { url: "http://127.0.0.1:9" } }
flows:
  once: { from: { stream: s }, to: { http: { dependency: d, idempotent: false } } }
  again: { from: { stream: s }, to: { http: { dependency: d, idempotent: true } } }
failureModes:
  - { name: closed, match: { status: [503] }, class: permanent, runbook: closed.md }
"""
DOC_ROW = re.compile(r"^\| `(?P<rule>[^`]+)` \| (?P<cells>.*) \|$", re.MULTILINE)


def explain(*arguments):
    return run_cli("policy", "explain", *arguments)


class Explain(ServerCase):
    def told(self, *arguments):
        done = explain(*arguments, "-o", "json")
        self.assertEqual((done.code, done.err), (0, ""))
        return json.loads(done.out)

    def row(self, *arguments):
        """(rule, class, retriable, breaker, limiter, in doubt)"""
        told = self.told(*arguments)
        self.assertTrue(told["reason"] and told["source"], told)
        return (told["rule"], told["class"], *(told[name] for name in (
            "retriable", "countsForBreaker", "countsForLimiter", "inDoubt")))

    def test_503_with_and_without_a_hint(self):
        hinted = self.told("--status", 503, "--header", "Retry-After: 5")
        self.assertEqual((hinted["rule"], hinted["class"], hinted["notBefore"]), ("http.503.hinted", "overloaded", "5 s"))
        self.assertFalse(hinted["countsForBreaker"] or hinted["inDoubt"] or hinted["needsIdempotent"])
        self.assertIn("RFC 9110", hinted["source"])
        bare = self.told("--status", 503)
        self.assertEqual((bare["rule"], bare["class"]), ("http.503", "transient"))
        self.assertTrue(bare["countsForBreaker"] and bare["inDoubt"] and bare["needsIdempotent"])
        self.assertNotIn("notBefore", bare)

    def test_for_people(self):
        done = explain("--status", 503, "--header", "Retry-After: 5")
        self.assertEqual(done.code, 0, done)
        lines = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in done.out.splitlines())
        self.assertEqual((lines["row"], lines["class"], lines["not before"]), ("http.503.hinted", "overloaded", "5 s"))
        self.assertEqual(lines["source"], "RFC 9110 15.6.4, 10.2.3")

    def test_the_codes_of_other_protocols(self):
        yes, no = True, False
        for arguments, expected in {
                ("--grpc", "UNAVAILABLE"): ("grpc.UNAVAILABLE", "transient", yes, yes, no, yes),
                ("--grpc", "14"): ("grpc.UNAVAILABLE", "transient", yes, yes, no, yes),
                ("--grpc", "INVALID_ARGUMENT"): ("grpc.INVALID_ARGUMENT", "permanent", no, no, no, no),
                ("--grpc", "99"): ("grpc.other", "ambiguous", yes, yes, no, yes),
                ("--aws", "ThrottlingException"): ("aws.ThrottlingException", "throttled", yes, no, yes, no),
                ("--aws", "ThrottlingException", "--status", "400"):
                    ("aws.ThrottlingException", "throttled", yes, no, yes, no),
                ("--aws", "NobodyKnowsThis"): ("aws.other", "ambiguous", yes, yes, no, yes),
                ("--sqlstate", "40001"): ("sql.40001", "conflict", yes, no, no, no),
                ("--sqlstate", "23505"): ("sql.23505", "conflict", no, no, no, no),
                ("--sqlstate", "ZZ999"): ("sql.other", "ambiguous", yes, yes, no, yes),
                ("--status", "999"): ("http.unknown", "ambiguous", yes, yes, no, yes)}.items():
            with self.subTest(arguments):
                self.assertEqual(self.row(*arguments), expected)

    def test_how_far_a_request_got_decides_about_the_doubt(self):
        for arguments, doubt in {("--fault", "timeout"): True, ("--fault", "timeout", "--phase", "sentUnseen"): False,
                                 ("--fault", "timeout", "--phase", "notSent"): False, ("--fault", "refused"): False,
                                 ("--grpc", "UNAVAILABLE", "--phase", "sentUnseen"): False}.items():
            with self.subTest(arguments):
                self.assertIs(self.told(*arguments)["inDoubt"], doubt)

    def test_absurd_hints_are_cut_or_ignored_and_said(self):
        for hint, rule, not_before, note in (
                ("31536000", "http.503.hinted", "24 h", "cut to 24 h"),
                ("99999999999999999999999", "http.503.hinted", "24 h", "cut to 24 h"),
                ("Wed, 21 Oct 2015 07:28:00 GMT", "http.503.hinted", "0 s", "has passed"),
                ("-4", "http.503", None, "is negative, ignored"),
                ("tomorrow", "http.503", None, "is no time, ignored")):
            with self.subTest(hint):
                told = self.told("--status", 503, "--header", f"Retry-After: {hint}")
                self.assertEqual((told["rule"], told.get("notBefore")), (rule, not_before))
                self.assert_says(told["note"], note)

    def test_what_would_be_decided(self):
        config = self.folder / "weir.yaml"
        config.write_text(CONFIG)
        def of(flow, *arguments):
            return self.told(*arguments, "--config", config, "--flow", flow)
        again, once = of("again", "--status", 500), of("once", "--status", 500)
        self.assertEqual((again["decision"], again["delay"]), ("retryAt", "0 s to 1 s"))
        self.assertEqual((once["decision"], once["decidedBy"]), ("quarantine", "inDoubt"))
        self.assert_says(once["because"], "idempotent: false")
        closed = of("again", "--status", 503)
        self.assertEqual((closed["failureMode"], closed["class"], closed["decision"]), ("closed", "permanent", "quarantine"))
        asked = of("again", "--status", 503, "--header", "Weir-Outcome: retry")
        self.assertEqual((asked["decision"], asked["decidedBy"]), ("retryAt", "reply.weir-outcome"))
        long = of("again", "--status", 429, "--header", "Retry-After: 31536000")
        self.assertEqual(long["delay"], "5 min to 301 s")
        self.assert_says(long["because"], "cut to 5 min by retry.serverDirected.maxInterval")

    def test_the_whole_table_is_the_one_of_the_documentation(self):
        rows = self.told("--all")["rows"]
        documented = DOC_ROW.findall((REPO / "docs/guide/classification.md").read_text())
        self.assertEqual([row["rule"] for row in rows], [rule for rule, _ in documented])
        for row, (rule, cells) in zip(rows, documented):
            retry = "id" if row["needsIdempotent"] else "yes" if row["retriable"] else ""
            yes = ["yes" if row[name] else "" for name in ("countsForBreaker", "countsForLimiter", "inDoubt")]
            self.assertEqual([cell.strip() for cell in cells.split("|")], [row["class"], retry, *yes, row["source"]], rule)
        self.assertEqual(explain("--all", "-o", "name").out.split(), [row["rule"] for row in rows])

    def test_bad_arguments(self):
        config = self.folder / "weir.yaml"
        config.write_text(CONFIG)
        for arguments, code, text in (
                ((), 2, "nothing to explain"), (("--status", "abc"), 2, "is no HTTP status"),
                (("--grpc", "NOPE"), 2, "is no status code of gRPC"), (("--sqlstate", "4"), 2, "is no SQLSTATE"),
                (("--fault", "nope"), 2, "is no fault"), (("--status", 500, "--phase", "notSent"), 2, "--phase goes with"),
                (("--status", 200, "--fault", "timeout"), 2, "one outcome at a time"),
                (("--status", 503, "--header", "bad"), 2, "is no header"),
                (("--status", 503, "--body", f"@{self.folder}/none"), 2, "cannot be read"),
                (("--status", 503, "--flow", "again"), 2, "--flow needs --config"),
                (("--status", 503, "-o", "xml"), 2, "xml not in"),
                (("--status", 503, "--config", self.folder / "none"), 1, "cannot be read"),
                (("--status", 503, "--config", config, "--flow", "none"), 5, "known: once, again")):
            with self.subTest(arguments):
                done = explain(*arguments)
                self.assertEqual((done.code, done.out), (code, ""))
                self.assert_says(done.err, "error[WR", text, "hint: ")


if __name__ == "__main__":
    unittest.main()
