# SPDX-License-Identifier: Apache-2.0
"""What is redacted appears nowhere but at the handler and in what was revealed: every route, every view of the command
line, the log, the metrics and the audit trail are searched for it."""
import http.client
import json
import os
import re
import time
import unittest
import urllib.parse

import stub_handler as stub
from effect_call import effect
from handler_case import HandlerCase
from server import Server, ServerCase, answers, wait_for

MAIL = "cnry-mail-5a1f@example.com"
CARD = "cnrycard4242"
SUBJECT = "cnry-subject/9c2e"
USER = "cnry user 77b0"
OPAQUE = "cnry-opaque-31dd"
CANARIES = (MAIL, CARD, SUBJECT, USER, OPAQUE)

CONFIG = """
streams:
  s: {}
  open: {}
dependencies:
  stub: { url: "{url}", policy: open }
  bank: { url: "{url}/bank", policy: open }
flows:
  by-mail:
    from: { stream: s }
    to: { http: { dependency: stub, path: /mail } }
    effects: [bank]
    ordering: { key: data.customer.email }
    policy: quick
  by-subject:
    from: { stream: s }
    to: { http: { dependency: stub, path: /subject } }
    ordering: { key: subject }
    policy: quick
  other:
    from: { stream: open }
    to: { http: { dependency: stub, path: /other } }
    ordering: { key: subject }
    policy: quick
"""
RULES = """
redaction:
  rules:
    - { pointer: /customer/email, streams: s }
    - { member: card, streams: [s] }
    - { attribute: subject, streams: [s] }
    - { attribute: user }
"""


def data_of(**more):
    return json.dumps({"customer": {"email": MAIL, "plan": "pro"}, "paid": [{"card": {"no": CARD}}], **more}).encode()


class CanaryCase(HandlerCase):
    CONFIG = CONFIG + RULES

    def assert_clean(self, where, text):
        for canary in CANARIES:
            for form in {canary, canary.upper(), urllib.parse.quote(canary, safe=""), canary[:12]}:
                self.assertNotIn(form, text, where)

    def publish_canary(self, event_id, data=None, content_type="application/json"):
        headers = {"ce-specversion": "1.0", "ce-id": event_id, "ce-type": "test", "ce-source": "/test", "ce-subject": SUBJECT,
                   "ce-user": USER, "Content-Type": content_type}
        answer = self.weir.request("POST", "/v1/streams/s/events", data or data_of(), headers)
        self.assertEqual(answer.status, 201, answer.text)

    def reveals(self):
        return [one for one in self.get("/v1/audit?limit=200")["entries"] if one["action"] == "event.reveal"]


class Canaries(CanaryCase):
    def pays(self, mail, then):
        """An effect that is called what is hidden, before the failure."""
        def answer(peer, call):
            if token := call.header("weir-token"):
                told = effect(self.weir, "bank", token, path="/of/" + urllib.parse.quote(mail, safe=""), body=call.body,
                              headers={"Weir-Effect": f"pay {mail}", "Weir-Step": CARD, "Idempotency-Key": f"pay-{mail}"})
                self.assertEqual(told[1]["weir-effect"] in ("confirmed", "replayed"), True, told)
            return then(peer, call)
        return answer

    def fail_them(self):
        """Events whose handler repeats them in every way that an answer has."""
        behaviours = {
            "in-json": lambda mail, echo: stub.problem(422, f"urn:unknown:{mail}", echo),
            "in-title": lambda mail, echo: stub.status(422, [("Content-Type", "application/problem+json")], json.dumps({"title": echo}).encode()),
            "in-names": lambda mail, _: stub.status(422, [], json.dumps({"errors": {mail: [CARD]}, "card": "x"}).encode()),
            "in-text": lambda mail, _: stub.status(422, [], f"Traceback\n  File \"a.py\", line 1, in f\nKeyError: '{mail}'".encode()),
            "in-header": lambda mail, _: stub.status(503, [("Retry-After", mail)], b"{}"),
        }
        for event_id, behaviour in behaviours.items():
            mail = f"{event_id}.{MAIL}"  # a key of its own, so that none is held behind another
            self.handler.script(event_id, self.pays(mail, behaviour(mail, f"no {mail}, {CARD} of {SUBJECT} ({USER})")))
            self.publish_canary(event_id, data_of().replace(MAIL.encode(), mail.encode()))
        self.handler.script("opaque", stub.status(422, [], OPAQUE.encode()))
        self.publish_canary("opaque", OPAQUE.encode(), "text/plain")
        self.handler.script("first", stub.status(422, [], f"no {MAIL}".encode()))
        self.publish_canary("first")
        self.publish_canary("behind")
        for event_id in (*behaviours, "opaque", "first"):
            self.settled(event_id, "by-mail")
        self.settled("behind", "by-mail", "held")
        return [*behaviours, "opaque", "first", "behind"]

    def make_plans(self):
        """Plans whose selections name what is hidden."""
        where = {"data": {"customer": {"email": [MAIL]}}}
        plan = {"selection": {"flow": "by-mail", "where": where}, "reason": "mended"}
        self.post("/v1/replays?dryRun=true", plan)
        made = self.post("/v1/replays", plan, 201)
        self.assertEqual(made["counts"]["planned"], 1)
        self.assertEqual(made["plan"]["selection"]["where"], {"data": {"customer": {"email": ["[redacted]"]}}})
        # What was shown can be given back, and means what it meant.
        answer = self.weir.request("PUT", f"/v1/replays/{made['replay']}", json.dumps(made["plan"]))
        self.assertEqual((answer.status, answer.json["counts"]["planned"]), (200, 1), answer.text)
        by_key = self.post("/v1/replays?dryRun=true", {"selection": {"flow": "by-subject", "key": SUBJECT}, "reason": "x"})
        self.assertRegex(by_key["would"]["plan"]["selection"]["key"], "^redacted:[0-9a-f]{32}$")
        self.post("/v1/replays?dryRun=true", {"selection": {"flow": "by-mail", "where": {"data": {"card": ["nobody"]}}}, "reason": "x"}, 422)
        self.assertEqual(self.post("/v1/replays", {"selection": {"key": SUBJECT}, "reason": "x"}, 400)["code"], "WR1002")
        return made["replay"]

    def paths(self, events, replay):
        """Every GET route of the document, with every value there is for its parameters."""
        groups = [group["group"] for group in self.get("/v1/groups?all=true")["groups"]]
        values = {"ref": events, "group": groups, "replay": [replay], "flow": ["by-mail", "by-subject"], "dependency": ["stub"], "version": ["1"],
                  "effect": [one["effect"] for one in self.get("/v1/effects")["effects"]]}
        queries = {"/v1/events": ["?stream=s&from=1"], "/v1/events/{ref}/explain": ["", "?format=text"],
                   "/v1/groups/{group}/split": [f"?by={by}" for by in ("data.customer.email", "data.paid.length", "subject", "user", "data.customer.plan")],
                   "/v1/quarantine": ["", "?flow=by-mail", "?key=" + urllib.parse.quote(SUBJECT) + "&flow=by-subject"],
                   "/v1/replays/{replay}": ["", "?joined=true"], "/v1/groups": ["", "?all=true"]}
        for template, methods in self.get("/v1/openapi.json")["paths"].items():
            if "get" not in methods or template == "/v1/watch":
                continue
            name = re.search(r"\{([a-z]+)\}", template)
            for value in values[name[1]] if name else [""]:
                for query in queries.get(template, [""]):
                    yield template.replace(name[0], urllib.parse.quote(value)) + query if name else template + query

    def views(self, events, replay):
        groups = [group["group"] for group in self.get("/v1/groups?all=true")["groups"]]
        yield from (("event", "list", "s"), ("group", "list"), ("quarantine", "list"), ("flow", "list"), ("audit", "list"), ("status",), ("replay", "list"), ("effect", "list"),
                    ("replay", "get", replay), ("replay", "plan", "--flow", "by-mail", "--reason", "x", "--dry-run"), ("config", "history"))
        for event in events:
            yield from (("explain", event), ("event", "get", event), ("event", "payload", event))
        for group in groups:
            yield from (("group", "get", group), ("group", "split", group, "--by", "subject"))

    def watched(self):
        """What a watcher is told within three seconds."""
        text = ""
        with self.weir.watch(timeout=4) as answer:
            until = time.monotonic() + 3
            while time.monotonic() < until:
                text += answer.readline().decode()
        return text

    def test_they_appear_nowhere_else(self):
        events = self.fail_them()
        call = self.handler.calls_of("first", "by-mail")[0]
        self.assertEqual(call.body, data_of())
        self.assertEqual(urllib.parse.unquote(call.header("ce-subject")), SUBJECT)
        self.assertEqual(urllib.parse.unquote(call.header("ce-user")), USER)
        self.assertEqual(len(self.get("/v1/effects")["effects"]), 5)
        replay = self.make_plans()
        answered = 0
        for path in self.paths(events, replay):
            answer = self.weir.request("GET", path)
            self.assertIn(answer.status, (200, 400), f"{path}: {answer.text}")
            answered += answer.status == 200
            self.assert_clean(path, answer.text)
        self.assertGreater(answered, 60)
        for view in self.views(events, replay):
            for form in ((), ("-o", "json")):
                done = self.weir.cli(*view, *form)
                self.assertEqual(done.code, 0, f"{view}: {done.err}")
                self.assert_clean(" ".join(view), done.out + done.err)
        self.assert_clean("watch", self.watched())
        self.assert_clean("log", self.weir.output.read_text())
        self.assertIn("[redacted", json.dumps(self.get("/v1/groups")))

    def test_masks_tell_types_and_equal_values(self):
        self.publish_canary("one", data_of(total=12.50, gift=None))
        shown = json.loads(self.weir.request("GET", "/v1/events/one/payload").text)
        self.assertRegex(shown["customer"].pop("email"), r"^\[redacted [0-9a-f]{12}\]$")
        self.assertEqual(shown, {"customer": {"plan": "pro"}, "paid": [{"card": "[redacted object]"}], "total": 12.5, "gift": None})
        event = self.get("/v1/events/one")
        self.assertRegex(event["subject"], r"^\[redacted [0-9a-f]{12}\]$")
        explained = self.explain("one", "by-subject")
        self.assertTrue(explained["key"].startswith("redacted:" + event["subject"][10:22]), explained["key"])

    def test_a_list_is_no_oracle(self):
        where = urllib.parse.quote(json.dumps({"data": {"customer": {"email": [{"prefix": "c"}]}}}))
        refused = self.get(f"/v1/quarantine?where={where}", 400)
        self.assertIn("redacted", refused["detail"])

    def test_revealing_needs_a_reason_and_is_audited(self):
        self.publish_canary("shown")
        self.assertEqual(self.post("/v1/events/shown/reveal", {}, 422)["code"], "WR1503")
        self.assertEqual(self.weir.cli("event", "reveal", "shown").code, 2)
        answer = self.weir.request("POST", "/v1/events/shown/reveal", '{"reason": "ticket 12"}', {"Weir-Actor": "local:ada"})
        self.assertEqual((answer.status, answer.text), (200, data_of().decode()))
        self.assertEqual(answer.headers["cache-control"], "no-store")
        self.assertEqual(self.cli("event", "reveal", "shown", "--reason", "ticket 12").out, data_of().decode())
        whole = json.loads(self.cli("event", "reveal", "shown", "--whole", "--reason", "ticket 13").out)
        self.assertEqual((whole["subject"], whole["user"], whole["data"]["customer"]["email"]), (SUBJECT, USER, MAIL))
        entries = [one for one in self.get("/v1/audit?limit=50")["entries"] if one["action"] == "event.reveal"]
        reference = self.get("/v1/events/shown")["ref"]
        self.assertEqual([(one["target"], one["reason"]) for one in entries], [(reference, "ticket 13"), (reference, "ticket 12"), (reference, "ticket 12")])
        self.assertEqual(entries[2]["actor"], "local:ada")
        self.assert_clean("audit", json.dumps(entries))
        wait_for(lambda: self.weir.logged("event.reveal"), 5, "the line in the log")


class GuessingIsAudited(CanaryCase):
    """What matches tells what is redacted, one guess at a time: without a reason nobody may ask, and with one every guess is in the trail."""

    def guess_card(self, ask):
        """A card number, by what matches, one digit after the other."""
        known = ""
        while len(known) < len(CARD):
            for digit in "cnryard42":
                if ask({"data": {"paid": {"card": {"no": [{"prefix": known + digit}]}}}}):
                    known += digit
                    break
            else:
                return known
        return known

    def test_guessing_by_dry_runs_needs_a_reason_and_is_audited(self):
        self.handler.script("guessed", stub.status(422))
        self.publish_canary("guessed")
        self.settled("guessed", "by-mail")
        refused = []

        def ask_in_secret(where):
            answer = self.weir.request("POST", "/v1/replays?dryRun=true", json.dumps({"selection": {"flow": "by-mail", "where": where}}))
            refused.append(answer)
            return answer.status == 200
        self.assertEqual(self.guess_card(ask_in_secret), "")
        for answer in refused:
            self.assertEqual((answer.status, answer.json["code"]), (422, "WR1503"), answer.text)
            self.assertIn("it asks for what is redacted (card)", answer.json["detail"])
        self.assertEqual(self.reveals(), [])
        asked = []

        def ask(where):
            asked.append(where)
            answer = self.weir.request("POST", "/v1/replays?dryRun=true", json.dumps({"selection": {"flow": "by-mail", "where": where}, "reason": "ticket 9"}))
            self.assertIn(answer.status, (200, 422), answer.text)
            return answer.status == 200
        self.assertEqual(self.guess_card(ask), CARD)
        entries = self.reveals()  # one for each question, hits and misses alike
        self.assertEqual(len(entries), len(asked))
        self.assertEqual({(one["target"], one["reason"], one["detail"]) for one in entries}, {("by-mail", "ticket 9", "a dry run of a replay asks about card")})
        self.assert_clean("audit", json.dumps(entries))


class QuestionsAreAudited(CanaryCase):
    """Whatever takes a selection."""

    def test_every_way_to_ask_is_audited(self):
        self.handler.script("asked", stub.status(422))
        self.publish_canary("asked")
        self.settled("asked", "by-mail")
        miss = {"flow": "by-mail", "where": {"data": {"customer": {"email": ["nobody"]}}}}
        self.assertEqual(self.post("/v1/quarantine/discard", {**miss, "dryRun": True}, 422)["code"], "WR1503")
        self.assertEqual(self.post("/v1/replays?dryRun=true", {"selection": {"flow": "by-mail", "key": "nobody"}}, 422)["code"], "WR1503")
        self.assertEqual(self.reveals(), [])
        self.post("/v1/quarantine/archive", {**miss, "reason": "a"})
        self.post("/v1/quarantine/discard", {**miss, "dryRun": True, "reason": "b"})
        self.post("/v1/replays", {"selection": miss, "reason": "c"}, 422)
        self.post("/v1/replays?dryRun=true", {"selection": {"flow": "by-mail", "key": MAIL}, "reason": "d"})
        self.assertEqual([(one["reason"], one["detail"]) for one in reversed(self.reveals())],
                         [("a", "quarantine.archive asks about /customer/email"), ("b", "quarantine.discard asks about /customer/email"),
                          ("c", "the plan of a replay asks about /customer/email"), ("d", "a dry run of a replay asks about ordering key data.customer.email")])
        # What asks about nothing hidden, or gives back what was shown, needs none.
        key = self.explain("asked", "by-mail")["key"]
        self.post("/v1/replays?dryRun=true", {"selection": {"flow": "by-mail", "key": key, "where": {"data": {"customer": {"plan": ["pro"]}}}}})
        self.assertEqual(len(self.reveals()), 4)


class KeysAreTags(HandlerCase):
    """Ordering goes on by tags, over a restart too, and rules about keys do not change under a hold."""
    CONFIG = CONFIG + RULES

    def test_a_hold_outlives_a_restart(self):
        self.handler.script("head", stub.status(422))
        data = json.dumps({"customer": {"email": MAIL}}).encode()
        self.publish("head", data=data)
        self.publish("tail", data=data)
        self.settled("head", "by-mail")
        self.settled("tail", "by-mail", "held")
        key = self.explain("tail", "by-mail")["key"]
        self.weir.kill()
        self.weir.start()
        self.assertEqual(self.explain("tail", "by-mail")["key"], key)
        self.assertEqual(self.state("tail", "by-mail"), "held")
        found = self.get(f"/v1/quarantine?flow=by-mail&key={urllib.parse.quote(key)}")["deliveries"]
        self.assertEqual([one["key"] for one in found], [key])
        guessed = self.get(f"/v1/quarantine?flow=by-mail&key={urllib.parse.quote(MAIL)}", 400)
        self.assertIn("redacted", guessed["detail"])  # a list would tell, one guess at a time
        self.weir.write_config(self.config(CONFIG))
        refused = self.weir.request("POST", "/v1/config/reload")
        self.assertEqual(refused.status, 422, refused.text)
        self.assertIn("whether it is redacted cannot change now", refused.text)
        self.post("/v1/quarantine/resolve", {"flow": "by-mail", "key": MAIL, "reason": "by hand"})
        self.settled("tail", "by-mail", "done")
        self.post("/v1/config/reload")
        self.assertIn(MAIL, self.weir.request("GET", "/v1/events/tail/payload").text)
        self.weir.write_config(self.config(self.CONFIG))
        self.assertEqual(self.post("/v1/config/reload")["changes"], "redaction changed\nflow by-mail changed\nflow by-subject changed")
        self.assertNotIn(MAIL, self.weir.request("GET", "/v1/events/tail/payload").text)


class NothingIsRevealedInSecret(ServerCase):
    """The store fails, or the power is cut, at one commit after the other: whoever saw the data is in the audit trail."""

    def try_reveal(self, failpoint):
        """What was answered, or None if nobody answered."""
        weir = Server(self.folder, "streams: { s: {} }" + RULES, env=os.environ | {"WEIR_FAILPOINT": failpoint})
        self.addCleanup(weir.kill_if_running)
        weir.launch()
        try:
            wait_for(lambda: weir.process.poll() is not None or answers(weir.port, "/readyz"), 10, "ready, or gone")
            return weir.request("POST", "/v1/events/e1/reveal", json.dumps({"reason": failpoint}))
        except (OSError, http.client.HTTPException):
            return None
        finally:
            weir.kill_if_running()

    def test_the_audit_comes_first(self):
        weir = self.serve("streams: { s: {} }")
        self.publish(weir, "e1", data_of())
        weir.kill()
        shown = []
        refused = 0
        for failpoint in (f"store.before_commit={how}@{number}" for number in range(1, 6) for how in ("fail", "crash")):
            answer = self.try_reveal(failpoint)
            if answer is not None and MAIL in answer.text:
                shown.append(failpoint)
            else:
                refused += 1
        entries = self.serve("streams: { s: {} }").request("GET", "/v1/audit?limit=100").json["entries"]
        noted = [one["reason"] for one in entries if one["action"] == "event.reveal"]
        self.assertEqual([one for one in shown if one not in noted], [])
        self.assertGreater(refused, 1)
        self.assertGreater(len(shown), 1)


if __name__ == "__main__":
    unittest.main()
