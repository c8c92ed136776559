#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The soak with stages made of a line each: what it counts, where it goes on, how it ends."""

import contextlib
import io
import itertools
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import reliability
import soak

STAGES = """
stages:
  - {name: a, targets: [a], run: "x", seeds: a.seeds, table: {a.cuts: cuts}}
soak: {table: {soak.failures: failures}}
"""


class SoakCase(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for path in ("docs", "test", "build"):
            (self.root / path).mkdir()
        (self.root / reliability.STAGES).write_text(STAGES)
        (self.root / reliability.PAGE).write_text("before\n" + reliability.BEGIN + reliability.END + "after\n")

    def stage(self, code: str) -> dict:
        """One that runs this Python, with {seed} and {json} filled in."""
        (self.root / "stage.py").write_text("import sys\nseed, told = sys.argv[1:]\n" + code)
        return {"name": "a", "run": "/usr/bin/python3 stage.py {seed} {json}", "seeds": "a.seeds"}

    def run_soak(self, stage: dict, minutes: float) -> tuple[int, str]:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = soak.soak(self.root, [stage], minutes)
        return code, out.getvalue()

    def counters(self) -> dict:
        return json.loads((self.root / reliability.COUNTERS).read_text())

    def test_counters_add_up_and_seeds_go_on(self):
        stage = self.stage("import json\njson.dump({'a.cuts': 5, 'a.seeds': 3, 'last': int(seed)}, open(told, 'w'))\n")
        first = soak.run_turn(self.root, stage, 1)
        self.assertEqual((first.exit_code, first.problem), (0, ""))
        self.assertEqual(first.counters["last"], soak.FIRST_SEED)
        reliability.add_counters(self.root, {"a.cuts": 5, "a.seeds": 3})
        second = soak.run_turn(self.root, stage, 1)
        self.assertEqual(second.counters["last"], soak.FIRST_SEED + 3)
        reliability.add_counters(self.root, {"a.cuts": 5.5})
        self.assertEqual(self.counters(), {"a.cuts": 10.5, "a.seeds": 3})

    def test_the_page_follows(self):
        reliability.add_counters(self.root, {"a.cuts": 1234567, "unnamed": 1})
        page = (self.root / reliability.PAGE).read_text()
        self.assertIn("| 1,234,567 | cuts |\n", page)
        self.assertNotIn("failures", page)
        self.assertTrue(page.startswith("before\n") and page.endswith("after\n"))

    def test_it_goes_round_until_the_time_is_up(self):
        stage = self.stage("import json\njson.dump({'a.cuts': 1, 'a.seeds': 1}, open(told, 'w'))\nprint('fine')\n")
        clock = mock.Mock(monotonic=mock.Mock(side_effect=itertools.count(0, 30)))  # is asked three times a turn
        with mock.patch.object(soak, "time", clock):
            code, printed = self.run_soak(stage, 4)
        self.assertEqual((code, printed), (0, "a, 30 s: fine\n" * 3))
        self.assertEqual(self.counters(), {"a.cuts": 3, "a.seeds": 3, "soak.failures": 0, "soak.seconds": 90})

    def test_a_failure_ends_it_and_is_kept(self):
        stage = self.stage("import json\njson.dump({'a.cuts': 7}, open(told, 'w'))\nprint('lost one')\nsys.exit(1)\n")
        code, printed = self.run_soak(stage, 60)
        self.assertEqual(code, 1)
        again = f"again: /usr/bin/python3 stage.py {soak.FIRST_SEED} build/soak/a.json"
        for text in (printed, (self.root / "build/soak/failure.txt").read_text()):
            self.assertIn("stage a: exit code 1\n" + again, text)
            self.assertIn("lost one", text)
        self.assertEqual((self.counters()["a.cuts"], self.counters()["soak.failures"]), (7, 1))

    def test_without_counters_nothing_counts(self):
        for code in ("", "open(told, 'w').write('{')", "open(told, 'w').write('{\"a\": {\"b\": 1}}')",
                     "open(told, 'w').write('{\"a\": -1}')"):
            exit_code, printed = self.run_soak(self.stage(code), 60)
            self.assertEqual(exit_code, 1, code)
            self.assertIn("its counters cannot be used", printed)
        self.assertNotIn("a", self.counters())

    def test_the_stages_of_the_repository(self):
        root = Path(__file__).resolve().parent.parent
        for stage in reliability.read_stages(root):
            filled = stage["run"].format(minutes=1, seed=2, json="build/x.json")
            self.assertIn("build/x.json", filled)
            self.assertTrue(stage["table"])
            self.assertTrue(all("." in name for name in stage["table"]))
        self.assertIn("so often", reliability.table(root))


if __name__ == "__main__":
    unittest.main()
