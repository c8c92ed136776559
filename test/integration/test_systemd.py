# SPDX-License-Identifier: Apache-2.0
"""The unit for systemd: what the service may do, and that a serving Weir does nothing else."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from server import Server, ServerCase, environment_binary, wait_for

UNIT = Path(__file__).resolve().parents[2] / "deploy/systemd/weir.service"
CONFIG = """
streams: { s: { retention: 7d } }
dependencies: { d: { url: "http://127.0.0.1:9" } }
flows: { f: { from: { stream: s }, to: { http: { dependency: d } } } }
"""
# systemd makes the first one, before the filter is there; SQLite the second one, as root only.
NOT_WEIRS = {"execve", "fchown"}


def analyze(*arguments):
    done = subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def settings(name):
    """The values of a setting, in the order of its lines."""
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def expanded(words):
    """System calls, with each @group replaced by its members."""
    calls = set()
    for word in words:
        if not word.startswith("@"):
            calls.add(word)
            continue
        code, text = analyze("syscall-filter", word)
        assert code == 0, text
        calls |= expanded(line.strip() for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith("#"))
    return calls


def allowed_calls():
    """As systemd reads it: the first line allows, those with a tilde take away."""
    allowed = set()
    for value in settings("SystemCallFilter"):
        if value.startswith("~"):
            allowed -= expanded(value[1:].split())
        else:
            allowed |= expanded(value.split())
    return allowed


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
class Unit(unittest.TestCase):
    def test_exposure_is_low(self):
        code, text = analyze("security", "--offline=true", "--threshold=15", str(UNIT))
        self.assertEqual(code, 0, text)

    def test_unit_is_valid(self):
        with tempfile.TemporaryDirectory() as folder:
            installed = Path(folder) / "weir.service"
            installed.write_text(UNIT.read_text().replace("/usr/bin/weir", str(Path(environment_binary()).resolve())))
            code, text = analyze("verify", str(installed))
            self.assertEqual((code, text), (0, ""))

    def test_it_starts_again_only_where_that_helps(self):
        codes = dict(re.findall(r"constexpr int k(\w+) = (\d+);", (UNIT.parents[2] / "src/app/exit_status.h").read_text()))
        self.assertEqual(settings("Restart"), ["on-failure"])
        self.assertEqual(settings("RestartPreventExitStatus"), [f"{codes['ExitUsage']} {codes['ExitStoreRefused']}"])
        grace = re.search(r"kGrace = std::chrono::seconds\{(\d+)\}", (UNIT.parents[2] / "src/app/serve.cc").read_text())
        self.assertGreater(int(settings("TimeoutStopSec")[0]), int(grace.group(1)))


@unittest.skipUnless(shutil.which("systemd-analyze") and shutil.which("strace"), "no systemd-analyze or strace here")
class SystemCalls(ServerCase):
    def traced(self):
        """The names of all system calls of a life: start, an event, a reload, the end."""
        trace = self.folder / "trace"
        os.mkdir(self.folder / "traced")
        weir = Server(self.folder / "traced", CONFIG)
        weir.command = ["strace", "-D", "-f", "-q", "-o", str(trace), *weir.command]  # -D: the process is Weir itself
        self.addCleanup(weir.kill_if_running)
        weir.start(60)
        self.publish(weir, "1")
        wait_for(lambda: weir.request("GET", "/v1/status").json["waiting"] == 1, 30, "the first attempt")
        self.assertEqual(weir.request("POST", "/v1/config/reload", "{}", {"Content-Type": "application/json"}).status, 200)
        self.assertEqual(weir.stop(), 0)
        wait_for(lambda: "+++ exited with 0 +++" in trace.read_text(), 30, "the end of the trace")
        return trace.read_text()

    def test_a_serving_weir_stays_within_the_filter(self):
        with open(environment_binary(), "rb") as file:
            if b"__asan_init" in file.read() or b"__tsan_init" in file.read():
                self.skipTest("a sanitizer has system calls of its own")
        trace = self.traced()
        made = {match.group(1) for match in re.finditer(r"^\d+ +(\w+)\(", trace, re.MULTILINE)} - NOT_WEIRS
        self.assertGreater(len(made), 20)
        self.assertEqual(sorted(made - allowed_calls()), [])
        self.assertIn("prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE) = 0", trace)


if __name__ == "__main__":
    unittest.main()
