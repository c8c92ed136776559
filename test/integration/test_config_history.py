# SPDX-License-Identifier: Apache-2.0
"""Versions of the configuration: who put what in force, what changed, and the way back."""
import unittest

from handler_case import HandlerCase


class History(HandlerCase):
    CONFIG = """
streams:
  s: {}
dependencies:
  stub: { url: "{url}", policy: plain }
flows:
  f:
    from: { stream: s }
    to: { http: { dependency: stub, path: /f } }
"""
    POLICIES = PLAIN = "\npolicies:\n  plain: { concurrency: { maxParallelRequests: 8 } }\n"
    LIMITED = "\npolicies:\n  plain: { concurrency: { maxParallelRequests: 4 } }\n"

    def limit(self):
        return self.cli_json("dependency", "get", "stub")["limit"]

    def versions(self):
        return self.get("/v1/config/versions")["versions"]

    def put(self, text):
        self.weir.write_config(self.CONFIG.replace("{url}", self.handler.url) + text)

    def test_history_diff_and_rollback(self):
        self.put(self.PLAIN)
        self.cli("config", "reload", "--reason", "eight")
        self.assertEqual(self.limit(), 8)
        first = self.versions()[0]["version"]
        self.put(self.LIMITED)
        shown = self.cli("config", "diff").out
        self.assertIn("-  plain: { concurrency: { maxParallelRequests: 8 } }", shown)
        self.assertIn("+  plain: { concurrency: { maxParallelRequests: 4 } }", shown)
        self.cli("config", "reload", "--reason", "too many")
        self.assertEqual(self.limit(), 4)
        self.assertIn("no difference", self.cli("config", "diff").out)
        self.cli("config", "reload")  # nothing changed: no version
        newest = self.versions()[0]
        self.assertEqual((newest["version"], newest["reason"], newest["inForce"]), (first + 1, "too many", True))
        self.assertTrue(newest["actor"].startswith("local:"))

        self.assertIn("WR1503", self.cli("config", "rollback", str(first), code=2).err)
        self.assertIn("WR1307", self.cli("config", "rollback", "99", "--reason", "x", code=5).err)
        done = self.cli("config", "rollback", str(first), "--reason", "worse")
        self.assertIn(f"version {first + 2} has the text of version {first}", done.out)
        self.assertEqual(self.limit(), 8)
        back = self.versions()[0]
        self.assertEqual((back["version"], back["rolledBackTo"], back["reason"]), (first + 2, first, "worse"))
        self.assertIn("in force", self.cli("config", "rollback", str(first), "--reason", "x", code=6).err)
        between = self.cli("config", "diff", str(first + 1), str(first)).out
        self.assertIn("+  plain: { concurrency: { maxParallelRequests: 8 } }", between)
        listed = self.cli("config", "history").out
        self.assertIn("worse", listed)
        (entry,) = [one for one in self.get("/v1/audit")["entries"] if one["action"] == "config.rollback"]
        self.assertEqual((entry["target"], entry["reason"]), (f"version {first}", "worse"))

    def test_a_bad_reload_is_no_version(self):
        before = self.versions()
        self.put("\npolicies:\n  plain: { concurrency: { maxParallelRequests: 0 } }\n")
        self.cli("config", "reload", code=1)
        self.assertEqual(self.versions(), before)


if __name__ == "__main__":
    unittest.main()
