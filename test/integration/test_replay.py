# SPDX-License-Identifier: Apache-2.0
"""Replays of the built binary: plans that are refused, plans that run, stop, pause and survive kill -9."""
import unittest
from collections import Counter

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

FLOWS = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
  guarded: { url: "{url}", policy: guarded }
flows:
  one:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /one } }
    policy: quick
  two:
    from: { stream: s, start: earliest }
    where: { type: [both, two] }
    to: { http: { dependency: stub, path: /two } }
    policy: quick
  unkeyed:
    from: { stream: s, start: earliest }
    where: { type: [unkeyed] }
    to: { http: { dependency: stub, path: /unkeyed, idempotent: false } }
    policy: quick
  tired:
    from: { stream: s, start: earliest }
    where: { type: [tired] }
    to: { http: { dependency: stub, path: /tired } }
    policy: twice
  broken:
    from: { stream: s, start: earliest }
    where: { type: [broken] }
    to: { http: { dependency: guarded, path: /broken } }
    policy: quick
"""
GUARDED = """
  twice: { extends: quick, retry: { maxAttempts: 1, maxReplays: 2 } }
  guarded:
    retryConstraint: { budget: { percent: 100, interval: 10s }, minRetryRate: { count: 1000, interval: 1s } }
    circuitBreaker: { failureRateThreshold: 50, slidingWindowSize: 10s, minimumNumberOfCalls: 10, waitDurationInOpenState: 1s }
"""
FAST = {"rate": {"start": "500/s", "max": "1000/s"}}
NONE_FIRST = {"count": 0}
SELECTION = ("group", "flow", "class", "since", "until", "where", "ids", "dependency", "status", "key", "type", "mark", "delivered")


def document(**members):
    """A plan document; what selects may stand beside the other members."""
    selection = {name: members.pop(name) for name in SELECTION if name in members}
    return FAST | members | ({"selection": selection} if selection else {})


class ReplayCase(HandlerCase):
    CONFIG = FLOWS
    POLICIES = POLICIES + GUARDED

    def failed(self, prefix, count, flow="one", type_="test", code=422):
        """Publishes so many events that end in quarantine; their ids."""
        ids = [f"{prefix}{number}" for number in range(count)]
        for one in ids:
            self.handler.script(one, stub.status(code))
        before = self.quarantined_now(flow)
        self.publish_many(ids, type_)
        self.quarantined(before + count, flow)
        return ids

    def quarantined_now(self, flow):
        return self.get(f"/v1/flows/{flow}")["quarantined"]

    def mend(self, ids, behaviour=None):
        for one in ids:
            self.handler.script(one, behaviour or stub.status(200))

    def plan(self, status=201, **body):
        return self.post("/v1/replays", document(**{"reason": "a test"} | body), status)

    def ended(self, replay, state="completed", seconds=20):
        try:
            wait_for(lambda: self.get(f"/v1/replays/{replay}")["state"] == state, seconds, f"{replay} {state}")
        except TimeoutError as late:
            raise AssertionError(f"{late}\n{self.get(f'/v1/replays/{replay}')}\n{self.get('/v1/flows')}\n"
                                 f"{self.get('/v1/dependencies')}\n{self.items(replay)}") from late
        return self.get(f"/v1/replays/{replay}")

    def items(self, replay):
        return Counter(item["state"] for item in self.get(f"/v1/replays/{replay}/items?limit=1000")["items"])

    def check_sums(self, replay):
        """The report's numbers add up, and agree with the items."""
        report = self.get(f"/v1/replays/{replay}")
        counts, items = report["counts"], self.items(replay)
        self.assertEqual(counts["sent"] + counts["skipped"] + items["planned"], counts["planned"], counts)
        self.assertEqual(counts["succeeded"] + counts["failedAgain"] + counts["inDoubt"] + items["claimed"], counts["sent"], counts)
        for name in ("succeeded", "discarded", "inDoubt"):
            self.assertEqual(counts[name], items[name], name)
        self.assertEqual(counts["failedAgain"], items["failedAgain"] + items["discarded"])
        self.assertEqual(counts["skipped"], items["skipped"] + items["stale"])
        self.assertEqual(sum(items.values()), counts["planned"])
        return counts

    def audit(self, action, target):
        return [entry for entry in self.get("/v1/audit?limit=500")["entries"]
                if entry["action"] == action and entry["target"] == target]

    def replay_calls(self, ids, replay):
        """How often each event was called within the run."""
        return Counter(call.event_id for one in ids for call in self.handler.calls_of(one)
                       if call.header("weir-replay") == replay)


class Plans(ReplayCase):
    def replays(self):
        return [replay["replay"] for replay in self.get("/v1/replays")["replays"]]

    def test_an_empty_filter_is_refused(self):
        before = self.replays()
        for body in ({}, {"reason": "all of it"}, {"selection": {}, "reason": "x"}):
            answer = self.post("/v1/replays", body, 422)
            self.assertEqual(answer["code"], "WR1501", answer)
        for body in (document(ids=[], reason="x"), document(flow="", reason="x"), document(flow="one", ids=[], reason="x")):
            answer = self.post("/v1/replays", body, 422)  # a condition that got lost must not widen the selection
            self.assertIn("is empty", answer["detail"])
        self.assertEqual(self.post("/v1/replays?dryRun=true", {}, 422)["code"], "WR1501")
        self.assertIn("WR1501", self.cli("replay", "plan", "--reason", "all of it", code=2).err)
        self.assertEqual(self.replays(), before)

    def test_a_plan_of_nothing_is_refused_and_leaves_nothing(self):
        before = self.replays()
        for body in ({"flow": "two"}, {"class": "auth"}, {"flow": "two", "where": {"type": ["none"]}},
                     {"until": "1990-01-01T00:00:00Z"}):
            answer = self.plan(422, **body)
            self.assertEqual(answer["code"], "WR1501", answer)
        self.assertEqual(self.replays(), before)
        self.assertIn("WR1501", self.cli("replay", "plan", "--flow", "two", "--reason", "x", code=2).err)
        self.assertEqual(self.replays(), before)
        dry = self.post("/v1/replays?dryRun=true", document(flow="two"), 422)
        self.assertEqual(dry["code"], "WR1501")  # as the plan itself would say

    def test_a_plan_needs_a_reason(self):
        ids = self.failed("reason", 1)
        before = self.replays()
        for reason in ({}, {"reason": ""}):
            answer = self.post("/v1/replays", document(ids=ids, **reason), 422)
            self.assertEqual(answer["code"], "WR1503", answer)
        self.assertIn("WR1503", self.cli("replay", "plan", *ids, code=2).err)
        self.assertEqual(self.replays(), before)
        self.assertEqual(self.post("/v1/replays?dryRun=true", document(ids=ids))["would"]["counts"]["planned"], 1)

    def test_a_dry_run_changes_nothing(self):
        ids = self.failed("dry", 22)
        before = (self.replays(), len(self.handler.calls()))
        told = self.cli("replay", "plan", "--where", '{"id":[{"prefix":"dry"}]}', "--dry-run", "--rate", "7").out
        self.assertIn("A dry run: nothing was planned.", told)
        self.assertRegex(told, r"deliveries +22")
        self.assertRegex(told, r"canary +5 first")
        self.assertRegex(told, r"rate +7/s")
        self.assertRegex(told, r"takes about .* with a peak of")
        would = self.cli_json("replay", "plan", *ids[:20], "--dry-run")["would"]
        self.assertEqual(would["counts"]["planned"], 20)
        self.assertEqual(would["plan"]["canary"]["count"], 0)
        self.assertGreater(would["estimate"]["peakPerSecond"], 0)
        self.assertEqual((self.replays(), len(self.handler.calls())), before)
        self.assertEqual([(entry["action"], entry["detail"]) for entry in self.get("/v1/audit?limit=2")["entries"]],
                         [("replay.dry_run", "20 deliveries"), ("replay.dry_run", "22 deliveries")])

    def test_nonsense_is_refused(self):
        ids = self.failed("nonsense", 1)
        for body in ({"rate": {"start": "0/s"}}, {"rate": {"concurrency": 0}}, {"rate": {"factor": 0.5}},
                     {"rate": {"step": "0s"}}, {"canary": {"count": -1}}, {"stop": {"failureShare": 101}}):
            answer = self.plan(422, ids=ids, **body)
            self.assertEqual(answer["code"], "WR1507", body)
            self.assertRegex(answer["detail"], r"plan:1:\d+: '")
        self.assertEqual(self.plan(400, ids=ids, rate={"start": "5/s", "max": "2/s"})["code"], "WR1002")
        self.assertEqual(self.plan(404, flow="tow")["hint"], "did you mean 'two'?")
        self.plan(404, ids=["no-such-event"])
        self.plan(404, group="ffffffffffff")
        self.plan(422, where={"type": "not a list"})

    def test_two_plans_do_not_share_a_delivery(self):
        ids = self.failed("shared", 3)
        first = self.plan(ids=ids[:2])["replay"]
        second = self.plan(ids=ids)
        self.assertEqual(second["counts"]["planned"], 1)
        told = self.explain(ids[0], "one")
        self.assertIn(f"it belongs to replay {first} already", told["replayable"]["blockedBy"])
        self.plan(422, ids=ids)
        for replay in (first, second["replay"]):
            self.post(f"/v1/replays/{replay}/abort", {"reason": "not now"})
        self.assertEqual(self.plan(ids=ids)["counts"]["planned"], 3)


class Runs(ReplayCase):
    def test_plan_run_report(self):
        ids = self.failed("run", 6)
        self.mend(ids[:5])
        planned = self.cli_json("replay", "plan", *ids, "--reason", "service v2", "--rate", "100", "--max-rate", "100")
        replay = planned["replay"]
        self.assertEqual((planned["state"], planned["counts"]["planned"], planned["plan"]["reason"]),
                         ("planned", 6, "service v2"))
        self.assertEqual(self.replay_calls(ids, replay), {})
        self.cli("replay", "run", replay)
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual((counts["sent"], counts["succeeded"], counts["failedAgain"]), (6, 5, 1))
        self.assertEqual(self.replay_calls(ids, replay), {one: 1 for one in ids})
        report = self.cli("replay", "report", replay).out
        for word in ("sent", "succeeded", "failed again", "skipped", "in doubt"):
            self.assertIn(word, report)
        self.assertEqual(self.explain(ids[0], "one")["state"], "done")
        again = self.explain(ids[5], "one")
        self.assertEqual((again["state"], again["replays"]), ("quarantined", 1))
        self.assertIn("replayed 1 time before", again["why"])
        for action in ("replay.plan", "replay.start", "replay.complete"):
            self.assertEqual(len(self.audit(action, replay)), 1, action)
        self.assertEqual(self.audit("replay.plan", replay)[0]["reason"], "service v2")

    def test_only_a_plan_can_be_run_and_only_once(self):
        ids = self.failed("once", 1)
        self.mend(ids)
        replay = self.plan(ids=ids)["replay"]
        self.assertEqual(self.post(f"/v1/replays/{replay}/pause", {}, 409)["code"], "WR1502")
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay)
        for verb in ("run", "pause", "resume", "abort"):
            self.assertEqual(self.post(f"/v1/replays/{replay}/{verb}", {}, 409)["code"], "WR1502", verb)
        self.assertIn("WR1502", self.cli("replay", "run", replay, code=6).err)
        self.assertIn("WR1205", self.cli("replay", "run", "r9999", code=5).err)

    def test_what_was_replayed_already_is_not_selected_again(self):
        ids = self.failed("already", 2)
        self.mend(ids)
        replay = self.plan(ids=ids)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay)
        self.assertEqual(self.plan(422, ids=ids)["code"], "WR1501")
        self.assertEqual(len(self.replay_calls(ids, replay)), 2)

    def test_what_was_settled_after_the_plan_is_skipped_and_reported(self):
        ids = self.failed("settled", 3)
        self.mend(ids)
        replay = self.plan(ids=ids)["replay"]
        self.cli("quarantine", "resolve", ids[1], "--flow", "one", "--reason", "done by hand")
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual((counts["planned"], counts["sent"], counts["skipped"]), (3, 2, 1))
        self.assertEqual(self.replay_calls(ids, replay), {ids[0]: 1, ids[2]: 1})
        skipped = self.cli_json("replay", "items", replay, "--state", "skipped")["items"]
        self.assertEqual(len(skipped), 1)
        self.assertRegex(self.cli("replay", "report", replay).out, r"skipped +1")

    def test_in_doubt_is_neither_success_nor_failure(self):
        ids = self.failed("doubt", 2, "unkeyed", "unkeyed")
        self.mend(ids[:1])
        self.mend(ids[1:], stub.close())
        replay = self.plan(ids=ids)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual((counts["succeeded"], counts["failedAgain"], counts["inDoubt"]), (1, 0, 1))
        self.assertTrue(self.explain(ids[1], "unkeyed")["inDoubt"])

    def test_pause_resume_and_abort(self):
        ids = self.failed("pause", 60)
        self.mend(ids)
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "10/s", "max": "10/s"})["replay"]
        self.cli("replay", "run", replay)
        wait_for(lambda: self.replay_calls(ids, replay), 10, "the first")
        self.cli("replay", "pause", replay, "--reason", "wait")
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["counts"]["inFlight"] == 0, 10, "what was under way")
        sent = self.check_sums(replay)["sent"]
        self.assertLess(sent, 60)
        calls = len(self.replay_calls(ids, replay))
        self.assertEqual(calls, sent)
        live = self.publish("live-while-paused")
        wait_for(lambda: self.handler.calls_of("live-while-paused"), 10, f"{live}, for which dispatch ran")
        self.assertEqual(len(self.replay_calls(ids, replay)), calls)
        self.assertEqual(self.post(f"/v1/replays/{replay}/pause", {}, 409)["code"], "WR1502")
        self.cli("replay", "resume", replay)
        wait_for(lambda: len(self.replay_calls(ids, replay)) > calls, 10, "the next")
        self.cli("replay", "abort", replay, "--reason", "enough")
        self.ended(replay, "aborted")
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["counts"]["inFlight"] == 0, 10, "what was under way")
        counts = self.check_sums(replay)
        left = self.get("/v1/quarantine?limit=500&where=%7B%22id%22:[%7B%22prefix%22:%22pause%22%7D]%7D")["deliveries"]
        self.assertEqual(len(left), 60 - counts["sent"])
        self.assertGreater(len(left), 0)
        self.assertEqual(self.replay_calls(ids, replay).most_common(1)[0][1], 1)
        for action, reason in (("replay.pause", "wait"), ("replay.abort", "enough")):
            self.assertEqual([entry.get("reason") for entry in self.audit(action, replay)], [reason])
        # What the run did not send can be planned anew.
        self.assertEqual(self.plan(where={"id": [{"prefix": "pause"}]})["counts"]["planned"], len(left))


class Stops(ReplayCase):
    def test_a_canary_goes_first_and_holds(self):
        ids = self.failed("canary", 21)
        self.mend(ids)
        replay = self.plan(ids=ids, canary={"hold": "800ms"})
        self.assertEqual(replay["plan"]["canary"]["count"], 5)
        replay = replay["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay)
        self.check_sums(replay)
        times = sorted(call.at for one in ids for call in self.handler.calls_of(one) if call.header("weir-replay") == replay)
        self.assertEqual(len(times), 21)
        self.assertGreaterEqual(times[5] - times[4], 0.75)
        self.assertEqual(len(self.audit("replay.canary_passed", replay)), 1)

    def test_a_failing_canary_stops_the_run(self):
        ids = self.failed("bad-canary", 30)
        replay = self.plan(ids=ids, canary={"hold": "100ms"}, stop={"sameFingerprint": 0})["replay"]
        told = self.cli("replay", "run", replay, "--watch", code=7)
        self.ended(replay, "stopped")
        self.assertIn("canary", self.get(f"/v1/replays/{replay}")["stateReason"] + told.out + told.err)
        counts = self.check_sums(replay)
        self.assertLessEqual(counts["sent"], 5)
        self.assertEqual(counts["succeeded"], 0)
        self.assertEqual(len(self.audit("replay.stop", replay)), 1)
        self.post(f"/v1/replays/{replay}/abort", {"reason": "not mended"})
        wait_for(lambda: self.quarantined_now("one") >= 30, 5, "all of them in quarantine")

    def test_the_failure_share_stops_the_run(self):
        ids = self.failed("share", 40)
        self.mend(ids[:10])
        self.mend(ids[10:], stub.status(400))  # another group than the one it comes from
        replay = self.plan(ids=ids, canary={"count": 5, "hold": "50ms"},
                           rate={"start": "40/s", "max": "40/s", "concurrency": 1}, stop={"failureShare": 30})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay, "stopped")
        counts = self.check_sums(replay)
        self.assertLess(counts["sent"], 25)
        self.assertGreater(counts["failedAgain"], 0)
        self.assertIn("%", self.get(f"/v1/replays/{replay}")["stateReason"])

    def test_the_same_fingerprint_stops_the_run(self):
        ids = self.failed("same", 20)
        replay = self.plan(ids=ids, rate={"start": "20/s", "max": "20/s", "concurrency": 1}, stop={"failureShare": 100})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay, "stopped")
        self.assertLessEqual(self.check_sums(replay)["sent"], 6)
        self.assertIn("failed again in the same way", self.get(f"/v1/replays/{replay}")["stateReason"])
        # Who resumes overrules what went wrong until then.
        self.mend(ids)
        self.post(f"/v1/replays/{replay}/resume", {"reason": "mended now"})
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual(counts["sent"], 20)
        self.assertEqual(counts["succeeded"] + counts["failedAgain"], 20)

    def test_an_open_breaker_stops_the_run(self):
        ids = self.failed("breaker", 40, "broken", "broken")
        self.mend(ids, stub.status(503))
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "100/s"}, stop={"failureShare": 100, "sameFingerprint": 0})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.ended(replay, "stopped")
        self.assertIn("breaker", self.get(f"/v1/replays/{replay}")["stateReason"])
        self.assertLess(self.get(f"/v1/replays/{replay}")["counts"]["sent"], 40)
        self.mend(ids)
        self.post(f"/v1/replays/{replay}/abort", {"reason": "down"})


class Killed(ReplayCase):
    COUNT = 60

    def test_a_run_goes_on_after_kill_9_and_settles_each_once(self):
        ids = self.failed("killed", self.COUNT)
        self.mend(ids, stub.late(0.02, stub.status(200)))
        self.handler.script(ids[30], stub.status(422))
        replay = self.plan(ids=ids, canary=NONE_FIRST, rate={"start": "60/s", "max": "60/s", "concurrency": 4},
                           stop={"failureShare": 100, "sameFingerprint": 0})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        for wanted in (8, 20, 35):
            wait_for(lambda: len(self.replay_calls(ids, replay)) >= wanted, 20, f"{wanted} called")  # noqa: B023
            self.weir.kill()
            self.weir.start()
        self.ended(replay, seconds=30)
        counts = self.check_sums(replay)
        self.assertEqual((counts["sent"], counts["succeeded"], counts["failedAgain"]), (self.COUNT, self.COUNT - 1, 1))
        calls = self.replay_calls(ids, replay)
        self.assertEqual(set(calls), set(ids))
        interruptions = 0
        for one in ids:
            self.assertEqual(len({call.key for call in self.handler.calls_of(one)}), 1)
            told = self.explain_api(one)
            self.assertEqual(told["state"], "quarantined" if one == ids[30] else "done", one)
            settled = [line for line in told["history"] if line.get("replay") == replay
                       and line["decision"] in ("done", "quarantine")]
            self.assertEqual(len(settled), 1, told["history"])
            self.assertEqual(told["replays"], 1)
            # Every call of the run is an attempt, the first of all aside, or was cut short; a kill
            # before the call went out is an interruption without a call.
            self.assertLessEqual(calls[one], told["attempts"] - 1 + told["interruptions"], told["history"])
            self.assertLessEqual(told["interruptions"], 3, told["history"])
            interruptions += told["interruptions"]
        # Only what was under way at one of three kills is cut short, at most four at a time.
        self.assertLessEqual(interruptions, 12)

    def explain_api(self, event_id):
        return self.get(f"/v1/events/{event_id}/explain?flow=one")["deliveries"][0]

    def kill_within_call(self, event_id, replay, number):
        wait_for(lambda: self.replay_calls([event_id], replay)[event_id] >= number, 10, f"call {number} of the run")
        self.weir.kill()
        self.weir.start()

    def test_a_delivery_that_ends_the_process_does_not_keep_the_run_from_ending(self):
        ids = self.failed("deadly", 3)
        self.mend(ids)
        self.handler.script(ids[1], stub.hang())
        replay = self.plan(ids=ids)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        for number in (1, 2, 3):
            self.kill_within_call(ids[1], replay, number)
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual((counts["sent"], counts["succeeded"], counts["failedAgain"]), (3, 2, 1))
        told = self.explain_api(ids[1])
        self.assertEqual((told["class"], told["interruptions"], told["attempts"]), ("interrupted", 3, 1))

    def test_a_run_cut_short_leaves_calls_without_a_key_in_doubt(self):
        ids = self.failed("cut", 2, "unkeyed", "unkeyed")
        self.mend(ids[:1])
        self.handler.script(ids[1], stub.hang())
        replay = self.plan(ids=ids)["replay"]
        self.post(f"/v1/replays/{replay}/run")
        self.kill_within_call(ids[1], replay, 1)
        self.ended(replay)
        counts = self.check_sums(replay)
        self.assertEqual(counts["inDoubt"] + counts["succeeded"], 2)
        self.assertEqual(self.replay_calls(ids, replay)[ids[1]], 1)
        self.assertTrue(self.explain(ids[1], "unkeyed")["inDoubt"])

    def test_an_aborted_run_stays_aborted_and_its_report_adds_up(self):
        ids = self.failed("over", 8)
        self.mend(ids, stub.late(0.1, stub.status(200)))
        replay = self.plan(ids=ids, rate={"concurrency": 4})["replay"]
        self.post(f"/v1/replays/{replay}/run")
        wait_for(lambda: self.replay_calls(ids, replay), 10, "the first calls")
        self.post(f"/v1/replays/{replay}/abort", {"reason": "enough"})
        self.weir.kill()
        self.weir.start()
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["counts"]["inFlight"] == 0, 10, "what was under way")
        self.assertEqual(self.get(f"/v1/replays/{replay}")["state"], "aborted")
        counts = self.check_sums(replay)
        self.assertEqual(counts["succeeded"], counts["sent"])
        self.weir.kill()
        self.weir.start()
        report = self.get(f"/v1/replays/{replay}")
        self.assertEqual((report["state"], report["counts"]), ("aborted", counts))

    def test_paused_runs_and_plans_survive(self):
        ids = self.failed("asleep", 10)
        self.mend(ids)
        plan = self.plan(ids=ids[:5])["replay"]
        paused = self.plan(ids=ids[5:], rate={"start": "2/s", "max": "2/s"})["replay"]
        self.post(f"/v1/replays/{paused}/run")
        wait_for(lambda: self.replay_calls(ids, paused), 10, "the first")
        self.post(f"/v1/replays/{paused}/pause", {"reason": "for the night"})
        self.weir.kill()
        self.weir.start()
        self.assertEqual(self.get(f"/v1/replays/{plan}")["state"], "planned")
        report = self.get(f"/v1/replays/{paused}")
        self.assertEqual((report["state"], report["stateReason"]), ("paused", "for the night"))
        self.post(f"/v1/replays/{plan}/run")
        self.post(f"/v1/replays/{paused}/resume")
        for replay in (plan, paused):
            self.ended(replay)
            self.assertEqual(self.check_sums(replay)["succeeded"], 5)


if __name__ == "__main__":
    unittest.main()
