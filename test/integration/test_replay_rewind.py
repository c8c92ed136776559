# SPDX-License-Identifier: Apache-2.0
"""Replays of what was delivered already, of what grew too old, and with terms of their own."""
import unittest
from datetime import datetime, timedelta, timezone

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for
from test_replay import FAST, NONE_FIRST

CONFIG = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", capacity: 200/s, requestPrice: 0.01, policy: open }
flows:
  plain:
    from: { stream: s, start: earliest }
    where: { type: [plain] }
    to: { http: { dependency: stub, path: /plain } }
    policy: quick
  keyed:
    from: { stream: s, start: earliest }
    where: { type: [keyed] }
    to: { http: { dependency: stub, path: /keyed } }
    ordering: { key: subject }
    policy: quick
  loose:
    from: { stream: s, start: earliest }
    where: { type: [loose] }
    to: { http: { dependency: stub, path: /loose } }
    ordering: { key: subject, onFailure: continue }
    policy: quick
"""


class RunCase(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES

    def plan(self, status=201, **members):
        selection = members.pop("selection")
        return self.post("/v1/replays", FAST | {"canary": NONE_FIRST, "reason": "test"} | members | {"selection": selection}, status)

    def over(self, replay, state="completed"):
        def ended():
            found = self.get(f"/v1/replays/{replay}")
            return found if found["state"] == state else None
        return wait_for(ended, 15, f"{replay} {state}")

    def run_plan(self, **members):
        replay = self.plan(**members)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        return self.over(replay)

    def count_calls(self, event_id):
        return len(self.handler.calls_of(event_id))


class Rewind(RunCase):
    def test_delivered_events_are_run_again(self):
        ids = [f"again{number}" for number in range(30)]
        self.handler.script(ids[3], stub.status(422))
        self.handler.script(ids[4], stub.status(500), stub.status(200))
        self.publish_many(ids, "plain")
        self.publish_many(["other"], "keyed", subject="x")
        wait_for(lambda: self.state(ids[3], "plain") == "quarantined" and self.state(ids[4], "plain") == "done", 10, "all delivered")
        wait_for(lambda: self.get("/v1/flows/plain")["backlog"] == 0, 10, "the end of the backlog")
        where = {"id": [{"prefix": "again"}]}
        dry = self.post("/v1/replays?dryRun=true", {"selection": {"flow": "plain", "delivered": True, "where": where}})["forecast"]
        self.assertEqual((dry["deliveries"], dry["repeats"], dry["rejected"]), (29, True, 0))
        self.assertAlmostEqual(dry["loads"][0]["cost"], 0.29)
        self.assertEqual(self.count_calls(ids[0]), 1)
        self.handler.script(ids[7], stub.status(422))
        done = self.run_plan(selection={"flow": "plain", "delivered": True, "where": where}, stop={"sameFingerprint": 0, "failureShare": 50})
        counts = done["counts"]
        self.assertEqual((counts["planned"], counts["succeeded"], counts["failedAgain"]), (29, 28, 1))
        self.assertEqual([self.count_calls(ids[number]) for number in (0, 3, 4)], [2, 1, 3])
        keys = {call.header("idempotency-key") for call in self.handler.calls_of(ids[0])}
        self.assertEqual(len(keys), 1)
        self.assertEqual(self.handler.calls_of(ids[0])[1].header("weir-replay"), done["replay"])
        self.assertEqual(self.state(ids[7], "plain"), "quarantined")
        self.assertEqual(self.count_calls("other"), 1)
        # What was run again is delivered: it can be run once more, across a crash.
        replay = self.plan(selection={"flow": "plain", "delivered": True, "where": where},
                           rate={"start": "40/s", "max": "40/s"})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["counts"]["succeeded"] >= 5, 10, "a part of it")
        self.weir.kill()
        self.weir.start()
        counts = self.over(replay)["counts"]
        self.assertEqual((counts["planned"], counts["succeeded"] + counts["failedAgain"]), (28, 28))

    def test_what_is_no_rewind(self):
        for selection in ({"delivered": True}, {"flow": "plain", "delivered": True, "status": 422}):
            self.assertEqual(self.plan(400, selection=selection)["code"], "WR1002")
        self.assertEqual(self.plan(404, selection={"flow": "plian", "delivered": True})["code"], "WR1202")
        self.assertEqual(self.plan(422, selection={"flow": "plain", "delivered": True, "type": "never"})["code"], "WR1501")

    def test_keys_keep_their_order(self):
        self.publish("early", "keyed", subject="k")
        wait_for(lambda: self.state("early", "keyed") == "done", 10, "the first one")
        self.handler.script("holder", stub.status(422))
        self.publish("holder", "keyed", subject="k")
        self.publish("behind", "keyed", subject="k")
        wait_for(lambda: self.state("holder", "keyed") == "quarantined", 10, "the holder")
        # Its key is held: it is left where it is.
        done = self.run_plan(selection={"flow": "keyed", "delivered": True, "key": "k"})
        self.assertEqual((done["counts"]["planned"], done["counts"]["skipped"]), (1, 1))
        self.post("/v1/quarantine/resolve", {"ids": ["holder"], "reason": "by hand"})
        wait_for(lambda: self.state("behind", "keyed") == "done", 10, "the one behind")
        more = [f"more{number}" for number in range(4)]
        for one in more:
            self.publish(one, "keyed", subject="k")
        wait_for(lambda: self.state(more[-1], "keyed") == "done", 10, "four more")
        # The second one fails now: those after it are not run again before it.
        self.handler.script(more[1], stub.status(422))
        done = self.run_plan(selection={"flow": "keyed", "delivered": True, "where": {"id": [{"prefix": "more"}]}},
                             stop={"failureShare": 0, "sameFingerprint": 0})
        self.assertEqual([done["counts"][name] for name in ("succeeded", "failedAgain", "skipped")], [1, 1, 2])
        self.assertEqual([self.count_calls(one) for one in more], [2, 2, 1, 1])


class Terms(RunCase):
    def test_attempts_headers_and_trace_are_those_of_the_plan(self):
        trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        self.handler.script("termed", stub.status(422))
        self.publish("termed", "plain", traceparent=trace, baggage="a=b", extra="kept")
        wait_for(lambda: self.state("termed", "plain") == "quarantined", 10, "it failed")
        self.handler.script("termed", stub.status(500), stub.status(200))
        done = self.run_plan(selection={"ids": ["termed"]}, attempts=1, stop={"sameFingerprint": 0},
                             headers={"trace": "new", "strip": ["baggage"], "set": {"X-Again": "yes"}})
        self.assertEqual(done["counts"]["failedAgain"], 1)  # a 500 is tried three times else
        first, again = self.handler.calls_of("termed")
        self.assertEqual((first.header("x-again"), again.header("x-again")), (None, "yes"))
        self.assertEqual(done["plan"]["headers"]["set"], {"X-Again": "[redacted]"})  # mostly a secret
        self.assertEqual((again.header("baggage"), again.header("ce-baggage"), again.header("ce-extra")), (None, None, "kept"))
        self.assertEqual(first.header("traceparent")[3:35], trace[3:35])
        self.assertNotEqual(again.header("traceparent")[3:35], trace[3:35])
        self.assertEqual(again.header("tracestate"), f"weir={trace[3:35]}-{trace[36:52]}")
        self.assertIn("attempt 1 of 1 failed", self.explain("termed", "plain")["reason"])
        self.run_plan(selection={"ids": ["termed"]})  # the terms are gone with their run
        self.assertEqual(self.handler.calls_of("termed")[2].header("x-again"), None)

    def test_headers_that_are_no_business_of_a_plan(self):
        for headers in ({"set": {"Idempotency-Key": "x"}}, {"set": {"bad name": "x"}}, {"trace": "maybe"}, {"set": {"X": "a\nb"}}):
            answer = self.plan(422, selection={"flow": "plain"}, headers=headers)
            self.assertEqual(answer["code"], "WR1507", headers)


class Staleness(RunCase):
    def stale(self, prefix):
        """One that expired, one that was superseded, one that is neither; all of them in quarantine."""
        ids = [f"{prefix}-{name}" for name in ("expired", "older", "fresh")]
        for one in ids:
            self.handler.script(one, stub.status(422))
        soon = (datetime.now(timezone.utc) + timedelta(seconds=1.5)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.publish(ids[0], "loose", subject=f"{prefix}1", expirytime=soon)
        self.publish(ids[1], "loose", subject=f"{prefix}2")
        self.publish(ids[2], "loose", subject=f"{prefix}3")
        self.publish(f"{prefix}-newer", "loose", subject=f"{prefix}2")
        wait_for(lambda: [self.state(one, "loose") for one in ids] == ["quarantined"] * 3, 10, "three in quarantine")
        wait_for(lambda: self.state(f"{prefix}-newer", "loose") == "done", 10, "the newer one")
        wait_for(lambda: datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ") > soon, 5, "the expiry")
        for one in ids:
            self.handler.script(one, stub.status(200))
        return ids

    def test_what_is_too_old_is_skipped(self):
        ids = self.stale("skip")
        staleness = {"expired": "skip", "superseded": "skip"}
        dry = self.post("/v1/replays?dryRun=true", {"selection": {"ids": ids}, "staleness": staleness})["forecast"]
        self.assertEqual((dry["lookedAt"], dry["tooOld"]), (3, 2))
        counts = self.run_plan(selection={"ids": ids}, staleness=staleness)["counts"]
        self.assertEqual((counts["succeeded"], counts["skipped"], counts["stale"]), (1, 2, 2))
        self.assertEqual([self.state(one, "loose") for one in ids], ["quarantined", "quarantined", "done"])

    def test_what_expires_while_the_run_goes_on_is_skipped(self):
        ids = [f"late{number}" for number in range(4)]
        for one in ids:
            self.handler.script(one, stub.status(422))
        soon = (datetime.now(timezone.utc) + timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.publish(ids[0], "plain")
        for one in ids[1:]:
            self.publish(one, "plain", expirytime=soon)
        wait_for(lambda: [self.state(one, "plain") for one in ids] == ["quarantined"] * 4, 10, "four in quarantine")
        for one in ids:
            self.handler.script(one, stub.status(200))
        plan = {"selection": {"ids": ids}, "staleness": {"expired": "skip"}, "canary": {"count": 1, "hold": "4s"}}
        self.assertEqual(self.post("/v1/replays?dryRun=true", plan)["forecast"]["tooOld"], 0)
        counts = self.run_plan(**plan)["counts"]
        self.assertEqual((counts["sent"], counts["succeeded"], counts["stale"]), (1, 1, 3))
        self.assertEqual([self.state(one, "plain") for one in ids], ["done"] + ["quarantined"] * 3)

    def test_the_expirytime_is_a_deadline_of_a_run_that_minds_it(self):
        expiry = (datetime.now(timezone.utc) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        for staleness, deadline in (("skip", expiry), ("replay", None)):
            one = f"minded-{staleness}"
            self.handler.script(one, *[stub.status(422)] * 2)
            self.publish(one, "plain", expirytime=expiry)
            wait_for(lambda name=one: self.state(name, "plain") == "quarantined", 10, "quarantine")
            self.assertEqual(self.run_plan(selection={"ids": [one]}, staleness={"expired": staleness})["counts"]["failedAgain"], 1)
            self.assertEqual(self.explain(one, "plain").get("deadline") == expiry, deadline == expiry, staleness)

    def test_by_default_it_is_replayed(self):
        counts = self.run_plan(selection={"ids": self.stale("replay")})["counts"]
        self.assertEqual((counts["succeeded"], counts["stale"]), (3, 0))

    def test_a_run_asks_about_it(self):
        ids = self.stale("ask")
        replay = self.plan(selection={"ids": ids}, staleness={"expired": "ask"})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        paused = self.over(replay, "paused")
        self.assertRegex(paused["stateReason"], r"s#\d+ is too old: its expirytime .* has passed; archive, resolve or discard it, then resume")
        self.post("/v1/quarantine/archive", {"ids": ids[:1], "reason": "too old"})
        self.post(f"/v1/replays/{replay}/resume")
        self.assertEqual(self.over(replay)["counts"]["succeeded"], 2)


class Pace(RunCase):
    def test_a_share_of_the_limit_a_canary_by_share_and_a_word_to_slow_down(self):
        ids = [f"paced{number}" for number in range(40)]
        for one in ids:
            self.handler.script(one, stub.status(422))
        self.publish_many(ids, "plain")
        wait_for(lambda: self.get("/v1/flows/plain")["quarantined"] >= 40, 10, "all in quarantine")
        for one in ids:
            self.handler.script(one, stub.status(200))
        plan = {"selection": {"ids": ids}, "rate": {"start": "8/s", "max": "1000/s", "step": "50ms", "factor": 4, "share": 5},
                "canary": {"share": 10, "hold": "0s"}}
        dry = self.post("/v1/replays?dryRun=true", plan)["forecast"]
        self.assertAlmostEqual(dry["estimate"]["peakPerSecond"], 10, delta=0.5)  # 5 % of 200/s
        self.assertGreater(len(dry["estimate"]["steps"]), 1)
        replay = self.plan(**plan)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["state"] == "running", 10, "the end of the canary")
        self.assertGreaterEqual(self.get(f"/v1/replays/{replay}")["counts"]["succeeded"], 4)
        now = wait_for(lambda: self.get(f"/v1/replays/{replay}") if self.get(f"/v1/replays/{replay}")["ratePerSecond"] > 8 else None, 5, "the ramp")
        self.assertLessEqual(now["ratePerSecond"], 10)
        self.assertGreater(now["secondsLeft"], 0)
        slowed = self.post(f"/v1/replays/{replay}/slow", {"reason": "gently"})
        self.assertLessEqual(slowed["ratePerSecond"], now["ratePerSecond"] / 2 + 0.01)
        self.assertIn("slowed to", slowed["stateReason"])
        self.over(replay)
        self.assertEqual(self.get("/v1/audit?limit=500")["entries"][1]["action"], "replay.slow")


class Joined(RunCase):
    def test_what_comes_after_the_plan_is_counted_beside_it(self):
        ids = [f"joined{number}" for number in range(4)]
        for one in ids:
            self.handler.script(one, stub.status(451))
        self.publish_many(ids[:2], "plain")
        wait_for(lambda: [self.state(one, "plain") for one in ids[:2]] == ["quarantined"] * 2, 10, "the first two")
        group = self.explain(ids[0], "plain")["group"]["group"]
        replay = self.plan(selection={"group": group}, stop={"sameFingerprint": 0, "failureShare": 0})["replay"]
        self.publish_many(ids[2:], "plain")
        wait_for(lambda: [self.state(one, "plain") for one in ids[2:]] == ["quarantined"] * 2, 10, "two more")
        self.assertEqual(self.get(f"/v1/replays/{replay}?joined=true")["joinedSince"], 2)
        self.post(f"/v1/replays/{replay}/run")
        self.over(replay)
        found = self.get(f"/v1/replays/{replay}?joined=true")
        self.assertEqual((found["counts"]["planned"], found["counts"]["failedAgain"], found["joinedSince"]), (2, 2, 2))
        self.assertIn("2 came into quarantine since the plan was made", self.cli("replay", "get", replay).out)


if __name__ == "__main__":
    unittest.main()
