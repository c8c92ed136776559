# SPDX-License-Identifier: Apache-2.0
"""What a dry run foretells, against what then happens: it measures, so that nothing else runs beside it."""
import unittest

import stub_handler as stub
from test_replay import NONE_FIRST, document
from test_replay_plan import PlanCase


class Forecasts(PlanCase):
    """The dry run's duration and load, against what then happens."""

    def foretold(self, prefix, count, seconds, call=None, **plan):
        ids = self.mended(prefix, count)
        if call:
            self.mend(ids, call)
        whole = document(ids=ids, reason="foretold", canary=NONE_FIRST, **plan)
        calls = len(self.handler.calls())
        dry = self.post("/v1/replays?dryRun=true", whole)["forecast"]
        self.assertEqual(len(self.handler.calls()), calls)
        self.assertEqual(dry["deliveries"], count)
        self.assertEqual(sum(group["deliveries"] for group in dry["groups"]), count)
        replay = self.post("/v1/replays", whole, 201)["replay"]
        self.run_it(replay)
        self.ended(replay, seconds=seconds)
        times = sorted(call.at for call in self.handler.calls() if call.header("weir-replay") == replay)
        took = times[-1] - times[0]
        peak = max(sum(start <= at < start + 1 for at in times) for start in times)
        self.assertAlmostEqual(dry["estimate"]["seconds"], took, delta=0.2 * took)
        self.assertAlmostEqual(dry["loads"][0]["peakPerSecond"], peak, delta=max(0.2 * peak, 2))

    def settle_some(self, prefix, behaviour):
        """A history of deliveries that passed, which the forecast learns from."""
        ids = [f"{prefix}{number}" for number in range(70)]
        for one in ids:
            self.handler.script(one, behaviour)
        self.publish_many(ids)
        for one in ids[-1:]:
            self.settled(one, "one", "done")

    def test_a_steady_rate(self):
        self.foretold("steady", 80, 20, rate={"start": "20/s", "max": "20/s"})

    def test_a_ramp(self):
        self.foretold("ramp", 100, 20, rate={"start": "5/s", "max": "40/s", "factor": 2, "step": "1s"})

    def test_bound_by_concurrency(self):
        slow = stub.late(0.1, stub.status(200))
        self.settle_some("past", slow)
        self.foretold("narrow", 60, 30, call=slow, rate={"start": "500/s", "max": "500/s", "concurrency": 2})


if __name__ == "__main__":
    unittest.main()
