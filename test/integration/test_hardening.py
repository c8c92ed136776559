# SPDX-License-Identifier: Apache-2.0
"""The built binary itself: how it was linked and compiled, and what it says about secret files."""
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from server import ServerCase, environment_binary, run_cli


def readelf(*flags):
    done = subprocess.run(["readelf", "-W", *flags, environment_binary()], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def built_with(option):
    cache = Path(environment_binary()).resolve().parents[1] / "CMakeCache.txt"
    return cache.exists() and re.search(rf"^{option}:BOOL=(ON|TRUE|1)$", cache.read_text(), re.MULTILINE) is not None


@unittest.skipUnless(shutil.which("readelf"), "no readelf here")
class Binary(unittest.TestCase):
    def test_addresses_are_random_and_tables_are_read_only(self):
        self.assertIn("DYN (Position-Independent Executable file)", readelf("-h"))
        self.assertRegex(readelf("-l"), r"GNU_RELRO")
        self.assertRegex(readelf("-d"), r"FLAGS_1.*NOW")
        self.assertNotRegex(readelf("-d"), r"RPATH|RUNPATH|TEXTREL")

    def test_no_memory_is_writable_and_executable(self):
        self.assertRegex(readelf("-l"), r"GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW ")
        self.assertNotRegex(readelf("-l"), r"LOAD\s+\S+ \S+ \S+ \S+ \S+ RWE")

    def test_only_a_test_build_has_switches_for_bugs(self):
        has = b"WEIR_SEEDED_BUG" in Path(environment_binary()).read_bytes()
        self.assertEqual(has, built_with("WEIR_SEEDED_BUGS"))

    @unittest.skipUnless(built_with("WEIR_HARDENED"), "not a hardened build")
    def test_stack_buffers_and_jumps_are_checked(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk@")
        if os.uname().machine == "x86_64":
            self.assertGreater(Path(environment_binary()).read_bytes().count(b"\xf3\x0f\x1e\xfa"), 1000)  # endbr64


class SecretFiles(ServerCase):
    CONFIG = """version: 1
dependencies: {{ d: {{ url: "http://127.0.0.1:9", headers: {{ Authorization: "Bearer ${{file:{}}}" }} }} }}
"""

    def test_a_secret_that_others_may_read_is_told(self):
        secret, config = self.folder / "token", self.folder / "weir.yaml"
        secret.write_text("s3cret\n")
        config.write_text(self.CONFIG.format(secret))
        for mode, warned in ((0o600, False), (0o400, False), (0o644, True), (0o640, True)):
            secret.chmod(mode)
            done = run_cli("config", "validate", config)
            self.assertEqual(done.code, 0, done.err)
            self.assertEqual("may be read by others" in done.out, warned, f"{mode:o}: {done.out}")
            self.assertNotIn("s3cret", done.out + done.err)


if __name__ == "__main__":
    unittest.main()
