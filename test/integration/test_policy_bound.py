# SPDX-License-Identifier: Apache-2.0
"""The worst case from the configuration alone, and what is said of it by validate, serve and reload."""
import json
import unittest

from server import ServerCase, run_cli, wait_for

CONFIG = """
streams: { s: {} }
dependencies: { d: { url: "http://127.0.0.1:9", capacity: 300/s, policy: p } }
flows:
  f: { from: { stream: s }, where: { type: [nobody] }, to: { http: { dependency: d } }, policy: p, peak: 220/s }
policies:
  p:
    timeouts: { attempt: 1s }
    retry: { maxAttempts: 3 }
    retryConstraint: { budget: { percent: 10, interval: 10s }, minRetryRate: { count: 1, interval: 1s } }
    rateLimit: { requests: 250, unit: second, burst: 50 }
"""
BROAD = "    concurrency: { maxParallelRequests: 241 }\n"
BOUNDS = "    bounds: { enforce: reject, maxAmplification: 1.05 }\n"


class Bound(ServerCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "weir.yaml"
        self.path.write_text("version: 1\n" + CONFIG)

    def bound(self, *arguments):
        return run_cli("policy", "bound", "--config", self.path, *arguments)

    def test_the_numbers_of_the_example(self):
        done = self.bound("-o", "json")
        self.assertEqual((done.code, done.err), (0, ""))
        found = json.loads(done.out)
        self.assertEqual(found["verdict"], "stable")
        dependency, flow = found["dependencies"][0], found["flows"][0]
        for name, value in (("failingRatePerSecond", 243), ("hiddenCapacityPerSecond", 271.82),
                            ("safeBudgetPercent", 35.9), ("retryBurst", 231), ("safeConcurrency", 240)):
            self.assertAlmostEqual(dependency[name], value, delta=0.01 * value)
        self.assertEqual((flow["attempts"], flow["calls"]), (3, 5))

    def test_for_people(self):
        done = self.bound("--outage", "1m")
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, "dependency d: stable", "at most 243/s", "hidden capacity", "271.8/s",
                         "after 1 min 0 s down", "flow f -> d: stable")

    def test_what_is_not_declared_is_named(self):
        self.path.write_text("version: 1\n" + CONFIG.replace(", peak: 220/s", ""))
        done = self.bound("--flow", "f")
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, "dependency d: unknown", "peak of flow f")

    def test_wrong_arguments(self):
        self.assertEqual(self.bound("--flow", "g").code, 5)
        self.assertEqual(self.bound("--outage", "5").code, 2)
        self.assertEqual(run_cli("policy", "bound", "--config", self.folder / "no.yaml").code, 1)

    def test_broken_bounds_are_errors_after_the_numbers(self):
        self.path.write_text("version: 1\n" + CONFIG + BOUNDS)
        done = self.bound()
        self.assertEqual(done.code, 1)
        self.assert_says(done.out, "at most 243/s")
        self.assert_says(done.err, f"{self.path}:13:", "error[WR1306, L1]", "the bound is 1.05")
        done = run_cli("config", "validate", self.path)
        self.assertEqual(done.code, 1)
        self.assert_says(done.out, "error[WR1306, L1]", "243/s at a peak of 220/s")
        done = run_cli("serve", "--config", self.path, "--data", self.folder / "store")
        self.assertEqual(done.code, 2)
        self.assert_says(done.err, "WR1306")

    def test_warnings_leave_it_valid(self):
        self.path.write_text("version: 1\n" + CONFIG + BROAD)
        done = run_cli("config", "validate", self.path)
        self.assertEqual(done.code, 0, done)
        self.assert_says(done.out, f"{self.path}:13:41: warning[L3]", "hint: at most 240", "valid: 1 stream")
        found = json.loads(run_cli("config", "validate", self.path, "-o", "json").out)
        self.assertTrue(found["valid"])
        self.assertEqual([one["lint"] for one in found["warnings"]], ["L3"])


class Served(ServerCase):
    def test_warnings_are_logged_once_and_a_broken_bound_keeps_the_rules_in_force(self):
        weir = self.serve(CONFIG + BROAD)
        wait_for(lambda: weir.logged("config.warning"), 10, "the warning at the start")
        self.assertEqual([line["lint"] for line in weir.logged("config.warning")], ["L3"])
        weir.write_config(CONFIG + BROAD + BOUNDS)
        refused = weir.request("POST", "/v1/config/reload", "{}", {"Content-Type": "application/json"})
        self.assertEqual((refused.status, refused.json["code"]), (422, "WR1306"), refused)
        self.assertEqual(len(weir.logged("config.warning")), 1)
        weir.write_config(CONFIG + BROAD)
        done = weir.cli("config", "reload")
        self.assertEqual(done.code, 0, done)
        wait_for(lambda: len(weir.logged("config.warning")) == 2, 10, "the warning of the reload")


if __name__ == "__main__":
    unittest.main()
