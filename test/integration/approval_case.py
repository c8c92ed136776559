# SPDX-License-Identifier: Apache-2.0
"""A Weir that asks for the yes of another person, and persons with tokens."""
import json
import threading

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import wait_for

CONFIG = """
access: {}
approvals:
  replay: { deliveries: 2, inDoubt: true, delivered: true, edited: true }
  discard: { deliveries: 1, inDoubt: true }
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
    edit: { allow: true }
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

    def approve(self, token, replay, reason):
        """Says yes to the plan as it is now."""
        return self.ask(token, "POST", f"/v1/replays/{replay}/approve", reason=reason, hash=self.get(f"/v1/replays/{replay}")["hash"])

    def grant(self, token, request, reason):
        """Says yes to what was asked for."""
        wanted, = [one for one in self.get("/v1/approvals")["approvals"] if one["approval"] == request]
        return self.ask(token, "POST", f"/v1/approvals/{request}/grant", reason=reason, hash=wanted["hash"])

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
