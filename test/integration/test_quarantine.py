# SPDX-License-Identifier: Apache-2.0
"""What a person puts aside, and what came back too often: no plan takes it unasked."""
import json
import unittest

from test_replay import ReplayCase, document


class SetAside(ReplayCase):
    def test_what_is_archived_is_not_selected_until_it_is_restored(self):
        ids = self.failed("aside", 3)
        chosen = '{"id":[{"prefix":"aside"}]}'
        self.assertIn("1 delivery archived, 0 skipped", self.cli("quarantine", "archive", ids[0], "--reason", "for later").out)
        self.assertIn("0 deliveries archived", self.cli("quarantine", "archive", ids[0], "--reason", "again").out)
        told = self.explain(ids[0], "one")
        self.assertTrue(told["archived"])
        self.assertIn("it is archived: weir quarantine restore", told["replayable"]["blockedBy"])
        self.assertIn("archived by local:", told["history"][-1]["note"])
        dry = self.post("/v1/replays?dryRun=true", document(where=json.loads(chosen)))
        self.assertEqual(dry["forecast"]["deliveries"], 2)
        self.assertEqual(self.plan(422, ids=ids[:1])["code"], "WR1501")
        # Archived after the plan was made: skipped, and counted.
        self.mend(ids)
        replay = self.plan(ids=ids[1:])["replay"]
        self.cli("quarantine", "archive", ids[1], "--reason", "not this one")
        self.post(f"/v1/replays/{replay}/run")
        counts = self.ended(replay)["counts"]
        self.assertEqual((counts["succeeded"], counts["skipped"]), (1, 1))
        self.cli("quarantine", "restore", *ids[:2], "--reason", "now", "--yes")
        replay = self.plan(ids=ids[:2])["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.assertEqual(self.ended(replay)["counts"]["succeeded"], 2)
        self.assertEqual([entry["action"] for entry in self.get("/v1/audit?limit=500")["entries"]
                          if entry["action"].startswith("quarantine.")].count("quarantine.restore"), 2)

    def test_what_comes_back_too_often_is_exhausted(self):
        ids = self.failed("tired", 2, "tired", "tired")
        for _ in range(2):
            replay = self.plan(flow="tired", stop={"sameFingerprint": 0})["replay"]
            self.post(f"/v1/replays/{replay}/run")
            self.assertEqual(self.ended(replay)["counts"]["failedAgain"], 2)
        self.assertEqual(self.plan(422, flow="tired")["code"], "WR1501")
        told = self.explain(ids[0], "tired")
        self.assertTrue(told["exhausted"])
        self.assertIn("it came back from 2 replays: only a plan that names it takes it again", told["replayable"]["blockedBy"])
        self.mend(ids)
        replay = self.plan(ids=ids[:1])["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.assertEqual(self.ended(replay)["counts"]["succeeded"], 1)


if __name__ == "__main__":
    unittest.main()
