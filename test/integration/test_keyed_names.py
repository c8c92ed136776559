# SPDX-License-Identifier: Apache-2.0
"""Names that are made of what redaction hides tell it to nobody who tries values, and stay the same over restarts."""
import json
import unittest
import urllib.parse

import stub_handler as stub
from effect_call import effect
from server import ServerCase, wait_for

CONFIG = """
access: {}
redaction: { rules: [{ member: account }] }
streams: { s: { retention: 7d } }
dependencies:
  stub: { url: "{url}" }
  bank: { url: "{url}/bank" }
flows:
  pay:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub } }
    effects: [bank]
    policy: once
policies: { once: { retry: { maxAttempts: 1 } } }
"""
ACCOUNT = "DE02120300000000202051"


class KeyedNames(ServerCase):
    def setUp(self):
        super().setUp()
        self.handler = stub.StubHandler()
        self.addCleanup(self.handler.stop)
        self.weir = self.serve(CONFIG.replace("{url}", self.handler.url))
        self.handler.script("one", self.pays)
        self.publish(self.weir, "one", json.dumps({"account": ACCOUNT}).encode())
        wait_for(lambda: self.get("/v1/quarantine")["deliveries"], 10, "the quarantine")
        self.viewer, self.operator = self.token("viewer"), self.token("operator")

    def pays(self, peer, call):
        if token := call.header("weir-token"):
            told = effect(self.weir, "bank", token, path="/accounts/" + urllib.parse.quote(ACCOUNT) + "/debit", body=call.body)
            self.assertEqual(told[0], 204, told)
        return stub.status(422)(peer, call)

    def token(self, role):
        body = {"name": role, "subject": role, "roles": [role]}
        return self.weir.request("POST", "/v1/tokens", json.dumps(body)).json["secret"]

    def get(self, path, token=None):
        answer = self.weir.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
        self.assertEqual(answer.status, 200, answer.text)
        return answer.json

    def seen(self, token):
        """The key of the one effect, in both views."""
        listed, = self.get("/v1/effects", token)["effects"]
        self.assertEqual(self.get(f"/v1/effects/{listed['effect']}", token), listed)
        return listed["key"]

    def sent(self):
        """The key that the bank got."""
        paid, = [call for call in self.handler.calls() if call.target.startswith("/bank")]
        return paid.header("idempotency-key").strip('"')

    def restart(self):
        self.weir.kill()
        self.weir.start()

    def test_the_key_of_an_effect_is_for_those_who_may_reveal(self):
        self.assertEqual(self.seen(self.operator), self.sent())
        masked = self.seen(self.viewer)
        self.assertRegex(masked, "^redacted:[0-9a-f]{32}$")
        self.assertNotIn(self.sent(), masked)
        self.restart()
        self.assertEqual(self.seen(self.viewer), masked)

    def test_where_nothing_is_hidden_everybody_sees_the_key(self):
        self.weir.write_config(CONFIG.replace("{url}", self.handler.url).replace("redaction: { rules: [{ member: account }] }", ""))
        self.restart()
        self.assertEqual(self.seen(self.viewer), self.sent())

    def test_the_hash_of_a_plan_stays_the_same_over_restarts(self):
        wish = {"reason": "mended", "selection": {"flow": "pay", "where": {"data": {"account": [ACCOUNT]}}}}
        made = self.weir.request("POST", "/v1/replays", json.dumps(wish)).json
        path = f"/v1/replays/{made['replay']}"
        self.assertEqual(self.get(path, self.viewer)["hash"], made["hash"])
        self.restart()
        self.assertEqual(self.get(path, self.viewer)["hash"], made["hash"])
        done = self.weir.request("POST", f"{path}/run", json.dumps({"reason": "go", "hash": made["hash"]}))
        self.assertEqual(done.status, 200, done.text)


if __name__ == "__main__":
    unittest.main()
