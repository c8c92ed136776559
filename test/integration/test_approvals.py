# SPDX-License-Identifier: Apache-2.0
"""Four eyes: persons with several tokens race each other and themselves. No yes counts twice, or of oneself."""
import json
import os
import threading
import unittest
from http.client import HTTPException

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

CONFIG = """
access: {}
approvals:
  replay: { deliveries: 2, inDoubt: true, delivered: true }
  discard: { deliveries: 1 }
  expires: %s
  breakGlass: { roles: [admin] }
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  one:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /one } }
    policy: quick
  once:
    from: { stream: s, start: earliest }
    where: { type: [once] }
    to: { http: { dependency: stub, path: /once, idempotent: false } }
    policy: quick
"""
WHY = json.dumps({"reason": "looked at it"})
SLOW = {"rate": {"start": "1/s", "max": "1/s", "step": "1s"}, "canary": {"count": 1, "hold": "100ms"}}


class ApprovalCase(HandlerCase):
    EXPIRES = "4h"
    POLICIES = POLICIES

    @classmethod
    def setUpClass(cls):
        cls.CONFIG = CONFIG.replace("%s", cls.EXPIRES)
        super().setUpClass()

    def setUp(self):
        self.made = 0
        self.anna = self.token("anna", "operator")[0]
        self.bob, self.bobs = self.token("bob", "approver", "operator")
        self.carol = self.token("carol", "approver")[0]

    def token(self, subject, *roles):
        """The text of a new token of this person, and its id."""
        self.made += 1
        body = {"name": f"n{self.made}", "subject": subject, "roles": roles}
        answer = self.weir.request("POST", "/v1/tokens", json.dumps(body))
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["secret"], answer.json["token"]

    def ask(self, token, method, path, **body):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.weir.request(method, path, json.dumps(body) if method != "GET" else None, headers)

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.json.get("code")), (status, code), answer.text)
        return answer.json

    def done(self, answer):
        self.assertIn(answer.status, (200, 201), answer.text)
        return answer.json

    def failed(self, prefix, count):
        ids = [f"{prefix}{number}" for number in range(count)]
        for one in ids:
            self.handler.script(one, stub.status(422))
        refs = self.publish_many(ids)
        wait_for(lambda: all(self.state(ref, "one") == "quarantined" for ref in refs), 15, prefix)
        for one in ids:
            self.handler.script(one, stub.status(200))
        return ids

    def plan(self, prefix, count=4, token=None, **members):
        body = {"reason": "a test", "selection": {"ids": self.failed(prefix, count)}} | members
        return self.done(self.ask(token or self.anna, "POST", "/v1/replays", **body))["replay"]

    def now(self, replay):
        return self.get(f"/v1/replays/{replay}")["state"]

    def reached(self, replay, state, seconds=20):
        wait_for(lambda: self.now(replay) == state, seconds, f"{replay} {state}: {self.get(f'/v1/replays/{replay}')}")

    def approvals(self, target, state=None):
        return [one for one in self.get("/v1/approvals")["approvals"]
                if one["target"] == target and state in (None, one["state"])]

    def audited(self, action):
        return [entry for entry in self.get("/v1/audit?limit=500")["entries"] if entry["action"] == action]

    def at_once(self, *calls):
        """The answers of these, called at the same time."""
        answers, gate = [None] * len(calls), threading.Barrier(len(calls))

        def one(index, call):
            gate.wait()
            answers[index] = call()
        threads = [threading.Thread(target=one, args=pair) for pair in enumerate(calls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return answers


class Plans(ApprovalCase):
    def test_small_plans_need_nobody(self):
        dry = self.done(self.ask(self.anna, "POST", "/v1/replays?dryRun=true", reason="a test",
                                 selection={"ids": self.failed("dry", 2)}))
        self.assertNotIn("approval", dry["would"])
        replay = self.plan("small", count=2)
        self.assertNotIn("approval", self.get(f"/v1/replays/{replay}"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.refused(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="yes"), 409, "WR1502")

    def test_risk_needs_somebody_at_any_size(self):
        self.handler.script("doubted", stub.close())
        doubted = self.publish("doubted", "once")
        wait_for(lambda: self.state(doubted, "once") == "quarantined", 15, "doubted")
        delivered = self.publish("delivered", "once")
        wait_for(lambda: self.state(delivered, "once") == "done", 15, "delivered")
        for selection, why in (({"flow": "once"}, "some of it is in doubt"),
                               ({"flow": "once", "delivered": True}, "it delivers again what was delivered")):
            told = self.done(self.ask(self.anna, "POST", "/v1/replays?dryRun=true", reason="a test", selection=selection))
            self.assertEqual(told["would"]["approval"]["why"], why)
            plan = self.done(self.ask(self.anna, "POST", "/v1/replays", reason="a test", selection=selection))
            self.assertEqual((plan["counts"]["planned"], plan["approval"]["why"]), (1, why))
            problem = self.refused(self.ask(self.anna, "POST", f"/v1/replays/{plan['replay']}/run"), 409, "WR1741")
            self.assertIn(why, problem["detail"])

    def test_who_approved_it_may_not_resume_it(self):
        replay = self.plan("resumer", count=30, **SLOW)
        self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/pause"))
        self.refused(self.ask(self.bob, "POST", f"/v1/replays/{replay}/resume"), 409, "WR1741")
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/abort"))

    def test_a_large_plan_is_asked_for_and_granted(self):
        replay = self.plan("large")
        problem = self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        self.assertIn("4 deliveries, more than 2", problem["detail"])
        need = self.get(f"/v1/replays/{replay}")["approval"]
        self.assertEqual((need["state"], need["why"]), ("pending", "4 deliveries, more than 2"))
        self.assertIn(need["request"], problem["hint"])
        granted = self.done(self.ask(self.bob, "POST", f"/v1/approvals/{need['request']}/grant", reason="looked"))
        self.assertEqual((granted["state"], granted["approver"], granted["with"]), ("granted", "bob", self.bobs))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.reached(replay, "completed")
        self.assertEqual([one["state"] for one in self.approvals(replay)], ["used"])
        for action in ("approval.request", "approval.grant", "approval.use"):
            self.assertIn(need["request"], [entry["target"] for entry in self.audited(action)])

    def test_nobody_approves_their_own_with_any_token(self):
        replay = self.plan("own")
        for subject in ("anna", "Anna", "ANNA"):
            other = self.token(subject, "approver", "operator", "admin")[0]
            self.refused(self.ask(other, "POST", f"/v1/replays/{replay}/approve", reason="I say so"), 403, "WR1742")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/approve", reason="x"), 403, "WR1704")
        self.assertEqual(self.approvals(replay), [])

    def test_who_approved_it_may_not_run_it(self):
        replay = self.plan("runner")
        self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.refused(self.ask(self.bob, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        self.assertEqual(self.now(replay), "planned")
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))

    def test_an_edit_voids_the_approval_and_the_editor_is_a_maker(self):
        replay = self.plan("edit")
        first = self.get(f"/v1/replays/{replay}")
        self.done(self.ask(self.carol, "POST", f"/v1/replays/{replay}/approve", reason="looked", hash=first["hash"]))
        plan = {"reason": "faster", "selection": first["plan"]["selection"]}
        for rate in ({"start": "50/s", "max": "50/s"}, first["plan"]["rate"]):  # and back again
            self.done(self.ask(self.bob, "PUT", f"/v1/replays/{replay}", **plan, rate=rate))
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        self.assertEqual(len(self.approvals(replay, "voided")), 1)
        self.refused(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="mine"), 403, "WR1742")
        self.refused(self.ask(self.carol, "POST", f"/v1/replays/{replay}/approve", reason="x", hash="0" * 16), 409, "WR1506")

    def test_one_yes_starts_one_run_however_often_it_is_sent(self):
        for number in range(5):
            replay = self.plan(f"double{number}-", count=3)
            grants = self.at_once(*[lambda: self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked")] * 3)
            self.assertEqual(len(self.approvals(replay, "granted")), sum(answer.status == 200 for answer in grants))
            runs = self.at_once(*[lambda: self.ask(self.anna, "POST", f"/v1/replays/{replay}/run")] * 4)
            self.assertEqual(sorted(answer.status for answer in runs), [200, 409, 409, 409])
            self.assertEqual(len(self.approvals(replay, "used")), 1)

    def test_edit_against_run_never_runs_what_was_not_approved(self):
        for number in range(5):
            replay = self.plan(f"race{number}-", count=3)
            first = self.get(f"/v1/replays/{replay}")
            self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
            plan = {"reason": "faster", "selection": first["plan"]["selection"], "rate": {"start": "99/s", "max": "99/s"}}
            edit, run = self.at_once(lambda: self.ask(self.anna, "PUT", f"/v1/replays/{replay}", **plan),
                                     lambda: self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
            self.assertFalse(edit.status == 200 and run.status == 200, edit.text + run.text)
            if run.status == 200:
                self.assertEqual(self.get(f"/v1/replays/{replay}")["hash"], first["hash"])

    def test_a_revoked_approver_pauses_the_run(self):
        bob, bobs = self.token("bob", "approver")
        replay = self.plan("revoked", count=40, **SLOW)
        self.done(self.ask(bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.reached(replay, "running")
        self.done(self.weir.request("DELETE", f"/v1/tokens/{bobs}", WHY))
        self.reached(replay, "paused")
        self.assertIn(f"bob, who approved it with {bobs}, may not approve any more", self.get(f"/v1/replays/{replay}")["stateReason"])
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/resume"), 409, "WR1741")
        self.done(self.ask(self.carol, "POST", f"/v1/replays/{replay}/approve", reason="looked again"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/resume"))
        self.assertEqual(len(self.approvals(replay, "used")), 2)
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/abort"))

    def test_revoked_between_the_yes_and_the_start(self):
        bob, bobs = self.token("bob", "approver")
        replay = self.plan("early")
        self.done(self.ask(bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.done(self.weir.request("DELETE", f"/v1/tokens/{bobs}", WHY))
        problem = self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        self.assertIn("may not approve any more", problem["detail"])

    def test_a_paused_run_goes_on_under_its_approval(self):
        replay = self.plan("goeson", count=30, **SLOW)
        self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/pause"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/resume"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/abort"))

    def test_waiting_needs_it_first_and_when_it_starts(self):
        check = {"preconditions": [{"flow": {"name": "one", "is": "paused"}}]}
        bob, bobs = self.token("bob", "approver")
        replay = self.plan("wait", **check)
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run", wait="1h"), 409, "WR1741")
        self.done(self.ask(bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run", wait="1h"))
        self.assertEqual(len(self.approvals(replay, "granted")), 1)
        self.done(self.weir.request("DELETE", f"/v1/tokens/{bobs}", WHY))
        self.done(self.ask(self.anna, "POST", "/v1/flows/one/pause", reason="now it may start"))
        self.addCleanup(self.ask, self.anna, "POST", "/v1/flows/one/resume", reason="over")
        wait_for(lambda: "waitsUntil" not in self.get(f"/v1/replays/{replay}"), 20, "the end of the wait")
        self.assertEqual(self.now(replay), "planned")
        self.assertIn("may not approve any more", self.get(f"/v1/replays/{replay}")["stateReason"])


class Settling(ApprovalCase):
    def test_a_discard_takes_what_was_approved_once(self):
        ids = self.failed("discard", 3)
        what = {"ids": ids, "reason": "broken for good"}
        problem = self.refused(self.ask(self.anna, "POST", "/v1/quarantine/discard", **what), 409, "WR1741")
        self.assertIn("discard of 3 deliveries needs an approval: 3 deliveries, more than 1", problem["detail"])
        request = self.approvals("quarantine", "pending")[0]["approval"]
        self.refused(self.ask(self.token("anna", "approver")[0], "POST", f"/v1/approvals/{request}/grant", reason="x"), 403, "WR1742")
        self.done(self.ask(self.bob, "POST", f"/v1/approvals/{request}/grant", reason="looked"))
        for other in ({"ids": ids[:2]}, {"reason": "another"}):
            self.refused(self.ask(self.anna, "POST", "/v1/quarantine/discard", **what | other), 409, "WR1741")
        self.refused(self.ask(self.anna, "POST", "/v1/quarantine/resolve", **what), 409, "WR1741")
        answers = self.at_once(*[lambda: self.ask(self.anna, "POST", "/v1/quarantine/discard", **what)] * 3)
        settled = [answer.json.get("settled", 0) for answer in answers]
        self.assertEqual(sorted(settled), [0, 0, 3], [answer.text for answer in answers])
        self.assertEqual([one["approval"] for one in self.approvals("quarantine", "used")], [request])

    def test_one_delivery_needs_nobody(self):
        ids = self.failed("single", 1)
        self.done(self.ask(self.anna, "POST", "/v1/quarantine/discard", ids=ids, reason="one"))

    def test_broken_glass_is_an_alarm(self):
        ids = self.failed("glass", 2)
        what = {"ids": ids, "reason": "the disk burns", "breakGlass": True}
        self.refused(self.ask(self.anna, "POST", "/v1/quarantine/discard", **what), 403, "WR1745")
        self.refused(self.ask(None, "POST", "/v1/quarantine/discard", **what | {"reason": ""}), 422, "WR1503")
        self.assertEqual(self.done(self.ask(None, "POST", "/v1/quarantine/discard", **what))["settled"], 2)
        entry, = self.audited("approval.break_glass")
        self.assertEqual(entry["reason"], "the disk burns")

        def alarms():
            return [alarm for alarm in self.get("/v1/status")["alarms"] if alarm["type"] == "breakGlass"]
        wait_for(alarms, 20, "the alarm")
        self.assertIn("by admin: the disk burns", alarms()[0]["reason"])
        self.assertIn('type="breakGlass"', self.weir.request("GET", "/metrics").text)


class Expired(ApprovalCase):
    EXPIRES = "1s"

    def test_a_yes_is_over_when_it_expires(self):
        replay = self.plan("expired")
        self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        wait_for(lambda: self.approvals(replay, "expired"), 10, "expired")
        self.refused(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"), 409, "WR1741")
        request = self.approvals(replay)[0]["approval"]
        wait_for(lambda: not self.approvals(replay, "pending"), 10, "expired")
        self.refused(self.ask(self.bob, "POST", f"/v1/approvals/{request}/grant", reason="late"), 409, "WR1744")


class Killed(ApprovalCase):
    def test_a_yes_whose_answer_was_lost_is_there(self):
        self.weir.stop()
        self.weir.popen = {"env": os.environ | {"WEIR_FAILPOINT": "approval.after_grant=crash@1"}}
        self.weir.start()
        replay = self.plan("unanswered")
        with self.assertRaises((OSError, HTTPException)):
            self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked")
        self.assertEqual(self.weir.process.wait(10), 137)
        self.weir.popen = {}
        self.weir.start()
        self.assertEqual([one["state"] for one in self.approvals(replay)], ["granted"])
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.reached(replay, "completed")

    def test_a_yes_outlives_kill_9_and_is_used_once(self):
        replay = self.plan("killed", count=20, **SLOW)
        self.done(self.ask(self.bob, "POST", f"/v1/replays/{replay}/approve", reason="looked"))
        self.weir.kill()
        self.weir.start()
        self.done(self.ask(self.anna, "POST", f"/v1/replays/{replay}/run"))
        self.weir.kill()
        self.weir.start()
        self.assertEqual([one["state"] for one in self.approvals(replay)], ["used"])
        self.assertIn(self.now(replay), ("canary", "running"))
        self.done(self.weir.request("DELETE", f"/v1/tokens/{self.bobs}", WHY))
        self.reached(replay, "paused")  # the run of the new process asks as well


if __name__ == "__main__":
    unittest.main()
