#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What counts as caught, and that a build without switches has nothing of them."""
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import run

ROW = '- { name: a.b, means: "It loses events.", test: [a_test, "it keeps events"] }\n'


def doctest_output(cases, failed_cases, failed_checks):
    return (f"[doctest] test cases:  {cases} |  {cases - failed_cases} passed | {failed_cases} failed | 9 skipped\n"
            f"[doctest] assertions: 12 | 10 passed | {failed_checks} failed |\n")


class Verdicts(unittest.TestCase):
    def test_of_doctest(self):
        self.assertEqual(run.doctest_verdict(0, doctest_output(1, 0, 0)), "passed")
        self.assertEqual(run.doctest_verdict(1, doctest_output(1, 1, 2)), "failed")
        self.assertEqual(run.doctest_verdict(1, doctest_output(1, 1, 0)), "threw")
        self.assertEqual(run.doctest_verdict(0, doctest_output(0, 0, 0)), "no such test")
        crashed = "test case CRASHED: SIGABRT\n" + doctest_output(1, 1, 1)
        self.assertEqual(run.doctest_verdict(1, crashed), "crashed")
        self.assertEqual(run.doctest_verdict(-6, ""), "crashed")

    def test_of_unittest(self):
        self.assertEqual(run.unittest_verdict(0, "Ran 1 test in 0.1s\n\nOK\n"), "passed")
        self.assertEqual(run.unittest_verdict(1, "Ran 1 test in 0.1s\n\nFAILED (failures=1)\n"), "failed")
        self.assertEqual(run.unittest_verdict(1, "Ran 1 test in 0.1s\n\nFAILED (errors=1)\n"), "threw")
        self.assertEqual(run.unittest_verdict(1, "Ran 1 test in 0.1s\n\nFAILED (failures=1, errors=1)\n"), "threw")
        self.assertEqual(run.unittest_verdict(1, "AttributeError: type object 'A' has no attribute 'b'\n"), "no such test")
        self.assertEqual(run.unittest_verdict(-9, ""), "crashed")

    def test_only_a_check_that_fails_with_the_bug_alone_is_a_catch(self):
        ran = {verdict: run.Ran(verdict, 0, "") for verdict in ("passed", "failed", "crashed", "hung")}
        self.assertEqual(run.judge(ran["passed"], ran["failed"]), "caught")
        self.assertEqual(run.judge(ran["passed"], ran["passed"]), "SURVIVED")
        self.assertEqual(run.judge(ran["passed"], ran["crashed"]), "SURVIVED: crashed")
        self.assertEqual(run.judge(ran["passed"], ran["hung"]), "SURVIVED: hung")
        self.assertEqual(run.judge(ran["failed"], ran["failed"]), "NO TEST: failed without the bug")


class Table(unittest.TestCase):
    def test_a_bug_has_a_name_a_meaning_and_a_test(self):
        self.assertEqual(run.bugs_of(ROW), [("a.b", "It loses events.", ("a_test", "it keeps events"))])
        for bad in ("- { name: a.b }\n", ROW.replace('"it keeps events"', ""), ROW + ROW):
            with self.subTest(bad), self.assertRaises(ValueError):
                run.bugs_of(bad)

    def test_switches_and_table_have_the_same_bugs(self):
        bugs = run.bugs_of(ROW)
        run.check_both_ways(bugs, {"a.b"})
        for switches in ({"a.b", "c.d"}, set()):
            with self.subTest(switches), self.assertRaises(ValueError):
                run.check_both_ways(bugs, switches)

    def test_a_switch_stands_in_one_place(self):
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "a.cc"
            source.write_text('if (WEIR_SEEDED_BUG(\n        "a.b")) return;')
            self.assertEqual(run.switches_of(Path(folder)), {"a.b"})
            (Path(folder) / "b.cc").write_text(source.read_text())
            self.assertRaises(ValueError, run.switches_of, Path(folder))

    def test_the_bank_is_complete(self):
        bugs = run.bugs_of((run.HERE / "bugs.yaml").read_text())
        run.check_both_ways(bugs, run.switches_of(run.REPO / "src"))
        self.assertGreaterEqual(len(bugs), 40)


@unittest.skipUnless("WEIR_SWITCH_ON" in os.environ, "CMake builds these programs")
class Builds(unittest.TestCase):
    def code(self, program, bug):
        environment = os.environ | {run.VARIABLE: bug}
        return subprocess.run([program], env=environment, timeout=20, check=False).returncode

    def test_a_test_build_has_the_bug_that_is_named(self):
        program = os.environ["WEIR_SWITCH_ON"]
        self.assertEqual(self.code(program, "one.switch"), 1)
        for other in ("", "one", "one.switch.more"):
            self.assertEqual(self.code(program, other), 0)

    def test_another_build_has_nothing_of_it(self):
        program = os.environ["WEIR_SWITCH_OFF"]
        self.assertEqual(self.code(program, "one.switch"), 0)
        content = Path(program).read_bytes()
        for trace in (b"one.switch", run.VARIABLE.encode(), b"10seeded_bug"):
            self.assertNotIn(trace, content)


if __name__ == "__main__":
    unittest.main()
