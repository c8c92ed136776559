#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The runner of the fuzz targets, on programs that only say what libFuzzer would say."""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().with_name("run.py")
GOOD = """#!/bin/sh
echo '#7	DONE   cov: 3 ft: 42 corp: 1/1b' >&2
echo 'stat::number_of_executed_units: 7' >&2
echo 'stat::new_units_added: 2' >&2
"""
BAD = """#!/bin/sh
for argument; do case $argument in -artifact_prefix=*) prefix=${argument#*=};; esac; done
echo boom >"${prefix}crash-1"
echo 'x.cc:7: assertion failed: a == b' >&2
echo "artifact_prefix='$prefix'; Test unit written to ${prefix}crash-1" >&2
echo 'stat::number_of_executed_units: 3' >&2
exit 77
"""


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.programs = self.root / "bin"
        self.programs.mkdir()

    def program(self, name: str, text: str):
        path = self.programs / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def run_it(self, *arguments: str):
        command = [sys.executable, RUN, self.programs, "--json", self.root / "counters", *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        counters = self.root / "counters"
        return ended, json.loads(counters.read_text(encoding="utf-8")) if counters.exists() else None

    def test_every_corpus_and_then_the_riskiest(self):
        self.program("fuzz_json", GOOD)
        self.program("fuzz_filter", GOOD)
        ended, counters = self.run_it()
        self.assertEqual(ended.returncode, 0, ended.stderr)
        lines = [line.split() for line in ended.stdout.splitlines()]
        self.assertIn(["json", "7", "42", "0", "0"], lines)
        self.assertIn(["filter", "7", "42", "2", "60"], lines)
        self.assertNotIn(["json", "7", "42", "2", "60"], lines)
        self.assertEqual(counters, {"fuzz.runs": 21, "fuzz.targets": 2, "fuzz.new_inputs": 2, "fuzz.crashes": 0})

    def test_an_input_that_fails_is_kept_and_can_be_repeated(self):
        self.program("fuzz_json", GOOD)
        self.program("fuzz_filter", BAD)
        ended, counters = self.run_it("filter", "--minutes", "0.1")
        self.assertEqual(ended.returncode, 1)
        kept = self.root / "found" / "filter" / "failed-crash-1"
        self.assertIn("assertion failed: a == b", ended.stdout)
        self.assertIn(f"repeat it: {self.programs / 'fuzz_filter'} {kept}", ended.stdout)
        self.assertEqual(kept.read_text(encoding="utf-8"), "boom\n")
        self.assertEqual(counters["fuzz.crashes"], 2)  # with its corpus, and by itself

    def test_a_program_that_runs_nothing_has_failed(self):
        self.program("fuzz_json", "#!/bin/sh\nexit 0\n")
        ended, _ = self.run_it()
        self.assertEqual(ended.returncode, 1)
        self.assertIn("json ran nothing", ended.stdout)

    def test_an_unknown_target(self):
        self.program("fuzz_json", GOOD)
        ended, counters = self.run_it("jsn")
        self.assertEqual(ended.returncode, 2)
        self.assertIn("jsn", ended.stderr)
        self.assertIsNone(counters)


if __name__ == "__main__":
    unittest.main()
