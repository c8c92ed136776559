# SPDX-License-Identifier: Apache-2.0
"""Replay plans as documents: preconditions, verification, stop conditions, editing and dry runs."""
import json
import time
import unittest

import stub_handler as stub
from server import wait_for
from test_replay import NONE_FIRST, ReplayCase

PROBE = None  # what a GET has for an event id


class PlanCase(ReplayCase):
    def probe(self, **members):
        return {"http": {"url": self.handler.url + "/probe", "timeout": "300ms"} | members}

    def metric(self, below):
        return {"prometheus": {"url": self.handler.url + "/api/v1/query", "query": "errors", "below": below, "timeout": "300ms"}}

    def answers(self, body):
        return stub.status(200, [("Content-Type", "application/json")], body)

    def mended(self, prefix, count, **kept):
        ids = self.failed(prefix, count, **kept)
        self.mend(ids)
        return ids

    def put(self, replay, **members):
        answer = self.weir.request("PUT", f"/v1/replays/{replay}", json.dumps({"reason": "other"} | members).encode(),
                                   {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def run_it(self, replay, status=200, **word):
        return self.post(f"/v1/replays/{replay}/run", word, status)

    def refused(self, replay):
        """Why its preconditions do not let it start."""
        answer = self.run_it(replay, 409)
        self.assertEqual(answer["code"], "WR1505", answer)
        shown = self.get(f"/v1/replays/{replay}")
        self.assertEqual(shown["state"], "planned")
        self.assertEqual(shown["counts"]["sent"], 0)
        self.assertIn(answer["detail"].split(" (")[0], [check["check"] for check in shown["checks"]])
        return answer["detail"]


class Preconditions(PlanCase):
    def test_each_kind_when_it_holds_and_when_it_does_not(self):
        ids = self.mended("pre", 1)
        now = time.gmtime()
        soon, later = (f"{(now.tm_hour + hours) % 24:02}:00" for hours in (2, 3))
        rows = [
            ({"breakerClosed": {"dependency": "guarded", "for": "1h"}}, "breaker of guarded closed for 1 h 0 min (it has been for "),
            ({"breakerClosed": {"dependency": "stub"}}, "(inconclusive: it has none)"),
            ({"breakerClosed": {"dependency": "nobody"}}, "(inconclusive: no dependency 'nobody')"),
            ({"flow": {"name": "one", "is": "paused"}}, "flow one paused (it is active)"),
            ({"flow": {"name": "gone", "is": "paused"}}, "(inconclusive: no flow 'gone')"),
            ({"timeWindow": {"from": soon, "until": later}}, f"between {soon} and {later} UTC (it is "),
            (self.probe(status=200), "(it answered 204)"),
            (self.probe(status=204, header={"name": "X-Version", "value": "2"}), "(inconclusive: no header X-Version)"),
            (self.metric(0.5), "(inconclusive: Prometheus answered 204)"),
        ]
        replay = self.plan(ids=ids)["replay"]
        for check, expected in rows:
            self.put(replay, preconditions=[check])
            self.assertIn(expected, self.refused(replay), check)
        self.assertEqual(len(self.audit("replay.refused", replay)), len(rows))
        self.handler.script(PROBE, self.answers(b'{"data":{"resultType":"vector","result":[{"value":[1,"0.25"]}]}}'))
        holds = [{"breakerClosed": {"dependency": "guarded"}}, {"flow": {"name": "one", "is": "active"}},
                 {"timeWindow": {"from": later, "until": soon}}, {"noneInDoubt": True}, self.probe(status=200), self.metric(0.5)]
        self.put(replay, preconditions=holds)
        self.run_it(replay)
        self.ended(replay)
        self.handler.script(PROBE, stub.status(204))

    def test_a_probe_that_hangs_redirects_or_floods_is_never_a_yes(self):
        ids = self.mended("probe", 1)
        replay = self.plan(ids=ids, preconditions=[self.probe()])["replay"]
        for behaviour in (stub.hang(), stub.status(302, [("Location", self.handler.url + "/ok")]), stub.flood_body(), stub.close()):
            self.handler.script(PROBE, behaviour)
            started = time.monotonic()
            self.assertIn("inconclusive", self.refused(replay))
            self.assertLess(time.monotonic() - started, 5)
        self.handler.script(PROBE, stub.status(200))
        self.run_it(replay)
        self.ended(replay)
        self.handler.script(PROBE, stub.status(204))

    def test_in_doubt_keeps_a_plan_from_starting(self):
        ids = ["doubt0", "doubt1"]
        for one in ids:
            self.handler.script(one, stub.close())
        self.publish_many(ids, "unkeyed")
        self.quarantined(2, "unkeyed")
        replay = self.plan(ids=ids, preconditions=[{"noneInDoubt": True}])["replay"]
        self.assertIn("no delivery in doubt (at least one is)", self.refused(replay))
        self.post(f"/v1/replays/{replay}/abort", {"reason": "in doubt"})

    def test_a_plan_that_waits_starts_by_itself_even_after_a_crash(self):
        ids = self.mended("patient", 3)
        self.handler.script(PROBE, stub.status(503))
        replay = self.plan(ids=ids, preconditions=[self.probe()])["replay"]
        told = self.cli("replay", "run", replay, "--wait", "10m", "--reason", "at night").out
        self.assertIn("it starts by itself when its preconditions hold, until ", told)
        self.weir.kill()
        self.weir.start()
        shown = self.get(f"/v1/replays/{replay}")
        self.assertEqual((shown["state"], shown["counts"]["sent"]), ("planned", 0))
        self.assertIn("waits: ", shown["stateReason"])
        self.handler.script(PROBE, stub.status(200))
        self.ended(replay)
        self.check_sums(replay)
        said = [entry["action"] for entry in self.get("/v1/audit?limit=20")["entries"] if entry["target"] == replay]
        self.assertEqual(said, ["replay.complete", "replay.start", "replay.wait", "replay.plan"])

    def test_a_plan_edited_in_between_is_not_run(self):
        ids = self.mended("edited", 2)
        made = self.plan(ids=ids)
        edited = self.put(made["replay"], canary={"count": 1, "hold": "10ms"})
        self.assertNotEqual(edited["hash"], made["hash"])
        self.assertEqual(edited["plan"]["selection"], made["plan"]["selection"])
        refused = self.run_it(made["replay"], 409, hash=made["hash"])
        self.assertEqual(refused["code"], "WR1506")
        self.assertEqual(self.get(f"/v1/replays/{made['replay']}")["counts"]["sent"], 0)
        self.run_it(made["replay"], hash=edited["hash"])
        self.ended(made["replay"])
        self.assertEqual(len(self.audit("replay.edit", made["replay"])), 1)

    def test_a_plan_from_a_file(self):
        ids = self.mended("file", 3)
        plan = self.folder / "plan.yaml"
        plan.write_text(f"selection: {{ ids: [{', '.join(ids)}] }}\nverify: {{ nothingReturned: true }}\nrate: {{ start: 90/s, max: 90/s }}\n")
        self.assertIn("WR1503", self.cli("replay", "plan", "--file", str(plan), code=2).err)
        self.assertIn("--file is the whole plan", self.cli("replay", "plan", "--file", str(plan), "--rate", "5", code=2).err)
        made = self.cli_json("replay", "plan", "--file", str(plan), "--reason", "from a file")
        self.assertEqual(made["plan"]["rate"]["start"], "90/s")
        plan.write_text("rate: { start: 80/s }\nverfy: {}\n")
        wrong = self.cli("replay", "edit", made["replay"], "--file", str(plan), "--reason", "slower", code=2).err
        self.assertIn("plan:2:1: unknown setting 'verfy' in the plan", wrong)
        self.assertIn("did you mean 'verify'?", wrong)
        told = self.cli("replay", "run", made["replay"], "--hash", made["hash"], "--watch").out
        self.assertIn("result: successful", told)
        self.assertIn("yes     nothing back in quarantine (0 are)", told)


class Verified(PlanCase):
    def test_a_failed_check_after_the_canary_stops_the_run(self):
        ids = self.mended("canary-check", 25)
        self.handler.script(PROBE, stub.status(500))
        replay = self.plan(ids=ids, canary={"count": 3, "hold": "50ms"}, verify={"checks": [self.probe()]})["replay"]
        self.run_it(replay)
        stopped = self.ended(replay, "stopped")
        self.assertIn("verification failed: ", stopped["stateReason"])
        self.assertIn("it answered 500", stopped["stateReason"])
        self.assertEqual(stopped["counts"]["sent"], 3)
        self.handler.script(PROBE, stub.status(200))
        self.post(f"/v1/replays/{replay}/resume", {"reason": "the check was wrong"})
        done = self.ended(replay)
        self.assertEqual((done["result"], done["counts"]["succeeded"]), ("successful", 25))
        self.check_sums(replay)

    def test_an_inconclusive_check_at_the_end_pauses(self):
        ids = self.mended("end-check", 4)
        self.handler.script(PROBE, stub.hang())
        replay = self.plan(ids=ids, verify={"checks": [self.probe()], "afterCanary": False})["replay"]
        self.run_it(replay)
        paused = self.ended(replay, "paused")
        self.assertIn("verification inconclusive", paused["stateReason"])
        self.assertEqual(paused["counts"]["succeeded"], 4)
        asked = len(self.handler.calls_of(PROBE))
        self.handler.script(PROBE, stub.status(200))
        self.post(f"/v1/replays/{replay}/resume", {"reason": "it answers again"})
        self.assertEqual(self.ended(replay)["result"], "successful")
        self.assertEqual(len(self.handler.calls_of(PROBE)), asked + 1)  # not asked while it was paused

    def test_what_comes_back_is_a_failed_result(self):
        ids = self.failed("back", 4)
        self.mend(ids[:3])
        replay = self.plan(ids=ids, verify={"nothingReturned": True})["replay"]
        self.run_it(replay)
        done = self.ended(replay)
        self.assertEqual(done["result"], "failed")
        self.assertIn("nothing back in quarantine (1 are)", done["stateReason"])

    def test_what_is_discarded_did_not_succeed(self):
        ids = self.mended("given-up", 4)
        for one in ids[2:]:
            self.handler.script(one, stub.status(200, [("Weir-Outcome", "discard")]))
        replay = self.plan(ids=ids, stop={"failureShare": 0}, verify={"nothingReturned": True})["replay"]
        self.run_it(replay)
        self.ended(replay)
        self.weir.kill()
        self.weir.start()  # what is counted anew is the same
        counts = self.check_sums(replay)
        self.assertEqual((counts["succeeded"], counts["failedAgain"], counts["discarded"], counts["sameFingerprint"]), (2, 2, 2, 0))
        self.assertEqual([item["state"] for item in self.get(f"/v1/replays/{replay}/items?state=discarded")["items"]], ["discarded"] * 2)

    def test_each_step_is_verified(self):
        ids = self.mended("steps", 30)
        self.handler.script(PROBE, stub.status(200), stub.status(200), stub.status(500))
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "20/s", "max": "20/s", "step": "200ms"},
                           verify={"checks": [self.probe()], "eachStep": True})["replay"]
        self.run_it(replay)
        stopped = self.ended(replay, "stopped")
        self.assertTrue(6 <= stopped["counts"]["sent"] < 30, stopped["counts"])
        self.post(f"/v1/replays/{replay}/abort", {"reason": "enough"})


class Conditions(PlanCase):
    def test_slow_halves_the_rate_and_the_limits_are_shown(self):
        ids = self.mended("slow", 60)
        for one in ids[:20]:
            self.handler.script(one, stub.late(0.15, stub.status(200)))
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "40/s", "max": "40/s", "step": "300ms", "concurrency": 8},
                           stop={"latency": {"limit": "100ms", "then": "slow"}})["replay"]
        self.run_it(replay)
        wait_for(lambda: "slowed to 20/s" in self.get(f"/v1/replays/{replay}").get("stateReason", ""), 10, "slowing down")
        shown = self.get(f"/v1/replays/{replay}")
        self.assertIn("latency", [stop["condition"] for stop in shown["stops"]])
        self.ended(replay)
        self.check_sums(replay)

    def test_the_duration_pauses_a_run_that_hangs(self):
        ids = self.mended("long", 20)
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "5/s", "max": "5/s"},
                           stop={"duration": {"limit": "1s", "then": "pause"}})["replay"]
        self.run_it(replay)
        paused = self.ended(replay, "paused")
        self.assertIn("the run has taken", paused["stateReason"])
        self.assertLess(paused["counts"]["sent"], 20)
        self.post(f"/v1/replays/{replay}/abort", {"reason": "enough"})

    def test_who_resumes_overrules_what_went_wrong_until_then(self):
        ids = self.failed("overruled", 20)
        self.mend(ids[3:])
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "40/s", "max": "40/s", "concurrency": 1},
                           verify={"nothingReturned": True, "atEnd": False, "eachStep": True},
                           stop={"sameFingerprint": {"limit": 2, "then": "pause"}, "duration": {"limit": "300ms", "then": "pause"}})["replay"]
        self.run_it(replay)
        self.assertIn("in the same way", self.ended(replay, "paused")["stateReason"])
        for _ in range(10):  # the duration counts from the resume on
            if self.get(f"/v1/replays/{replay}")["state"] == "completed":
                break
            self.post(f"/v1/replays/{replay}/resume", {"reason": "seen"})
            wait_for(lambda: self.get(f"/v1/replays/{replay}")["state"] in ("paused", "completed"), 10, "the next halt")
        counts = self.ended(replay)["counts"]
        self.assertEqual((counts["succeeded"], counts["failedAgain"]), (17, 3))

    def test_a_canary_that_is_not_held_does_not_spin(self):
        ids = self.mended("spin", 3)
        self.post("/v1/flows/one/pause", {"reason": "a look"})
        replay = self.plan(ids=ids, canary={"count": 2, "hold": "0s"})["replay"]
        self.run_it(replay)
        before = self.cpu()
        time.sleep(1)
        self.assertLess(self.cpu() - before, 0.3)
        self.post("/v1/flows/one/resume", {"reason": "seen"})
        self.ended(replay)

    def cpu(self):
        """Seconds of processor time that the server has used."""
        with open(f"/proc/{self.weir.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def test_a_paused_flow_holds_what_was_released(self):
        ids = self.mended("held", 3)
        self.post("/v1/flows/one/pause", {"reason": "a look"})
        replay = self.plan(ids=ids, stop={"duration": {"limit": "500ms", "then": "pause"}})["replay"]
        self.run_it(replay)
        halted = self.ended(replay, "paused")  # though nothing is left to send
        self.assertEqual((halted["counts"]["sent"], halted["counts"]["succeeded"]), (3, 0))
        self.post("/v1/flows/one/resume", {"reason": "seen"})
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["counts"]["inFlight"] == 0, 10, "what was held")
        self.assertEqual(self.ended(replay)["counts"]["succeeded"], 3)


if __name__ == "__main__":
    unittest.main()
