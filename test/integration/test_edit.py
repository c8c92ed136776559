# SPDX-License-Identifier: Apache-2.0
"""Edits of what a quarantined delivery sends, with the real binary: who may, what is refused, what is sent, what is told."""
import json
import threading
import unittest
from pathlib import Path

import stub_handler as stub
from handler_case import HandlerCase
from server import run_cli, wait_for

CANARY = "cnry-card-7f1e"
CONFIG = """
streams: { s: {} }
dependencies: { stub: { url: "{url}", policy: open } }
flows:
  orders:
    from: { stream: s, start: earliest }
    where: { type: [order], data: { kind: [new] } }
    to: { http: { dependency: stub, path: /orders } }
    ordering: { key: data.customer }
    policy: quick
    edit: { allow: true, locked: [/id], attributes: [subject] }
  closed:
    from: { stream: s, start: earliest }
    where: { type: [closed] }
    to: { http: { dependency: stub, path: /closed } }
    policy: quick
redaction: { rules: [ { member: card } ] }
"""


class EditCase(HandlerCase):
    CONFIG = CONFIG

    @classmethod
    def config(cls, text):
        key = cls.folder / "key"
        if not key.exists():
            assert run_cli("encryption", "key", "create", key).code == 0
        return super().config(text) + f"encryption: {{ keyFile: {key} }}\n"

    def broken(self, event_id, type_="order", behaviour=None, **more):
        """A delivery in quarantine; the path of its edits."""
        data = {"id": 1, "kind": "new", "customer": event_id, "email": "a.example.com", "card": CANARY} | more
        self.handler.script(event_id, behaviour or stub.problem(422, "urn:bad"))
        flow = "orders" if type_ == "order" else type_
        self.settled(self.publish(event_id, type_, json.dumps(data).encode()), flow)
        return f"/v1/events/{event_id}/edit?flow={flow}"

    def edit(self, path, status=200, **more):
        """Reads the document, changes members of its data, sends it back."""
        document = self.get(path)
        body = {"base": document["base"], "data": document["data"] | more, "reason": "typo"}
        return self.post(path, body, status)

    def replay(self, event_id):
        made = self.cli_json("replay", "plan", event_id, "--flow", "orders", "--reason", "mended")
        self.post(f"/v1/replays/{made['replay']}/run")
        wait_for(lambda: self.get(f"/v1/replays/{made['replay']}")["state"] == "completed", 15, "the run")

    def audited(self):
        return [one for one in self.get("/v1/audit?action=delivery.edit&limit=100")["entries"]]


class Edits(EditCase):
    def test_it_is_off_unless_the_flow_allows_it(self):
        path = self.broken("off", "closed")
        self.assertEqual(self.get(path, 403)["code"], "WR1752")
        self.assertEqual(self.post(path, {"base": "x", "data": {}, "reason": "x"}, 403)["code"], "WR1752")
        self.assertEqual(self.get("/v1/events/off/revisions?flow=closed")["revisions"], [])

    def test_an_edit_mends_it_and_the_original_stays(self):
        path = self.broken("mend")
        before = self.get("/v1/events/mend/payload")
        made = self.edit(path, email="a@example.com")
        self.assertEqual(made["revision"], 2)
        self.assertEqual(made["changes"], [{"pointer": "/email", "before": "a.example.com", "after": "a@example.com"}])
        self.handler.script("mend", stub.status(200))
        self.replay("mend")
        self.assertEqual(self.state("mend", "orders"), "done")
        first, second = self.handler.calls_of("mend")
        sent = json.loads(second.body)
        self.assertEqual(sent["email"], "a@example.com")
        self.assertEqual(sent["card"], CANARY)
        self.assertEqual(second.header("Weir-Revision"), "2")
        self.assertEqual(second.header("ce-id"), "mend")
        self.assertEqual(second.header("Weir-Edit-Of"), first.key.strip('"'))
        self.assertNotEqual(first.key, second.key)
        self.assertIsNone(first.header("Weir-Revision"))
        self.assertEqual(self.get("/v1/events/mend/payload"), before)
        told = self.explain("mend", "orders")
        self.assertEqual((told["revision"], told["revisions"][0]["changed"]), (2, ["/email"]))
        self.assertIn("what is sent is revision 2", self.cli("explain", "mend", "--flow", "orders").out)

    def test_what_fails_again_is_edited_again(self):
        path = self.broken("twice", behaviour=stub.problem(422, "urn:one"))
        self.edit(path, email="b")
        self.handler.script("twice", stub.problem(422, "urn:two"))
        self.replay("twice")
        told = self.settled("twice", "orders")
        self.assertIn("urn:two", told["group"]["title"])
        self.assertIn("revision 2 by", json.dumps(told["history"]))
        self.assertEqual(self.edit(path, email="c")["revision"], 3)
        self.handler.script("twice", stub.status(200))
        self.replay("twice")
        calls = self.handler.calls_of("twice")
        self.assertEqual([json.loads(call.body)["email"] for call in calls], ["a.example.com", "b", "c"])
        self.assertEqual(len({call.key for call in calls}), 3)
        self.assertEqual([one["revision"] for one in self.get("/v1/events/twice/revisions?flow=orders")["revisions"]], [2, 3])

    def test_what_is_refused(self):
        path = self.broken("refused")
        for change, code in (({"id": 2}, "WR1753"), ({"card": "1"}, "WR1754"), ({"card": CANARY}, "WR1754"),
                             ({"customer": "x"}, "WR1757"), ({"kind": "old"}, "WR1757")):
            self.assertEqual(self.edit(path, 422, **change)["code"], code, change)
        document = self.get(path)
        self.assertEqual(self.post(path, {"base": document["base"], "data": document["data"], "reason": "x"}, 400)["code"], "WR1002")
        self.assertEqual(self.post(path, {"base": document["base"], "attributes": {"type": "x"}, "reason": "x"}, 422)["code"], "WR1753")
        self.assertEqual(self.post(path, {"base": document["base"], "data": {}}, 422)["code"], "WR1503")
        self.assertEqual(self.get("/v1/events/refused/revisions?flow=orders")["revisions"], [])

    def test_two_people_edit_one_delivery_and_one_wins(self):
        path = self.broken("race")
        document = self.get(path)
        answers = []

        def send(number):
            body = {"base": document["base"], "data": document["data"] | {"email": f"{number}"}, "reason": "race"}
            answers.append(self.weir.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "Weir-Actor": f"p{number}"}))
        threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [409] * 7)
        revisions = self.get("/v1/events/race/revisions?flow=orders")["revisions"]
        self.assertEqual(len(revisions), 1)
        for answer in answers:
            if answer.status == 409:
                self.assertEqual(answer.json["code"], "WR1751")
                self.assertIn(revisions[0]["editor"], answer.json["detail"])

    def test_what_a_plan_has_is_not_edited(self):
        path = self.broken("planned")
        document = self.get(path)
        replay = self.cli_json("replay", "plan", "planned", "--flow", "orders", "--reason", "x")["replay"]
        edit = {"base": document["base"], "data": document["data"] | {"email": "z"}, "reason": "x"}
        self.assertEqual(self.post(path, edit, 409)["code"], "WR1504")
        self.handler.script("planned", stub.late(0.2, stub.status(200)))
        self.post(f"/v1/replays/{replay}/run")
        self.assertIn(self.post(path, edit, 409)["code"], ("WR1502", "WR1504"))
        self.settled("planned", "orders", "done")
        self.assertEqual(self.post(path, edit, 409)["code"], "WR1502")

    def test_a_kill_between_edit_and_replay(self):
        path = self.broken("killed")
        self.edit(path, email="after")
        self.weir.kill()
        self.weir.start()
        self.weir.wait_ready()
        self.handler.script("killed", stub.status(200))
        self.replay("killed")
        self.assertEqual(json.loads(self.handler.calls_of("killed")[-1].body)["email"], "after")

    def test_what_is_redacted_is_nowhere(self):
        path = self.broken("hidden")
        document = self.get(path)
        self.assertTrue(document["data"]["card"].startswith("[redacted "))
        self.edit(path, email="x")
        document = self.get(path)
        other = {"base": document["base"], "data": document["data"] | {"card": CANARY + "2"}, "reason": "x", "revealed": True}
        made = self.post(path, other)
        shown = [made, document, self.audited(), self.get("/v1/events/hidden/revisions?flow=orders"),
                 self.cli("explain", "hidden", "--flow", "orders").out,
                 self.cli("event", "revisions", "hidden", "--flow", "orders").out, self.weir.output.read_text()]
        for one in shown:
            self.assertNotIn(CANARY, json.dumps(one))
        entries = self.get("/v1/audit?limit=100")["entries"]
        self.assertIn(("event.reveal", "for an edit of its delivery in flow orders"), [(one["action"], one["detail"]) for one in entries])
        for stored in self.weir.data.rglob("*"):
            if stored.is_file():
                self.assertNotIn(CANARY.encode(), stored.read_bytes(), stored)

    def refuses_documents(self, document, asked):
        """What is no document of this delivery, each with its own words; nothing of it is sent."""
        file = Path(asked[-1])
        wrong = {
            "is_empty": ("", "is empty"),
            "unknown": (json.dumps(document | {"atributes": {}}), "unknown member 'atributes'", "did you mean 'attributes'"),
            "other event": (json.dumps(document | {"ref": "s#999"}), "is about orders/s#999", f"about orders/{document['ref']}"),
            "other flow": (json.dumps(document | {"flow": "closed"}), "is about closed/"),
        }
        for text, *words in wrong.values():
            file.write_text(text)
            told = self.cli(*asked, "--dry-run", code=2).err
            for word in words:
                self.assertIn(word, told)
        self.assertIn("cannot be opened: No such file", self.cli(*asked[:-1], str(file.parent / "absent"), code=2).err)
        self.assertIn("cannot be read", self.cli(*asked[:-1], str(file.parent), code=2).err)
        file.write_text(json.dumps(document))

    def test_the_command_line(self):
        self.broken("cli")
        printed = self.cli("event", "edit", "cli", "--flow", "orders").out
        document = json.loads(printed)
        document["data"]["email"] = "cli@example.com"
        document["attributes"]["subject"] = "new"
        file = str(self.folder / "edit.json")
        Path(file).write_text(json.dumps(document))
        asked = ("event", "edit", "cli", "--flow", "orders", "--file", file)
        self.refuses_documents(document, asked)
        self.assertIn("would be revision 2", self.cli(*asked, "--dry-run").out)
        self.assertIn("WR1503", self.cli(*asked, code=2).err)
        made = self.cli(*asked, "--reason", "typo").out
        self.assertIn('  subject  new "new"\n  /email  "a.example.com" -> "cli@example.com"\n', made)
        self.assertIn("WR1751", self.cli(*asked, "--reason", "typo", code=6).err)
        self.assertIn(": typo", self.cli("event", "revisions", "cli", "--flow", "orders").out)


if __name__ == "__main__":
    unittest.main()
