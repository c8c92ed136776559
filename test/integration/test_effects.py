# SPDX-License-Identifier: Apache-2.0
"""Handlers call a dependency through the effect gateway of the built binary: what happens once, what is in doubt,
and what is refused."""
import json
import re
import signal
import threading
import unittest

import stub_handler as stub
from effect_call import effect
from handler_case import POLICIES, HandlerCase
from server import wait_for
from stub_handler import StubHandler

BANKS = {
    "bank": "{ }",
    "keys": "{ onInDoubt: retryWithKey, downstreamRetention: 24h }",
    "asked": "{ onInDoubt: reconcile, reconcile: { path: '/payments?key={key}', after: 0s,"
             " applied: { status: 200, where: { data: { found: [true] } } }, notApplied: { status: [404] } } }",
    "slow": "{ }",
}
FLOW = """
  {name}:
    from: {{ stream: s, start: earliest }}
    where: {{ type: [{name}] }}
    to: {{ http: {{ dependency: stub, path: /{name} }} }}
    effects: [{name}]
    policy: quick
"""
EFFECT_POLICIES = POLICIES.replace("attempt: 300ms", "attempt: 2s") + "".join(
    f"  {name}:\n    circuitBreaker: {{ enabled: false }}\n    idempotency: {rule}\n" for name, rule in BANKS.items()
).replace("  slow:\n", "  slow:\n    rateLimit: { requests: 2, unit: second, burst: 1 }\n")


def pays(server, dependency, key=None, name="pay", body=None, method="POST", path="/payments", headers=None, then=None):
    """A handler that has one effect, and succeeds if the dependency was said to."""
    def answer(peer, call):
        reply = effect(server(), dependency, call.header("weir-token"), method, path,
                       body if body is not None else call.body,
                       {"Weir-Effect": name} | ({"Idempotency-Key": key} if key else {}) | (headers or {}))
        answer.replies.append(reply)
        after = then if then is not None else stub.status(200 if reply[0] < 300 else 500)
        return after(peer, call)
    answer.replies = []
    return answer


class EffectCase(HandlerCase):
    POLICIES = EFFECT_POLICIES

    @classmethod
    def setUpClass(cls):
        cls.bank = StubHandler()
        cls.addClassCleanup(cls.bank.stop)
        super().setUpClass()

    @classmethod
    def config(cls, _text):
        dependencies = "".join(
            f'  {name}: {{ url: "{cls.bank.url}/v2", headers: {{ X-Secret: s3 }}, policy: {name} }}\n' for name in BANKS)
        return ("streams:\n  s: { retention: 7d }\ndependencies:\n"
                f'  stub: {{ url: "{cls.handler.url}", policy: open }}\n{dependencies}flows:'
                + "".join(FLOW.format(name=name) for name in BANKS) + cls.POLICIES)

    def pays(self, event_id, flow, *, bank=(), **how):
        """Publishes an event whose handler has one effect on the dependency of its flow; the script, and the event."""
        handler = pays(lambda: self.weir, flow, headers={"ce-id": event_id} | how.pop("headers", {}), **how)
        self.handler.script(event_id, handler)
        self.bank.script(event_id, *(bank or [stub.status(201, [("Location", "/p/1")], b'{"id":1}')]))
        return handler, self.publish(event_id, flow, b'{"amount":5}')

    def effects(self, *arguments):
        return self.cli_json("effect", "list", *arguments)["effects"]

    def effect_of(self, reference):
        found = [one for one in self.effects() if one["event"] == reference]
        self.assertEqual(len(found), 1, found)
        return found[0]


class Once(EffectCase):
    def test_a_confirmed_effect_is_answered_from_the_ledger(self):
        handler, reference = self.pays("once", "bank", then=stub.status(503))
        self.settled(reference, "bank")
        self.assertEqual(len(self.bank.calls_of("once")), 1)
        replies = handler.replies
        self.assertEqual(len(replies), 3)
        self.assertEqual([reply[1]["weir-effect"] for reply in replies], ["confirmed", "replayed", "replayed"])
        for status, headers, body in replies:
            self.assertEqual((status, headers["location"], body), (201, "/p/1", b'{"id":1}'))
        self.handler.script("once", pays(lambda: self.weir, "bank", headers={"ce-id": "once"}))
        run = self.cli_json("replay", "plan", f"bank/{reference}", "--reason", "fixed")
        self.cli("replay", "run", run["replay"])
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "replayed")
        self.assertEqual(len(self.bank.calls_of("once")), 1)
        entry = self.effect_of(reference)
        self.assertEqual((entry["state"], entry["sends"], entry["status"]), ("confirmed", 1, 201))

    def test_what_reaches_the_dependency(self):
        handler, reference = self.pays("passed", "bank", method="PATCH", path="/payments/7?a=b", name="other",
                                       headers={"X-Mine": "yes", "X-Secret": "guess", "Connection": "close, X-Hop",
                                                "X-Hop": "1", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        call = self.bank.calls_of("passed")[0]
        self.assertEqual((call.method, call.target, call.body), ("PATCH", "/v2/payments/7?a=b", b'{"amount":5}'))
        self.assertEqual((call.header("x-mine"), call.header("x-secret"), call.header("x-hop")), ("yes", "s3", None))
        self.assertIsNone(call.header("weir-token"))
        self.assertEqual(call.header("traceparent"), "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        self.assertRegex(call.key, r'^"[0-9a-f]{32}"$')
        self.assertEqual(call.key.strip('"'), self.effect_of(reference)["key"])
        self.assertEqual(handler.replies[0][1]["weir-effect"], "confirmed")

    def test_a_key_of_the_callers_own_holds_over_deliveries(self):
        first, one = self.pays("own-1", "bank", key="invoice-9", body=b"same")
        wait_for(lambda: self.state(one, "bank") == "done", 15, "done")
        second, other = self.pays("own-2", "bank", key='"invoice-9"', body=b"same")
        wait_for(lambda: self.state(other, "bank") == "done", 15, "done")
        self.assertEqual(first.replies[0][1]["weir-effect"], "confirmed")
        self.assertEqual(second.replies[0][1]["weir-effect"], "replayed")
        self.assertEqual([call.key for call in self.bank.calls_of("own-1")], ["invoice-9"])
        self.assertEqual(self.bank.calls_of("own-2"), [])

    def test_one_key_for_two_requests_is_quarantine(self):
        _, one = self.pays("body-1", "bank", key="invoice-10", body=b"five")
        wait_for(lambda: self.state(one, "bank") == "done", 15, "done")
        handler, other = self.pays("body-2", "bank", key="invoice-10", body=b"fifty")
        told = self.settled(other, "bank")
        self.assertEqual(handler.replies[0][0], 422)
        self.assertEqual(json.loads(handler.replies[0][2])["code"], "WR1805")
        self.assertEqual((told["attempts"], told["class"]), (1, "permanent"))
        self.assertIn("was used for another request", told["reason"])

    def test_safe_methods_are_passed_on_without_an_entry(self):
        for method, body in (("GET", b"hello"), ("HEAD", b"")):
            handler, reference = self.pays(f"safe-{method}", "bank", method=method, body=b"",
                                           bank=[stub.status(200, body=b"hello")] if method == "GET" else
                                           [stub.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", keep=True)])
            wait_for(lambda ref=reference: self.state(ref, "bank") == "done", 15, "done")
            self.assertEqual((handler.replies[0][0], handler.replies[0][2]), (200, body))
            self.assertEqual([one for one in self.effects() if one["event"] == reference], [])

    def test_an_answer_that_is_too_large_to_keep_still_counts(self):
        large = b"x" * (1024 * 1024 + 1)
        chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(large) + large + b"\r\n0\r\n\r\n"
        for event_id, answer, status in (("large", stub.status(201, [("Location", "/p/9"), ("Content-Type", "text/x")], large), 201),
                                         ("chunked", stub.raw(chunks), 200)):
            handler, reference = self.pays(event_id, "bank", bank=[answer])
            wait_for(lambda ref=reference: self.state(ref, "bank") == "done", 15, "done")
            code, headers, body = handler.replies[0]
            self.assertEqual((code, headers["weir-effect"], body), (status, "confirmed", b""))
            self.assertIn("larger than 1048576 bytes", headers["weir-answer"])
            entry = self.effect_of(reference)
            self.assertEqual((entry["state"], entry["sends"]), ("confirmed", 1))
            self.assertIn("too large to keep", entry["reason"])
        handler, reference = self.pays("refused-large", "bank", bank=[stub.status(422, body=large)], then=stub.status(200))
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        self.assertEqual((handler.replies[0][0], handler.replies[0][1]["weir-effect"]), (422, "failedNoEffect"))
        handler, reference = self.pays("got-large", "bank", method="GET", body=b"", bank=[stub.status(200, body=large)], then=stub.status(200))
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        self.assertEqual(handler.replies[0][0], 502)
        self.assertIn(b"more than 1048576 bytes", handler.replies[0][2])

    def test_two_calls_under_one_key_at_once(self):
        gate = threading.Event()
        replies = []

        def twice(peer, call):
            token = call.header("weir-token")
            headers = {"Weir-Effect": "pay", "ce-id": "both"}
            first = threading.Thread(target=lambda: replies.append(
                effect(self.weir, "bank", token, headers=headers)))
            first.start()
            wait_for(lambda: self.bank.calls_of("both"), 5, "the first call")
            replies.append(effect(self.weir, "bank", token, headers=headers))
            gate.set()
            first.join()
            return stub.status(200)(peer, call)
        self.handler.script("both", twice)
        self.bank.script("both", stub.when(gate, stub.status(200)))
        reference = self.publish("both", "bank")
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        self.assertEqual([reply[0] for reply in replies], [409, 200])
        self.assertEqual(replies[0][1]["retry-after"], "1")
        self.assertEqual(len(self.bank.calls_of("both")), 1)


class Listing(EffectCase):
    def test_a_list_says_when_there_is_more_and_goes_on(self):
        for number in range(3):
            _, reference = self.pays(f"listed{number}", "bank")
            self.settled(reference, "bank", "done")
        table = self.weir.cli("effect", "list", "--limit", "2")
        self.assertEqual(table.code, 0, table)
        cursor = re.search("There are more: --cursor (e[0-9]+) shows them", table.err + table.out)
        self.assertTrue(cursor, table)
        first, rest = self.effects("--limit", "2"), self.effects("--cursor", cursor[1])
        self.assertEqual((len(first), len(rest)), (2, 1))
        self.assertEqual([one["effect"] for one in first + rest], [one["effect"] for one in self.effects()])
        self.assertNotIn("There are more", self.weir.cli("effect", "list").err)
        self.assertEqual(self.weir.cli("effect", "list", "--limit", "1001").code, 2)

    def test_a_dependency_that_nobody_knows_is_told(self):
        self.assertIn("did you mean 'bank'?", self.cli("effect", "list", "--dependency", "bnak", code=5).err)
        self.assertEqual(self.get("/v1/effects?dependency=nope", 404)["code"], "WR1203")
        self.assertEqual(self.effects("--dependency", "slow", "--state", "inDoubt"), [])

    def test_hints_are_those_of_the_command_line(self):
        _, reference = self.pays("hints", "bank")
        self.settled(reference, "bank", "done")
        effect_id = self.effect_of(reference)["effect"]
        self.assertIn("hint: add --reason TEXT", self.cli("effect", "resolve", effect_id, "--as", "confirmed", code=2).err)
        self.assertIn("hint: say confirmed", self.cli("effect", "resolve", effect_id, "--as", "yes", "--reason", "x", code=2).err)


class Refused(EffectCase):
    def test_a_refusal_of_our_own_is_no_attempt(self):
        for number in range(4):  # two in a second pass
            self.pays(f"slow-{number}", "slow")
        for number in range(4):
            reference = f"s#{number + 1}"
            wait_for(lambda ref=reference: self.state(ref, "slow") == "done", 30, f"{reference} done")
        self.assertEqual(len([call for call in self.bank.calls() if call.event_id.startswith("slow-")]), 4)
        deferred = [self.explain(f"s#{number + 1}", "slow") for number in range(4)]
        rows = [one for one in deferred if "history" in one]
        self.assertTrue(rows, "nothing was refused")
        for row in rows:
            self.assertEqual(row["attempts"], 1)
            self.assertTrue([line for line in row["history"] if line["decision"] == "defer"], row)

    def test_who_may_not_call(self):
        self.assertEqual(self.refusal("bank", None), (401, "WR1801"))
        self.assertEqual(self.refusal("bank", "f" * 32), (401, "WR1801"))
        tokens = []

        def keeps(peer, call):
            tokens.append(call.header("weir-token"))
            tokens.append(self.refusal("keys", tokens[0]))
            tokens.append(self.refusal("bank", tokens[0], path="/a/%2e%2E/b"))
            tokens.append(self.refusal("bank", tokens[0], headers={"Weir-Effect": "x" * 256}))
            return stub.status(200)(peer, call)
        self.handler.script("late", keeps)
        reference = self.publish("late", "bank")
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        self.assertEqual(tokens[1:], [(403, "WR1802"), (400, "WR1002"), (400, "WR1002")])
        self.assertEqual(self.refusal("bank", tokens[0]), (401, "WR1801"), "the attempt is over")

    def refusal(self, *arguments, **how):
        status, headers, body = effect(self.weir, *arguments, **how)
        self.assertEqual(headers["content-type"], "application/problem+json")
        return status, json.loads(body)["code"]


class Doubt(EffectCase):
    def in_doubt(self, event_id, flow="bank"):
        handler, reference = self.pays(event_id, flow, bank=[stub.close(), stub.status(201)])
        told = self.settled(reference, flow)
        self.assertEqual(len(self.bank.calls_of(event_id)), 1)
        self.assertEqual((handler.replies[0][0], handler.replies[0][1]["weir-effect"]), (504, "inDoubt"))
        self.assertEqual((told["attempts"], told["inDoubt"]), (1, True))
        self.assertIn("is in doubt", told["reason"])
        entry = self.effect_of(reference)
        self.assertEqual(entry["state"], "inDoubt")
        return reference, entry["effect"]

    def replayed(self, reference, flow="bank"):
        run = self.cli_json("replay", "plan", f"{flow}/{reference}", "--reason", "looked")
        self.cli("replay", "run", run["replay"])
        wait_for(lambda: self.state(reference, flow) == "done", 15, "replayed")

    def test_a_person_says_that_it_happened(self):
        reference, effect_id = self.in_doubt("happened")
        self.cli("effect", "resolve", effect_id, "--as", "confirmed", "--reason", "it is in the books")
        text = self.cli("explain", reference, "--flow", "bank").out
        self.assertIn("an effect of it was in doubt, and is not any more", text)
        self.assertIn("weir replay plan", text)
        self.replayed(reference)
        self.assertEqual(len(self.bank.calls_of("happened")), 1)
        self.assertIn("it is in the books", self.cli_json("effect", "get", effect_id)["resolution"])
        audit = self.get("/v1/audit")["entries"]
        self.assertTrue([one for one in audit if one["action"] == "effect.resolve" and one["target"] == effect_id])

    def test_what_is_told_about_it(self):
        reference, effect_id = self.in_doubt("told")
        text = self.cli("explain", reference, "--flow", "bank").out
        self.assertRegex(text, rf"Effects +{effect_id}  POST bank/payments  IN DOUBT since [0-9:]+: it may have happened: .*"
                               "; another call would be refused until somebody says what happened")
        self.assertIn(f"Replay   blocked: effect {effect_id} (POST bank/payments) is in doubt", text)
        self.assertRegex(text, r"Why      rule effect.inDoubt, class ambiguous: an effect of it may have happened, and is refused until")
        self.assertRegex(text, rf"Next     weir effect get {effect_id}\n +weir effect resolve {effect_id} --as")
        self.assertNotIn("weir replay plan", text)
        self.assertNotIn("another try is safe", text)
        told = self.explain(reference, "bank")
        self.assertEqual([(one["effect"], one["state"]) for one in told["effects"]], [(effect_id, "inDoubt")])
        self.assertFalse(told["replayable"]["now"])
        forecast = self.cli_json("replay", "plan", f"bank/{reference}", "--dry-run")["forecast"]
        self.assertEqual(forecast["effects"], {"sent": 0, "answered": 0, "repeated": 0, "asked": 0, "held": 1})
        shown = self.cli("replay", "plan", f"bank/{reference}", "--dry-run").out
        self.assertIn("1 in doubt: they are refused until somebody says what happened", shown)
        wait_for(lambda: 'weir_effects_in_doubt{dependency="bank"}' in self.weir.request("GET", "/metrics").text, 10,
                 "the gauge")
        metrics = self.weir.request("GET", "/metrics").text
        self.assertRegex(metrics, r'weir_effects_total\{dependency="bank",result="inDoubt"\} [1-9]')

    def test_a_plan_can_ask_that_nothing_is_in_doubt(self):
        _, reference = self.pays("asks", "keys", bank=[stub.close()])
        self.settled(reference, "keys")
        self.assertEqual(self.get("/v1/status")["effectsInDoubt"], len(self.effects("--state", "inDoubt")))
        plan = self.folder / "plan.yaml"
        plan.write_text(f"selection: {{ ids: [keys/{reference}] }}\npreconditions:\n  - noneInDoubt: true\n")
        replay = self.cli_json("replay", "plan", "--file", str(plan), "--reason", "looked")["replay"]
        self.assertIn("at least one is", self.cli("replay", "run", replay, code=6).err)
        self.cli("effect", "resolve", self.effect_of(reference)["effect"], "--as", "confirmed", "--reason", "seen")
        calls = len(self.bank.calls_of("asks"))
        self.cli("replay", "run", replay)
        wait_for(lambda: self.state(reference, "keys") == "done", 15, "replayed")
        self.assertEqual(len(self.bank.calls_of("asks")), calls)

    def test_a_person_says_that_it_did_not(self):
        reference, effect_id = self.in_doubt("not")
        self.cli("effect", "resolve", effect_id, "--as", "failedNoEffect", "--reason", "the bank says no")
        again = self.cli("effect", "resolve", effect_id, "--as", "confirmed", "--reason", "oh", code=6)
        self.assertIn("not in doubt", again.err)
        self.replayed(reference)
        self.assertEqual(len(self.bank.calls_of("not")), 2)

    def test_sent_again_under_the_same_key(self):
        _, reference = self.pays("again", "keys", bank=[stub.close(), stub.status(201)])
        wait_for(lambda: self.state(reference, "keys") == "done", 15, "done")
        calls = self.bank.calls_of("again")
        self.assertEqual(len(calls), 2)
        self.assertEqual(calls[0].key, calls[1].key)
        self.assertEqual(self.effect_of(reference)["sends"], 2)

    def test_a_repeat_that_is_refused_clears_no_doubt(self):
        _, reference = self.pays("refused", "keys", bank=[stub.close(), stub.status(422)])
        self.settled(reference, "keys")
        self.assertEqual(self.effect_of(reference)["state"], "inDoubt")

    def test_the_dependency_is_asked(self):
        for event_id, found, calls in (("asked-yes", stub.status(200, body=b'{"found":true}'), 1),
                                       ("asked-no", stub.status(404), 2)):
            self.bank.default(found)  # the question carries no event id
            handler, reference = self.pays(event_id, "asked", bank=[stub.close(), stub.status(201)])
            wait_for(lambda ref=reference: self.state(ref, "asked") == "done", 15, "done")
            self.assertEqual(len(self.bank.calls_of(event_id)), calls)
            entry = self.effect_of(reference)
            self.assertEqual(entry["state"], "confirmed")
            question = [call for call in self.bank.calls() if call.target.endswith(f"?key={entry['key']}")]
            self.assertEqual([(call.method, call.header("x-secret")) for call in question], [("GET", "s3")])

    def test_no_clear_answer_waits_for_a_person(self):
        self.bank.default(stub.status(200, body=b'{"found":"maybe"}'))
        _, reference = self.pays("unclear", "asked", bank=[stub.close(), stub.status(201)])
        self.settled(reference, "asked")
        self.assertEqual(len(self.bank.calls_of("unclear")), 1)
        entry = self.effect_of(reference)
        told = self.cli("effect", "reconcile", entry["effect"], "--reason", "now?", code=6)
        self.assertIn("stays in doubt", told.err)
        self.bank.default(stub.status(404))
        settled = self.cli_json("effect", "reconcile", entry["effect"], "--reason", "now?")
        self.assertEqual(settled["state"], "failedNoEffect")

    def test_who_cannot_be_asked_is_named_in_what_is_told(self):
        self.bank.default(stub.close())
        _, reference = self.pays("nobody", "asked", bank=[stub.close(), stub.status(201)])
        wait_for(lambda: "was put off" in self.explain(reference, "asked").get("reason", ""), 15, "put off")
        entry = self.effect_of(reference)
        told = self.explain(reference, "asked")
        self.assertRegex(told["reason"], rf"effect {entry['effect']} \(POST asked/payments\) was put off: it is in doubt, and asked was asked first: .*closed")
        self.assertEqual(told["attempts"], 1)
        self.assertRegex(self.cli_json("effect", "get", entry["effect"])["reason"], "^it may have happened: .*; reconcile: .*closed")
        self.assertIn("was put off: it is in doubt, and asked was asked first", self.cli("explain", reference, "--flow", "asked").out)
        self.bank.default(stub.status(404))
        wait_for(lambda: self.state(reference, "asked") == "done", 15, "done")

    def test_killed_while_it_was_under_way(self):
        _, reference = self.pays("killed", "bank", bank=[stub.hang(), stub.status(201)])
        wait_for(lambda: self.bank.calls_of("killed"), 10, "the call")
        self.weir.kill()
        self.weir.start()
        self.settled(reference, "bank")
        entry = self.effect_of(reference)
        self.assertEqual((entry["state"], entry["sends"]), ("inDoubt", 1))
        self.assertIn("Weir was ended", entry["reason"])
        self.assertEqual(len(self.bank.calls_of("killed")), 1)
        self.assertEqual(self.effects("--state", "inDoubt", "--flow", "bank")[0]["effect"], entry["effect"])


class UnderWay(EffectCase):
    """What happens to Weir while the dependency is working."""

    def begun(self, event_id):
        """An effect that the dependency has got, and will answer when the event is set."""
        go = threading.Event()
        self.addCleanup(go.set)
        handler, reference = self.pays(event_id, "bank", bank=[stub.when(go, stub.status(201, body=b"paid"))])
        wait_for(lambda: self.bank.calls_of(event_id), 10, "the call")
        return go, handler, reference

    def test_a_reload_that_takes_the_dependency_away(self):
        go, handler, reference = self.begun("reloaded")
        before = self.weir.config.read_text()
        self.weir.config.write_text(before.replace("effects: [bank]", "effects: [keys]"))
        self.cli("config", "reload")
        go.set()
        wait_for(lambda: self.state(reference, "bank") == "done", 15, "done")
        self.assertEqual((handler.replies[0][0], handler.replies[0][2]), (201, b"paid"))
        self.assertEqual(self.effect_of(reference)["state"], "confirmed")
        refused, other = self.pays("late", "bank")
        self.settled(other, "bank")
        self.assertEqual(json.loads(refused.replies[0][2])["code"], "WR1802")
        self.weir.config.write_text(before)
        self.cli("config", "reload")

    def test_a_drain_waits_for_it(self):
        go, handler, reference = self.begun("drained")
        self.weir.process.send_signal(signal.SIGTERM)
        wait_for(lambda: self.weir.logged("weir.draining"), 10, "the drain has begun")
        go.set()
        self.assertEqual(self.weir.process.wait(20), 0)
        self.assertEqual(handler.replies[0][0], 201)
        self.weir.start()
        self.assertEqual(self.state(reference, "bank"), "done")
        self.assertEqual(self.effect_of(reference)["state"], "confirmed")
        self.assertEqual(len(self.bank.calls_of("drained")), 1)


class FourEyes(EffectCase):
    """What became of an effect is said by two people: an admin asks, bob says yes."""

    @classmethod
    def config(cls, text):
        return "access: {}\napprovals: { effects: { resolve: true } }\n" + super().config(text)

    def say(self, effect_id, reason="it is in the books", as_="confirmed"):
        return self.weir.request("POST", f"/v1/effects/{effect_id}/resolve", json.dumps({"as": as_, "reason": reason}))

    def test_nobody_slips_through_while_it_comes_into_doubt(self):
        effect_id = f"e{max([int(one['effect'][1:]) for one in self.effects()], default=0) + 1}"
        over, said = threading.Event(), []

        def insist():
            while not over.is_set():
                said.append(self.say(effect_id))
        operators = [threading.Thread(target=insist) for _ in range(12)]
        for one in operators:
            one.start()
        _, reference = self.pays("raced", "bank", bank=[stub.close()])
        self.settled(reference, "bank")
        over.set()
        for one in operators:
            one.join()
        self.assertEqual(self.effect_of(reference)["effect"], effect_id)
        self.assertEqual(self.effect_of(reference)["state"], "inDoubt")
        self.assertEqual({answer.status for answer in said} - {404, 409}, set())
        self.assertEqual(self.say(effect_id).json["code"], "WR1741")

    def test_it_needs_a_yes_to_these_very_words(self):
        _, reference = self.pays("two", "bank", bank=[stub.close(), stub.status(201)])
        self.settled(reference, "bank")
        effect_id = self.effect_of(reference)["effect"]
        self.assertEqual(self.say(effect_id).json["code"], "WR1741")
        request = self.get("/v1/approvals")["approvals"][0]
        self.assertEqual((request["target"], request["state"]), (effect_id, "pending"))
        bob = self.post("/v1/tokens", {"name": "b", "subject": "bob", "roles": ["approver"]}, 201)["secret"]
        granted = self.weir.request("POST", f"/v1/approvals/{request['approval']}/grant",
                                    json.dumps({"reason": "looked", "hash": request["hash"]}),
                                    {"Authorization": f"Bearer {bob}"})
        self.assertEqual(granted.status, 200, granted.text)
        self.assertEqual(self.say(effect_id, as_="failedNoEffect").json["code"], "WR1741")
        self.assertEqual(self.say(effect_id, "I feel so").json["code"], "WR1741")
        self.assertEqual(self.effect_of(reference)["state"], "inDoubt")
        self.assertEqual(self.say(effect_id).json["state"], "confirmed")
        self.assertEqual(self.say(effect_id).json["code"], "WR1502")
        self.assertEqual([one["state"] for one in self.get("/v1/approvals")["approvals"]
                          if one["approval"] == request["approval"]], ["used"])


if __name__ == "__main__":
    unittest.main()
