# SPDX-License-Identifier: Apache-2.0
"""What `weir simulate` shows of a run: the plot, the page, two policies side by side."""
import json
import shutil
import subprocess
import unittest
from html.parser import HTMLParser
from pathlib import Path

from server import ServerCase, run_cli

PUBLISHED = Path(__file__).resolve().parents[1] / "scenarios" / "published"
STORM = PUBLISHED / "retry-storm.yaml"
WEIR = PUBLISHED / "retry-storm-weir.yaml"
SHORT = ("--runs", "1", "--set", "lasts=60s")
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """The elements of a page; complains about one that is closed out of turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.ids, self.wrong = [], [], set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))

    def count(self, tag, **attributes):
        wanted = attributes.items()
        return sum(1 for name, attrs in self.seen if name == tag and wanted <= attrs.items())


class SimulateReport(ServerCase):
    def test_a_plot_stands_below_the_numbers(self):
        done = run_cli("simulate", STORM, *SHORT)
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, "never recovers: metastable", "█ succeeded  ░ attempted  ─ offered",
                         "at server", "▒▒▒", "pause of server")
        self.assertLess(done.out.index("all expectations are met"), done.out.index("█ succeeded"))
        self.assertNotIn("\x1b", done.out)

    def test_a_page_is_well_formed_and_needs_nothing_from_elsewhere(self):
        done = run_cli("simulate", STORM, *SHORT, "-o", "html")
        self.assertEqual((done.code, done.err), (0, ""), done)
        page = Page(done.out)
        self.assertEqual((page.wrong, page.open), ([], []))
        self.assertGreaterEqual(page.count("figure"), 4)
        self.assertEqual(page.count("svg", role="img"), page.count("figure"))
        for _, attrs in page.seen:
            self.assertFalse({"src", "href", "style", "onload", "onclick"} & attrs.keys(), attrs)

    def test_names_are_text_in_a_page(self):
        path = self.folder / "evil.yaml"
        path.write_text(STORM.read_text().replace("name: retry storm", 'name: "<script>alert(1)</script>"'))
        done = run_cli("simulate", path, *SHORT, "-o", "html")
        self.assertEqual(done.code, 0, done)
        self.assertNotIn("<script>alert", done.out)
        self.assertIn("<h1>&lt;script&gt;alert(1)&lt;/script&gt;</h1>", done.out)

    @unittest.skipUnless(shutil.which("chromium"), "no browser here")
    def test_a_browser_runs_the_script_of_a_page_and_refuses_nothing(self):
        path = self.folder / "page.html"
        path.write_text(run_cli("simulate", STORM, *SHORT, "-o", "html").out
                        .replace("</main>", '</main><p id="seen"></p>'))
        done = subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={self.folder}/browser", "--dump-dom", path.as_uri()],
            capture_output=True, text=True, timeout=60, check=True)
        self.assertIn("never recovers: metastable", done.stdout)
        self.assertNotIn("Content Security Policy", done.stderr)
        self.assertNotIn("CONSOLE", done.stderr)

    def test_two_policies_side_by_side(self):
        done = run_cli("simulate", STORM, "--compare", WEIR, "--runs", "2", "--set", "lasts=60s")
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, "one retry: metastable in all 2 runs", "weir defaults: recovers in all 2 runs",
                         "server under one retry", "server under weir defaults", "expected of one retry")
        sides = json.loads(run_cli("simulate", STORM, "--compare", WEIR, *SHORT, "-o", "json").out)["sides"]
        self.assertEqual([side["runs"][0]["ending"] for side in sides], ["metastable", "recovers"])
        # The same arrivals: what is offered is no matter of policy.
        offered = [[step["offered"] for step in side["runs"][0]["series"][0]["steps"]] for side in sides]
        self.assertEqual(offered[0], offered[1])
        page = Page(run_cli("simulate", STORM, "--compare", WEIR, *SHORT, "-o", "html").out)
        self.assertEqual((page.wrong, page.open), ([], []))
        self.assertEqual(page.count("section"), 2)

    def test_another_side_that_does_not_fit(self):
        other = self.folder / "other.yaml"
        other.write_text(WEIR.read_text().replace("requests: {", "request: {"))
        done = run_cli("simulate", STORM, "--compare", other, *SHORT)
        self.assertEqual(done.code, 2, done)
        self.assert_says(done.err, "the other side has no load or flow 'requests'", "did you mean 'request'?")
        other.write_text(WEIR.read_text().replace("timeouts", "timeuots"))
        done = run_cli("simulate", STORM, "--compare", other, *SHORT)
        self.assertNotEqual(done.code, 0)
        self.assert_says(done.err, "other.yaml:", "did you mean 'timeouts'?")
        self.assertEqual(run_cli("simulate", STORM, "--compare", WEIR, *SHORT, "-o", "junit").code, 2)


if __name__ == "__main__":
    unittest.main()
