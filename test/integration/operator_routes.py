# SPDX-License-Identifier: Apache-2.0
"""The routes of edits and approvals, for the walk over all routes."""
import stub_handler as stub
from server import wait_for


class OperatorRoutes:
    def edits(self):
        self.handler.script("wrong", stub.status(422))
        self.ask("POST", "/v1/streams/s/events", 201, self.event("wrong", data={"a": 1, "b": 2}, dataschema="urn:s"),
                 {"Content-Type": "application/cloudevents+json"})
        self.settled("wrong", "first")
        path = "/v1/events/wrong/edit?flow=first"
        document = self.ask("GET", path, 200)
        self.ask("GET", "/v1/events/wrong/edit?flow=none", 404)
        edit = {"base": document["base"], "data": {"a": 2, "c": 3}, "attributes": {"dataschema": None}, "reason": "typo"}
        self.ask("POST", path, 422, edit | {"reason": ""})
        self.ask("POST", path, 200, edit | {"dryRun": True})
        self.ask("POST", path, 200, edit)
        self.ask("POST", path, 409, edit)
        self.ask("GET", "/v1/events/wrong/revisions?flow=first", 200)
        self.ask("GET", "/v1/events/wrong/revisions", 400)
        self.ask("GET", "/v1/events/wrong/explain", 200)
        self.ask("POST", "/v1/quarantine/discard", 200, {"ids": ["wrong"], "reason": "by hand"})

    def many_at_once(self):
        ids = [f"many{number}" for number in range(6)]
        for one in ids:
            self.handler.script(one, stub.status(422))
            self.settled(self.publish(one, subject=one), "first")
        many = {"flow": "first", "reason": "by hand"}
        self.ask("POST", "/v1/quarantine/discard", 409, many | {"ids": ids})
        for some in (ids[:3], ids[3:]):
            self.ask("POST", "/v1/quarantine/discard", 200, many | {"ids": some})

    def approvals(self):
        wish = {"name": "laptop", "subject": "bob", "roles": ["approver"]}
        bob = {"Authorization": f"Bearer {self.ask('POST', '/v1/tokens', 201, wish)['secret']}"}
        delivered = self.publish("rewound", subject="rewound")
        wait_for(lambda: self.state(delivered, "first") == "done", 10, "the delivery")
        plan = {"selection": {"delivered": True, "flow": "first", "key": "rewound"}, "reason": "again"}
        path = f"/v1/replays/{self.ask('POST', '/v1/replays', 201, plan)['replay']}"
        self.ask("POST", f"{path}/run", 409, {})
        plan_now = self.ask("GET", path, 200)
        request = f"/v1/approvals/{plan_now['approval']['request']}/grant"
        yes = {"reason": "looked", "hash": plan_now["hash"]}
        self.ask("POST", f"{path}/run", 403, {"breakGlass": True, "reason": "now"})
        self.ask("POST", request, 403, yes)
        self.ask("POST", request, 200, yes, bob)
        self.ask("POST", request, 409, yes, bob)
        self.ask("GET", path, 200)
        self.ask("PUT", path, 200, plan | {"rate": {"start": "9/s", "max": "9/s"}})
        yes["hash"] = self.ask("GET", path, 200)["hash"]
        self.ask("POST", f"{path}/approve", 403, yes)
        granted = self.ask("POST", f"{path}/approve", 200, yes, bob)["approval"]
        self.ask("POST", f"/v1/approvals/{granted}/void", 422, {})
        self.ask("POST", f"/v1/approvals/{granted}/void", 200, {"reason": "a mistake"})
        self.ask("POST", f"/v1/approvals/{granted}/void", 409, {"reason": "a mistake"})
        self.ask("POST", f"{path}/approve", 200, yes, bob)
        self.ask("POST", f"{path}/run", 200, {"reason": "now"})
        self.many_at_once()
        self.ask("GET", "/v1/approvals", 200)
        self.ask("GET", "/v1/approvals?state=none", 400)
        self.ask("POST", "/v1/approvals/a99/grant", 404, yes)
        self.ask("POST", "/v1/approvals/a99/void", 404, {"reason": "a mistake"})
