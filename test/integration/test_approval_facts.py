# SPDX-License-Identifier: Apache-2.0
"""What an approver is shown and what the yes is bound to; who is no other person; what asks for a yes at all."""
import json
import re
import unittest

import stub_handler as stub
from approval_case import SLOW, ApprovalCase
from server import wait_for


class Shown(ApprovalCase):
    def test_the_approver_sees_what_would_be_discarded(self):
        ids = self.failed("shown", 3)
        what = {"flow": "one", "type": "test", "ids": ids, "reason": "broken for good"}
        self.refused(self.ask(self.anna, "POST", "/v1/quarantine/discard", **what), 409, "WR1741")
        request, = self.approvals("quarantine", "pending")
        self.assertEqual(request["selection"], {"flow": "one", "type": "test"})
        self.assertEqual(len(request["references"]), 3)
        self.assertTrue(all(re.fullmatch(r"one/s#\d+", one) for one in request["references"]), request)
        self.assertEqual((request["asker"], request["makers"]), ("anna", ["anna"]))
        table = self.cli("approval", "list").out
        self.assertIn("discard of 3 deliveries", table)
        shown = self.cli("approval", "void", request["approval"], "--reason", "only to look").out
        self.assertIn(request["references"][2], shown)
        self.assertIn('"type":"test"', shown)
        self.assertIn(request["hash"][:16], shown)
        self.assertNotIn(request["hash"], shown)

    def test_a_yes_is_to_all_of_a_hash(self):
        replay = self.plan("bound")
        plan = self.get(f"/v1/replays/{replay}")
        self.assertRegex(plan["hash"], "^[0-9a-f]{64}$")
        path = f"/v1/replays/{replay}/approve"
        self.refused(self.ask(self.bob, "POST", path, reason="looked"), 400, "WR1002")
        self.refused(self.ask(self.bob, "POST", path, reason="looked", hash=""), 400, "WR1002")
        self.refused(self.ask(self.bob, "POST", path, reason="looked", hash=plan["hash"][:16]), 409, "WR1506")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run", hash=plan["hash"][:16]), 409, "WR1506")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        request, = self.approvals(replay)
        grant = f"/v1/approvals/{request['approval']}/grant"
        self.refused(self.ask(self.bob, "POST", grant, reason="looked"), 400, "WR1002")
        self.refused(self.ask(self.bob, "POST", grant, reason="looked", hash=plan["hash"][:16]), 409, "WR1506")
        self.done(self.ask(self.bob, "POST", grant, reason="looked", hash=plan["hash"]))

    def test_the_command_line_shows_what_it_says_yes_to(self):
        replay = self.plan("cli")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        request = self.approvals(replay)[0]
        for command in (("replay", "approve", replay), ("approval", "grant", request["approval"])):
            self.assertIn("--yes", self.cli(*command, "--reason", "looked", code=2).err)
            self.cli(*command, "--reason", "looked", "--hash", "0" * 64, code=6)
        done = self.cli("approval", "grant", request["approval"], "--reason", "looked", "--yes").out
        self.assertEqual(done.count(f"replay {replay} of 4 deliveries"), 2)  # before it, and after it
        self.assertIn("granted", done)

    def test_an_admin_takes_a_request_back(self):
        replay = self.plan("back")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        path = f"/v1/approvals/{self.approvals(replay)[0]['approval']}/void"
        for token in (self.anna, self.bob):
            self.refused(self.ask(token, "POST", path, reason="mine"), 403, "WR1704")
        self.refused(self.ask(None, "POST", path), 422, "WR1503")
        self.assertEqual(self.done(self.ask(None, "POST", path, reason="a flood"))["state"], "voided")
        self.refused(self.ask(None, "POST", path, reason="again"), 409, "WR1744")
        self.assertEqual(self.audited("approval.void")[0]["reason"], "a flood")


class Asked(ApprovalCase):
    def test_something_in_doubt_is_not_settled_alone(self):
        self.handler.script("unsure", stub.close())
        reference = self.publish("unsure", "once")
        wait_for(lambda: self.state(reference, "once") == "quarantined", 15, "unsure")
        for verb in ("resolve", "discard"):
            answer = self.ask(self.anna, "POST", f"/v1/quarantine/{verb}", ids=["unsure"], reason="it is there")
            self.assertIn("some of it is in doubt", self.refused(answer, 409, "WR1741")["detail"])
        self.assertEqual(self.state(reference, "once"), "quarantined")

    def test_who_edits_what_is_sent_may_not_approve_that_it_is_sent(self):
        self.failed("edited", 2)
        path = "/v1/events/edited0/edit?flow=one"
        bob = {"Authorization": f"Bearer {self.bob}"}
        document = self.weir.request("GET", path, None, bob).json
        edit = {"base": document["base"], "data": {"mended": True}, "reason": "mended"}
        self.done(self.weir.request("POST", path, json.dumps(edit), bob))
        plan = self.done(self.ask(self.anna, "POST", "/v1/replays", reason="again", selection={"ids": ["edited0", "edited1"]}))
        replay = plan["replay"]
        self.assertEqual(plan["edited"], 1)
        answer = self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        self.assertIn("2 deliveries (1 of them edited) needs an approval: some of its events were edited", answer["detail"])
        self.refused(self.approve(self.bob, replay, "I know what I did"), 403, "WR1742")
        items = self.weir.request("GET", f"/v1/replays/{replay}/items", None, {"Authorization": f"Bearer {self.carol}"}).json["items"]
        self.assertEqual([item["revision"] for item in items], [2, 1])
        diff = self.weir.request("GET", "/v1/events/edited0/revisions?flow=one", None, {"Authorization": f"Bearer {self.carol}"})
        self.assertEqual(self.done(diff)["revisions"][0]["revision"], 2)
        self.done(self.approve(self.carol, replay, "looked at the diff"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))

    def test_nobody_inherits_broken_glass(self):
        replay = self.plan("glass", count=30, **SLOW)
        self.done(self.ask(None, "POST", f"/v1/replays/{replay}/run", reason="it burns", breakGlass=True))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/pause"))
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/resume"), 409, "WR1741")
        self.done(self.ask(None, "POST", f"/v1/replays/{replay}/resume", reason="it still burns", breakGlass=True))
        self.assertEqual(len(self.audited("approval.break_glass")), 2)
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/abort"))


class Removed(ApprovalCase):
    def test_a_flow_does_not_take_its_quarantine_with_it_alone(self):
        self.failed("left", 3)
        before, rest = self.weir.config.read_text().split("  one:\n")
        self.weir.config.write_text(before + rest[rest.index("  once:\n"):])
        self.done(self.ask(None, "POST", "/v1/config/reload", reason="it is over"))
        remove = {"reason": "nobody needs it"}
        answer = self.refused(self.ask(None, "DELETE", "/v1/flows/one", **remove), 409, "WR1741")
        self.assertIn("removal of flow one with 3 quarantined and 0 waiting deliveries", answer["detail"])
        request, = self.approvals("flow one")
        self.assertEqual((request["act"], request["selection"]), ("remove", {"flow": "one"}))
        self.assertEqual(len(request["references"]), 3)
        self.assertEqual(self.get("/v1/flows")["removed"][0]["quarantined"], 3)
        self.done(self.grant(self.bob, request["approval"], "looked"))
        self.refused(self.ask(None, "DELETE", "/v1/flows/one", reason="another"), 409, "WR1741")
        self.done(self.ask(None, "DELETE", "/v1/flows/one", **remove))
        entry, = self.audited("flow.remove")
        self.assertRegex(entry["detail"], "^3 quarantined and 0 waiting deliveries, members [0-9a-f]{64}$")
        self.assertEqual([one["state"] for one in self.approvals("flow one") if one["approval"] == request["approval"]], ["used"])
        self.assertEqual(self.ask(None, "DELETE", "/v1/flows/one", **remove).status, 404)


if __name__ == "__main__":
    unittest.main()
