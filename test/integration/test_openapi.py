# SPDX-License-Identifier: Apache-2.0
"""Every route of the built binary is asked, and every answer compared with the OpenAPI document it serves."""
import json
import re
import unittest
import urllib.parse
from pathlib import Path

import stub_handler as stub
from effect_routes import EffectRoutes
from operator_routes import OperatorRoutes
from handler_case import POLICIES, HandlerCase
from prometheus_client.parser import text_string_to_metric_families
from recorded_api import RecordedApi, vague_objects
from server import Answer, run_cli, wait_for

REPO = Path(__file__).resolve().parents[2]

CONFIG = """
access: {}
approvals: { replay: { delivered: true }, discard: { deliveries: 5 }, breakGlass: { roles: [operator] } }
streams:
  s: { retention: 7d }
  gone: { retention: 7d }
dependencies:
  stub: { url: "{url}", capacity: 100/s, requestPrice: 0.001, policy: open }
  limited: { url: "{url}", policy: limited }
  bank: { url: "{url}", policy: bank }
flows:
  first:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /first } }
    ordering: { key: subject }
    policy: once
    edit: { allow: true, attributes: [dataschema] }
  leaving:
    from: { stream: s, start: earliest }
    where: { type: [leaving] }
    to: { http: { dependency: stub, path: /leaving } }
    policy: quick
  slow:
    from: { stream: s, start: earliest }
    where: { type: [slow] }
    to: { http: { dependency: limited, path: /slow } }
    policy: patient
  pays:
    from: { stream: s, start: earliest }
    where: { type: [pays] }
    to: { http: { dependency: stub, path: /pays } }
    effects: [bank]
    policy: once
failureModes:
  - name: known
    match: { status: [422], problemType: ["urn:known"] }
    class: permanent
    runbook: docs/runbooks/known.md
"""
LIMITED = """
  limited:
    rateLimit: { requests: 1, unit: hour, burst: 2 }
    circuitBreaker: { scope: [dependency, endpoint] }
  bank:
    idempotency: { onInDoubt: reconcile, reconcile: { path: "/{key}", after: 0s, applied: { status: 201 }, notApplied: { status: 404 } } }
  once: { extends: quick, retry: { maxReplays: 1 } }
  patient:
    timeouts: { attempt: 5s }
    retry: { maxAttempts: 3, backOff: { baseInterval: 1h, maxInterval: 1h, multiplier: 1, jitter: none } }
"""
# Answers that a serving Weir does not give, and routes that have nothing to refuse.
UNANSWERED = {("GET", "/readyz", "503"), ("GET", "/startupz", "503")}
NEVER_REFUSES = {("GET", "/v1/config/versions"), ("GET", "/v1/streams"), ("GET", "/v1/audit/checkpoints"), ("GET", "/v1/flows"), ("GET", "/v1/dependencies"), ("GET", "/v1/groups"),
                 ("GET", "/v1/replays"), ("GET", "/v1/status"), ("GET", "/v1/watch"), ("GET", "/v1/openapi.json"), ("GET", "/livez"),
                 ("GET", "/readyz"), ("GET", "/startupz"), ("GET", "/metrics")}


class OpenApi(EffectRoutes, OperatorRoutes, HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES + LIMITED

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        answer = cls.weir.request("GET", "/v1/openapi.json")
        cls.api = RecordedApi(answer.json)
        cls.api.record("GET", "/v1/openapi.json", answer)

    @classmethod
    def config(cls, text):
        key = cls.folder / "key"
        if not key.exists():
            assert run_cli("encryption", "key", "create", key).code == 0
        return super().config(text) + f"encryption: {{ keyFile: {key} }}\n"

    def ask(self, method, path, status, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | (headers or {})
        before = self.get("/v1/audit?limit=1")["head"]["number"]
        answer = self.weir.request(method, path, body, headers)
        self.assertEqual(answer.status, status, f"{method} {path}: {answer.text}")
        if method != "GET" and status < 300 and not path.endswith("/events") and '"dryRun": true' not in str(body):
            self.check_audited(f"{method} {path}", before)
        self.api.record(method, path, answer)
        if status >= 400:
            self.check_problem(method, path, answer)
        return answer.json

    def check_audited(self, route, before):
        """What changes something has left an entry of somebody."""
        entries = self.get(f"/v1/audit?after={before}&limit=100")["entries"]
        self.assertTrue([entry for entry in entries if entry["actor"] != "weir"], route)

    def check_problem(self, method, path, answer):
        problem = answer.json
        rows = dict(re.findall(r"WEIR_ERROR\((WR\d+), \w+, (\d+), \w+,", (REPO / "src/base/error_codes.def").read_text()))
        self.assertEqual(str(answer.status), rows[problem["code"]], f"{method} {path}: {answer.text}")
        self.assertEqual(problem["status"], answer.status)

    def test_the_document(self):
        self.assertEqual(self.api.document["openapi"][:4], "3.1.")
        self.assertEqual(self.api.document, json.loads((REPO / "src/api/openapi.json").read_text()))
        self.assertEqual(vague_objects(self.api.document), [])
        for schema in self.api.document["components"]["schemas"].values():
            for member in schema.get("required", []):
                self.assertIn(member, schema["properties"])

    def test_every_route(self):
        """One walk over all routes; at its end everything that was answered is compared."""
        self.ingest()
        self.reads()
        self.flows()
        self.quarantine()
        self.replays()
        self.effects()
        self.streams()
        self.ask("GET", "/v1/audit?limit=3", 200)
        self.ask("GET", "/v1/audit", 200)
        self.ask("GET", "/v1/audit?limit=none", 400)
        self.ask("GET", "/v1/audit/checkpoints", 200)
        self.tokens()
        self.approvals()
        self.probes()
        self.maxDiff = None
        self.assertEqual(self.api.faults(), [])
        self.assertEqual(self.api.unexercised(), sorted(UNANSWERED))
        self.assertEqual(self.api.without_error(), sorted(NEVER_REFUSES))
        self.assertEqual(self.api.unseen_members(), [])

    def event(self, event_id, **attributes):
        return {"specversion": "1.0", "id": event_id, "type": "test", "source": "/test"} | attributes

    def ingest(self):
        path, structured = "/v1/streams/s/events", {"Content-Type": "application/cloudevents+json"}
        batch = {"Content-Type": "application/cloudevents-batch+json"}
        full = self.event("full", subject="k0", time="2026-01-02T03:04:05Z", dataschema="urn:s", ext="x", data={"a": 1},
                          datacontenttype="application/json")
        self.handler.script("failing", stub.problem(422, "urn:known"))
        self.handler.script("unnamed", stub.problem(422, "urn:unnamed"))
        self.handler.script("retried", stub.status(500), stub.close(), stub.status(500))
        self.handler.script("later", stub.status(429))
        self.handler.script("left", stub.status(422))
        self.ask("POST", path, 201, full, structured)
        self.ask("POST", path, 201, full, structured)
        self.ask("POST", path, 207, [full | {"data": {"a": 2}}, {"specversion": "1.0"}, self.event("also")], batch)
        self.ask("POST", path, 201, [self.event("failing", subject="k1"), self.event("held", subject="k1"),
                                     self.event("unnamed"), self.event("retried"), self.event("left", type="leaving"),
                                     self.event("later", type="slow")], batch)
        self.ask("POST", path, 400, "{", structured)
        self.ask("POST", path, 415, "<a/>", {"Content-Type": "application/cloudevents+xml"})
        self.ask("POST", "/v1/streams/t/events", 404, full, structured)
        for event_id, flow in (("failing", "first"), ("unnamed", "first"), ("retried", "first"), ("left", "leaving")):
            self.settled(event_id, flow)
        self.settled("later", "slow", "waiting")
        # Two calls an hour: the third waits for the guardrail.
        for event_id in ("second-call", "third-call"):
            self.publish(event_id, "slow")
        self.settled("second-call", "slow", "done")
        wait_for(lambda: "waitsFor" in self.get("/v1/dependencies/limited"), 5, "the rate limit")

    def reads(self):
        self.ask("GET", "/v1/streams", 200)
        self.ask("GET", "/v1/events?stream=s&limit=2", 200)
        self.ask("GET", "/v1/events?stream=s&from=1&limit=1000", 200)
        self.ask("GET", "/v1/events?stream=x", 404)
        self.ask("GET", "/v1/events?stream=s&limit=many", 400)
        for tail in ("", "/payload", "/explain"):
            self.ask("GET", f"/v1/events/full{tail}", 200)
            self.ask("GET", f"/v1/events/s%231{tail}", 200)
            self.ask("GET", f"/v1/events/nobody{tail}", 404)
        self.ask("POST", "/v1/events/full/reveal", 200, {"reason": "x"})
        self.ask("POST", "/v1/events/full/reveal?as=event", 200, {"reason": "x"})
        self.ask("POST", "/v1/events/full/reveal", 422, {})
        self.ask("POST", "/v1/events/nobody/reveal", 404, {"reason": "x"})
        for event_id in ("failing", "held", "unnamed", "retried", "also", "left", "later", "third-call"):
            self.ask("GET", f"/v1/events/{event_id}/explain", 200)
        self.ask("GET", "/v1/events/full/explain?format=text", 200)
        self.ask("GET", "/v1/events/full/explain?flow=firts", 404)
        self.ask("GET", "/v1/dependencies", 200)
        self.ask("GET", "/v1/dependencies/stub", 200)
        self.ask("GET", "/v1/dependencies/limited", 200)
        self.ask("GET", "/v1/dependencies/stab", 404)
        self.ask("POST", "/v1/dependencies/stub/breaker", 200, {"state": "closed", "for": "1s", "reason": "x"})
        self.ask("POST", "/v1/dependencies/stub/breaker", 200, {"state": "auto", "reason": "x"})
        self.ask("POST", "/v1/dependencies/stab/breaker", 404, {"state": "open", "reason": "x"})
        self.ask("POST", "/v1/dependencies/stub/breaker", 400, {"state": "ajar", "reason": "x"})
        self.ask("POST", "/v1/dependencies/stub/breaker", 400, {"state": "open", "for": "5", "reason": "x"})
        self.ask("POST", "/v1/dependencies/stub/breaker", 422, {"state": "open"})
        self.ask("GET", "/v1/status", 200)
        with self.weir.watch() as watched:
            headers = {name.lower(): value for name, value in watched.getheaders()}
            self.api.record("GET", "/v1/watch", Answer(watched.status, headers, watched.readline().decode()))

    def streams(self):
        for stream, status in (("gone", 200), ("s", 409), ("none", 404)):
            self.ask("POST", f"/v1/streams/{stream}/shred", status, {"confirm": stream, "reason": "asked to"})
        self.ask("POST", "/v1/streams/gone/shred", 400, {"confirm": "gon", "reason": "asked to"})
        self.ask("POST", "/v1/streams/gone/shred", 422, {"confirm": "gone"})

    def flows(self):
        self.ask("GET", "/v1/flows", 200)
        self.ask("GET", "/v1/flows/first", 200)
        self.ask("GET", "/v1/flows/frist", 404)
        for verb in ("pause", "resume"):
            self.ask("POST", f"/v1/flows/first/{verb}", 422, {})
            self.ask("POST", f"/v1/flows/none/{verb}", 404, {"reason": "x"})
            self.ask("POST", f"/v1/flows/first/{verb}", 200, {"reason": "x"})
            self.ask("GET", "/v1/events/failing/explain", 200)
        self.ask("POST", "/v1/flows/first/pause", 400, {"reson": "x"})
        self.ask("DELETE", "/v1/flows/leaving", 409, {"reason": "x"})
        self.weir.write_config(self.config(re.sub(r"(?s)  leaving:.*?(?=  slow:)", "", self.CONFIG)))
        self.ask("POST", "/v1/config/reload", 200)
        self.ask("POST", "/v1/config/rollback", 422, {"version": 1})
        self.ask("POST", "/v1/config/rollback", 404, {"version": 99, "reason": "x"})
        self.ask("POST", "/v1/config/rollback", 200, {"version": 1, "reason": "x"})
        self.ask("GET", "/v1/config/versions", 200)
        self.ask("GET", "/v1/config/versions/3", 200)
        self.ask("GET", "/v1/config/versions/99", 404)
        self.ask("GET", "/v1/config/diff", 200)
        self.ask("GET", "/v1/config/diff?from=1&to=2", 200)
        self.ask("GET", "/v1/config/diff?from=none", 400)
        self.ask("POST", "/v1/config/reload", 200)
        self.ask("GET", "/v1/flows", 200)
        self.ask("GET", "/v1/events/left/explain", 200)
        self.ask("DELETE", "/v1/flows/leaving", 200, {"reason": "gone"})
        self.ask("DELETE", "/v1/flows/leaving", 404, {"reason": "gone"})
        self.weir.write_config("nonsense: true\n")
        self.ask("POST", "/v1/config/reload", 422)
        self.weir.write_config(self.config(self.CONFIG))
        self.ask("POST", "/v1/config/reload", 200)

    def quarantine(self):
        self.ask("GET", "/v1/groups", 200)
        groups = self.ask("GET", "/v1/groups?all=true", 200)["groups"]
        self.ask("GET", f"/v1/groups/{groups[0]['group']}", 200)
        self.ask("GET", "/v1/groups/ffff", 404)
        self.groups([group["group"] for group in groups])
        page = self.ask("GET", "/v1/quarantine?limit=1", 200)
        self.ask("GET", f"/v1/quarantine?limit=1&cursor={page['cursor']}", 200)
        where = urllib.parse.quote('{"id":["failing"]}')
        self.assertEqual(len(self.ask("GET", f"/v1/quarantine?flow=first&where={where}", 200)["deliveries"]), 1)
        for query, count in (("dependency=stub&status=422&type=test&key=k1", 1), ("dependency=limited", 0), ("status=500", 1), ("mark=archived", 0)):
            self.assertEqual(len(self.ask("GET", f"/v1/quarantine?flow=first&{query}", 200)["deliveries"]), count, query)
        self.ask("GET", "/v1/quarantine?mark=lost", 400)
        self.ask("GET", "/v1/quarantine?cursor=nonsense", 400)
        self.ask("GET", "/v1/quarantine?class=nonsense", 400)
        for verb in ("archive", "restore"):
            self.ask("POST", f"/v1/quarantine/{verb}", 422, {"ids": ["failing"]})
            self.ask("POST", f"/v1/quarantine/{verb}", 200, {"ids": ["failing"], "reason": "by hand"})
        self.edits()
        for verb in ("resolve", "discard"):
            self.ask("POST", f"/v1/quarantine/{verb}", 422, {"reason": "x"})
            self.ask("POST", f"/v1/quarantine/{verb}", 200, {"ids": ["failing"], "dryRun": True})
            self.handler.script(verb, stub.status(422))
            self.settled(self.publish(verb), "first")
            self.ask("POST", f"/v1/quarantine/{verb}", 200, {"ids": [verb], "reason": "by hand"})
            self.ask("GET", f"/v1/events/{verb}/explain", 200)

    def groups(self, hashes):
        first, second = hashes[:2]
        self.ask("POST", "/v1/markers", 201, {"title": "tracker 2.4 deployed", "target": "tracker"})
        self.ask("POST", "/v1/markers", 400, {"target": "tracker"})
        self.ask("GET", f"/v1/groups/{first}/insight", 200)
        self.ask("GET", "/v1/groups/ffff/insight", 404)
        self.ask("GET", f"/v1/groups/{first}/split?by=type", 200)
        self.ask("GET", f"/v1/groups/{first}/split?by=data.nothing", 400)
        self.ask("PATCH", f"/v1/groups/{first}", 200, {"name": "no inbox", "owner": "ada", "note": "ask the customer",
                                                       "snoozeUntil": "2h", "reason": "known"})
        self.ask("PATCH", f"/v1/groups/{first}", 400, {"snoozeUntil": "soon"})
        self.ask("PATCH", f"/v1/groups/{second}", 200, {"mergeInto": first})
        self.ask("GET", f"/v1/groups/{first}", 200)
        self.ask("GET", f"/v1/groups/{second}", 200)
        self.ask("PATCH", f"/v1/groups/{second}", 200, {"mergeInto": ""})

    def replays(self):
        self.ask("GET", "/v1/replays", 200)
        rewind = {"selection": {"flow": "first", "delivered": True, "type": "test"}, "reason": "bug fixed"}
        self.assertTrue(self.ask("POST", "/v1/replays?dryRun=true", 200, rewind)["forecast"]["repeats"])
        self.ask("POST", "/v1/replays", 400, {"selection": {"delivered": True}, "reason": "of no flow"})
        selection = {"flow": "first", "class": "permanent", "since": "1h", "until": "0s", "where": {"type": ["test"]}, "dependency": "stub",
                     "status": 422, "type": "test",
                     "group": self.explain("unnamed", "first")["group"]["group"], "ids": ["unnamed"]}
        self.handler.script(None, stub.status(200, body=b"ok"))  # what has no event id is a check of the plan
        probe = {"http": {"url": self.handler.url + "/livez", "status": 200, "timeout": "1s"}}
        metric = {"prometheus": {"url": self.handler.url + "/livez", "query": "up", "below": 1, "timeout": "1s"}}
        rule = {"limit": "1h", "then": "slow"}
        everything = {
            "selection": selection, "reason": "mended",
            "preconditions": [{"breakerClosed": {"dependency": "limited", "for": "0s"}}, {"flow": {"name": "first", "is": "active"}},
                              {"timeWindow": {"from": "00:00", "until": "23:59"}}, {"noneInDoubt": True}, probe, metric],
            "rate": {"start": "5/s", "max": "50/s", "factor": 2, "step": "5s", "concurrency": 16, "share": 50},
            "canary": {"count": 1, "share": 0, "hold": "10ms"}, "staleness": {"expired": "skip", "superseded": "ask"}, "attempts": 2,
            "headers": {"trace": "new", "strip": ["baggage"], "set": {"X-Again": "yes"}},
            "verify": {"nothingReturned": True, "checks": [probe], "afterCanary": True, "eachStep": True, "atEnd": True},
            "stop": {"failureShare": 10, "sameFingerprint": {"limit": 3, "then": "pause"}, "latency": rule, "liveLag": rule,
                     "duration": rule, "breakerOpen": {"then": "pause"}}}
        self.ask("POST", "/v1/replays?dryRun=true", 200, everything)
        self.ask("POST", "/v1/replays", 422, {"reason": "x"})
        self.ask("POST", "/v1/replays", 422, {"selection": {"ids": ["unnamed"]}, "reason": "x", "canary": "five"})
        del selection["until"]
        made = self.ask("POST", "/v1/replays", 201, everything)
        replay = made["replay"]
        self.assertEqual(self.ask("POST", f"/v1/replays/{replay}/run", 409, {"hash": "0123456789abcdef"})["code"], "WR1506")
        refused = self.ask("POST", f"/v1/replays/{replay}/run", 409, {"hash": made["hash"]})
        self.assertEqual(refused["code"], "WR1505")
        self.assertIn("up below 1 (inconclusive: the query gave no numbers)", refused["detail"])
        self.ask("POST", f"/v1/replays/{replay}/run", 400, {"wait": "for ever"})
        self.assertIn("waitsUntil", self.ask("POST", f"/v1/replays/{replay}/run", 200, {"wait": "1h"}))
        self.ask("GET", f"/v1/replays/{replay}", 200)
        del everything["preconditions"][-1]
        edited = self.ask("PUT", f"/v1/replays/{replay}", 200, made["plan"] | {
            "preconditions": everything["preconditions"], "rate": {"steps": ["5/s", "20/s"], "step": "5s"}})
        self.assertNotIn("waitsUntil", edited)
        self.assertNotEqual(edited["hash"], made["hash"])
        self.ask("PUT", f"/v1/replays/{replay}", 400, {"selection": {"flow": "first"}, "reason": "other members"})
        self.ask("PUT", "/v1/replays/r999", 404, {"reason": "x"})
        self.ask("GET", "/v1/events/unnamed/explain", 200)
        self.ask("GET", f"/v1/replays/{replay}", 200)
        self.ask("GET", f"/v1/replays/{replay}/items", 200)
        self.ask("POST", f"/v1/replays/{replay}/pause", 409, {})
        self.handler.script("unnamed", stub.status(200))
        self.ask("POST", f"/v1/replays/{replay}/run", 200, {})
        wait_for(lambda: self.get(f"/v1/replays/{replay}")["state"] == "completed", 10, "the run")
        self.ask("GET", f"/v1/replays/{replay}", 200)
        self.ask("GET", "/v1/events/unnamed/explain", 200)
        for verb in ("run", "resume", "abort"):
            self.ask("POST", f"/v1/replays/{replay}/{verb}", 409, {})
        self.halted_replay()

    def halted_replay(self):
        ids = [f"slow{number}" for number in range(6)]
        for one in ids:
            self.handler.script(one, stub.status(422))
        self.publish_many(ids)
        for one in ids:
            self.settled(one, "first")
        halted = self.ask("POST", "/v1/replays", 201, {"selection": {"ids": ids}, "reason": "slowly", "rate": {"start": "1/s", "max": "1/s"},
                                                       "stop": {"sameFingerprint": 0, "failureShare": 100}})["replay"]
        self.handler.script(ids[0], stub.late(0.5, stub.status(422)))
        self.ask("POST", f"/v1/replays/{halted}/run", 200, {"reason": "go"})
        wait_for(lambda: self.state(ids[0], "first") == "inFlight", 5, "the first call of the run")
        self.ask("GET", f"/v1/events/{ids[0]}/explain", 200)
        self.ask("POST", f"/v1/replays/{halted}/pause", 200, {"reason": "stop"})
        page = self.ask("GET", f"/v1/replays/{halted}/items?limit=1", 200)
        self.ask("GET", f"/v1/replays/{halted}/items?limit=1&cursor={page['cursor']}", 200)
        self.ask("GET", f"/v1/replays/{halted}/items?state=planned", 200)
        self.ask("GET", f"/v1/replays/{halted}/items?state=plannd", 400)
        self.ask("POST", f"/v1/replays/{halted}/slow", 409, {})
        self.ask("POST", f"/v1/replays/{halted}/resume", 200, {})
        self.ask("GET", f"/v1/replays/{halted}?joined=true", 200)
        self.ask("POST", f"/v1/replays/{halted}/slow", 200, {"reason": "gently"})
        self.ask("POST", f"/v1/replays/{halted}/abort", 200, {"reason": "enough"})
        wait_for(lambda: self.state(ids[0], "first") == "quarantined", 5, "the end of the call")
        self.ask("POST", "/v1/replays?dryRun=true", 200, {"selection": {"flow": "first", "mark": "exhausted"}})
        self.ask("POST", "/v1/replays?dryRun=true", 200, {"selection": {"key": "k1"}})
        self.ask("GET", "/v1/replays", 200)
        self.ask("GET", "/v1/replays/r999", 404)
        self.ask("GET", "/v1/replays/nonsense/items", 404)

    def tokens(self):
        wish = {"name": "laptop", "subject": "anna", "roles": ["operator"], "streams": ["s"], "flows": ["first"], "expires": "1h"}
        made = self.ask("POST", "/v1/tokens", 201, wish | {"reason": "asked for"})
        self.ask("POST", "/v1/tokens", 400, wish | {"roles": ["operater"]})
        self.ask("POST", "/v1/tokens", 404, wish | {"streams": ["none"]})
        path = f"/v1/tokens/{made['token']}"
        self.ask("DELETE", path, 422, {})
        self.ask("DELETE", path, 200, {"reason": "lost"})
        self.weir.request("GET", "/v1/flows", headers={"Authorization": f"Bearer {made['secret']}"})
        self.ask("DELETE", "/v1/tokens/t99", 404, {"reason": "lost"})
        self.ask("GET", "/v1/tokens", 200)
        used = self.ask("POST", "/v1/tokens", 201, wish)
        self.weir.request("GET", "/v1/flows", headers={"Authorization": f"Bearer {used['secret']}"})
        self.ask("DELETE", f"/v1/tokens/{used['token']}", 200, {"reason": "lost"})
        self.ask("GET", "/v1/tokens", 403, headers={"Authorization": f"Bearer {self.viewer()}"})

    def viewer(self):
        wish = {"name": "screen", "subject": "wall", "roles": ["viewer"]}
        return self.ask("POST", "/v1/tokens", 201, wish)["secret"]

    def probes(self):
        for path in ("/livez", "/readyz", "/startupz", "/metrics"):
            self.ask("GET", path, 200)

    def test_what_is_no_route(self):
        answer = self.weir.request("GET", "/v1/nothing")
        self.assertEqual((answer.status, answer.json["code"]), (404, "WR1003"))
        answer = self.weir.request("PUT", "/v1/flows/first", "{}")
        self.assertEqual((answer.status, answer.json["code"]), (405, "WR1004"))
        self.assertEqual({one.strip() for one in answer.headers["allow"].split(",")}, {"GET", "DELETE"})
        head = self.weir.request("HEAD", "/v1/status")
        self.assertEqual((head.status, head.text), (200, ""))


class Metrics(HandlerCase):
    CONFIG = CONFIG
    POLICIES = POLICIES + LIMITED

    def families(self):
        answer = self.weir.request("GET", "/metrics")
        self.assertEqual(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
        self.check_lines(answer.text)
        return {family.name: family for family in text_string_to_metric_families(answer.text)}

    def check_lines(self, text):
        """The exposition format, strictly: help, type, samples of one family together; no series twice."""
        label = r'[a-z]+="(?:[^"\\\n]|\\["\\n])*"'
        sample = re.compile(rf"([a-z_]+)(?:\{{{label}(?:,{label})*\}})? (?:-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|\+Inf|NaN)")
        self.assertTrue(text.endswith("\n"))
        family, seen, series = None, set(), set()
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if line.startswith("# HELP "):
                family = line.split(" ")[2]
                self.assertNotIn(family, seen)
                seen.add(family)
                self.assertRegex(lines[number + 1], rf"^# TYPE {family} (counter|gauge|histogram)$")
            elif not line.startswith("# TYPE "):
                match = sample.fullmatch(line)
                self.assertTrue(match, line)
                self.assertIn(re.sub("_(bucket|sum|count)$", "", match[1]), {family, re.sub("_(sum|count)$", "", family)})
                name = line.rsplit(" ", 1)[0]
                self.assertNotIn(name, series)
                series.add(name)

    def value(self, family, **labels):
        found = [sample.value for sample in self.families()[family].samples
                 if labels.items() <= sample.labels.items() and not sample.name.endswith(("_bucket", "_sum"))]
        return found[0] if found else None

    def test_the_numbers_follow_what_happened(self):
        self.handler.script("bad", stub.status(422))
        self.handler.script("worse", stub.status(500))
        for event_id in ("good", "better"):
            self.settled(self.publish(event_id), "first", "done")
        for event_id in ("bad", "worse"):
            self.settled(self.publish(event_id), "first")
        self.assertEqual(self.value("weir_deliveries", flow="first", decision="done"), 2)
        self.assertEqual(self.value("weir_deliveries", flow="first", decision="quarantine"), 2)
        self.assertEqual(self.value("weir_deliveries", flow="first", decision="retryAt"), 2)
        self.assertEqual(self.value("weir_failed_attempts", flow="first", **{"class": "transient"}), 3)
        self.assertEqual(self.value("weir_unnamed_failures", flow="first"), 2)
        self.assertEqual(self.value("weir_attempt_duration_seconds", flow="first"), 6)
        self.assertEqual(self.value("weir_flow_backlog_events", flow="first"), 0)
        self.assertEqual(self.value("weir_breaker_open", dependency="stub"), 0)
        wait_for(lambda: self.value("weir_quarantined_deliveries", flow="first") == 2, 10, "the gauge")

    def test_histograms_add_up(self):
        self.settled(self.publish("timed", "leaving"), "leaving", "done")
        for family in self.families().values():
            if family.type != "histogram":
                continue
            series = {}
            for sample in family.samples:
                if sample.name.endswith("_bucket"):
                    key = tuple(sorted(item for item in sample.labels.items() if item[0] != "le"))
                    series.setdefault(key, []).append((float(sample.labels["le"]), sample.value))
            self.assertTrue(series)
            for buckets in series.values():
                self.assertEqual(buckets, sorted(buckets))
                self.assertEqual([count for _, count in buckets], sorted(count for _, count in buckets))
                self.assertEqual(buckets[-1][0], float("inf"))


if __name__ == "__main__":
    unittest.main()
