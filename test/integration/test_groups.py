# SPDX-License-Identifier: Apache-2.0
"""Failure groups: what helps to understand them, what people say about them, and which of them raise an alarm."""
import json
import unittest
from datetime import datetime

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

CONFIG = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  one:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub, path: /one } }
    policy: quick
failureModes:
  - { name: gone, match: { status: [410] }, then: discard }
  - { name: busy, match: { status: [423] }, then: retryLater, after: 1h }
  - { name: known, match: { status: [503] }, then: quarantine }
  - { name: fatal, match: { status: [418] }, then: pauseFlow }
quarantine:
  alarms: { growth: 30, within: 10m, newGroup: 1h }
"""


class GroupCase(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES

    def send(self, prefix, count, data, behaviour):
        ids = [f"{prefix}{number}" for number in range(count)]
        for one in ids:
            self.handler.script(one, behaviour)
        events = [{"specversion": "1.0", "id": one, "type": "test", "source": "/test", "data": data(number)} for number, one in enumerate(ids)]
        answer = self.weir.request("POST", "/v1/streams/s/events", json.dumps(events).encode(),
                                   {"Content-Type": "application/cloudevents-batch+json"})
        self.assertEqual(answer.status, 201, answer.text)
        return ids

    def group_of(self, event_id):
        wait_for(lambda: self.state(event_id, "one") == "quarantined", 10, f"{event_id} in quarantine")
        return self.explain(event_id, "one")["group"]["group"]

    def patch(self, group, status=200, **words):
        answer = self.weir.request("PATCH", f"/v1/groups/{group}", json.dumps(words), {"Content-Type": "application/json"})
        self.assertEqual(answer.status, status, answer.text)
        return answer.json

    def alarms(self, type_):
        return {alarm["name"] for alarm in self.get("/v1/status")["alarms"] if alarm["type"] == type_}


class Groups(GroupCase):
    def test_what_the_members_share_and_what_changed_before(self):
        self.weir.request("POST", "/v1/markers", json.dumps({"title": "tracker 2.4 deployed", "target": "tracker"}),
                          {"Content-Type": "application/json"})
        passed = self.send("well", 40, lambda n: {"repo": {"id": n % 10}, "plan": "paid", "n": n, "org": 1}, stub.status(200))
        wait_for(lambda: self.state(passed[-1], "one") == "done", 10, "what passes")
        failed = self.send("ill", 20, lambda n: {"repo": {"id": 7}, "plan": "free" if n % 4 else "trial", "n": n}, stub.problem(422, "urn:gone"))
        group = self.group_of(failed[-1])
        wait_for(lambda: self.get(f"/v1/groups/{group}")["open"] == 20, 10, "all in the group")
        insight = self.get(f"/v1/groups/{group}/insight")
        self.assertEqual((insight["members"], insight["lookedInto"], insight["comparedWith"]), (20, 20, 40))
        self.assertEqual([(trait["field"], trait["absent"], trait.get("value")) for trait in insight["inCommon"]],
                         [("data.org", True, None), ("data.repo.id", False, "7")])
        self.assertEqual(sum(bucket["failed"] for bucket in insight["histogram"]), 20)
        self.assertLessEqual(len(insight["histogram"]), 24)
        told = [change["what"] + ": " + change["reason"] for change in insight["changedBefore"]]
        self.assertIn("marker tracker: tracker 2.4 deployed", told)
        self.assertIn("config version 1: start", told)
        shown = self.cli("group", "get", group).out
        self.assertIn("data.repo.id is 7: 100 % of these, 10 % of those that passed", shown)
        self.assertIn("no data.org: 100 % of these, 0 % of those that passed", shown)
        self.assertIn("marker tracker: tracker 2.4 deployed", shown)

        split = self.get(f"/v1/groups/{group}/split?by=data.plan")
        self.assertEqual([(part["value"], part["members"]) for part in split["parts"]], [('"free"', 15), ('"trial"', 5)])
        dry = self.post("/v1/replays?dryRun=true", {"selection": {"group": group, "where": split["parts"][1]["where"]}})
        self.assertEqual(dry["forecast"]["deliveries"], 5)
        refused = self.weir.request("GET", f"/v1/groups/{group}/split?by=data.pln")
        self.assertEqual(refused.status, 400)
        self.assertIn("data.plan", refused.json["hint"])

    def test_a_group_has_a_name_an_owner_a_note_and_parts(self):
        one = self.group_of(self.send("first", 2, lambda n: {}, stub.problem(422, "urn:first"))[-1])
        other = self.group_of(self.send("second", 3, lambda n: {}, stub.problem(422, "urn:second"))[-1])
        wait_for(lambda: {one, other} <= self.alarms("newGroup"), 10, "the alarms of two new groups")
        self.cli("group", "assign", one, "ada")
        self.cli("group", "snooze", other, "1h")
        wait_for(lambda: not {one, other} & self.alarms("newGroup"), 10, "the end of the alarms")
        self.patch(other, snoozeUntil="")
        wait_for(lambda: other in self.alarms("newGroup"), 10, "it is awake again")
        self.assertEqual(self.patch(one, name="no inbox", note="ask them", reason="tidy")["title"], "no inbox")
        merged = self.patch(other, mergeInto=one)
        self.assertEqual(merged["mergedInto"], one)
        whole = next(group for group in self.get("/v1/groups")["groups"] if group["group"] == one)
        self.assertEqual((whole["open"], whole["merged"], whole["owner"]), (5, [other], "ada"))
        self.assertNotIn(other, [group["group"] for group in self.get("/v1/groups")["groups"]])
        dry = self.post("/v1/replays?dryRun=true", {"selection": {"group": one}})
        self.assertEqual(dry["forecast"]["deliveries"], 5)
        for group, into in ((one, one), (one, other)):
            self.assertEqual(self.patch(group, 400, mergeInto=into)["code"], "WR1002")
        self.assertEqual(self.patch(one, 400)["code"], "WR1002")
        self.assertEqual(self.patch(one, 400, note="x" * 2001)["code"], "WR1002")
        self.weir.kill()
        self.weir.start()
        kept = self.get(f"/v1/groups/{one}")
        self.assertEqual((kept["title"], kept["note"], kept["merged"]), ("no inbox", "ask them", [other]))
        self.assertEqual(self.patch(other, mergeInto="")["open"], 3)
        said = [entry for entry in self.get("/v1/audit?limit=500")["entries"] if entry["action"] == "group.annotate"]
        self.assertEqual(said[0]["target"], other)
        self.assertIn("tidy", [entry["reason"] for entry in said])

    def test_fast_growth_is_an_alarm(self):
        self.group_of(self.send("many", 35, lambda n: {}, stub.problem(422, "urn:many"))[-1])
        wait_for(lambda: "one" in self.alarms("quarantineGrowth"), 10, "the alarm of growth")
        self.assertRegex(self.weir.request("GET", "/metrics").text, 'weir_alarm{type="quarantineGrowth",name="one"} 1')


class Modes(GroupCase):
    """What a failure mode says to do, instead of what its class would mean."""

    def test_what_a_failure_mode_says(self):
        discarded, later, known, fatal = (self.send(name, 1, lambda n: {}, behaviour)[0] for name, behaviour in (
            ("gone", stub.status(410)), ("busy", stub.status(423)), ("known", stub.status(503)), ("fatal", stub.status(418))))
        for one, state in ((discarded, "discarded"), (later, "waiting"), (known, "quarantined"), (fatal, "quarantined")):
            wait_for(lambda: self.state(one, "one") == state, 10, f"{one} {state}")  # noqa: B023
        self.assertEqual(len(self.handler.calls_of(known)), 1)  # a 503 would be tried again
        row = self.explain(known, "one")
        self.assertEqual(row["failureMode"], "known")
        row = self.explain(later, "one")
        waits = datetime.fromisoformat(row["due"]) - datetime.fromisoformat(row["history"][-1]["at"])
        self.assertAlmostEqual(waits.total_seconds(), 3600, delta=60)
        wait_for(lambda: self.get("/v1/flows/one")["status"] == "paused", 10, "the pause")
        self.post("/v1/flows/one/resume", {"reason": "seen"})


if __name__ == "__main__":
    unittest.main()
