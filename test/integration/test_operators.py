# SPDX-License-Identifier: Apache-2.0
"""What operators do by hand: settle what is in quarantine, pause, rename and remove flows; and the audit of it all."""
import unittest

import stub_handler as stub
from handler_case import HandlerCase
from server import wait_for

SOURCES = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
"""
ORDERS = """
  orders:
    from: { stream: s, start: earliest }
    where: { type: [test] }
    to: { http: { dependency: stub, path: /orders } }
    ordering: { key: subject }
    policy: quick
"""
OTHERS = """
  others:
    from: { stream: s, start: earliest }
    where: { type: [other] }
    to: { http: { dependency: stub, path: /others } }
    policy: quick
"""


class Operators(HandlerCase):
    CONFIG = SOURCES + ORDERS + OTHERS

    def audit(self, action=None):
        entries = self.cli_json("audit", "list", "--limit", "500")["entries"]
        return [entry for entry in entries if action in (None, entry["action"])]

    def failed(self, event_id, type_="test", **attributes):
        self.handler.script(event_id, stub.status(422))
        reference = self.publish(event_id, type_, **attributes)
        self.settled(reference, "orders" if type_ == "test" else "others")
        return reference


class Quarantine(Operators):
    def test_settling_needs_a_selection_and_a_reason(self):
        reference = self.failed("reasons")
        for verb in ("resolve", "discard"):
            self.assertIn("WR1503", self.cli("quarantine", verb, reference, "--flow", "orders", code=2).err)
            self.assertIn("nothing is selected", self.cli("quarantine", verb, "--reason", "all", code=2).err)
            self.assertEqual(self.post(f"/v1/quarantine/{verb}", {"reason": "all"}, 422)["code"], "WR1501")
            self.assertEqual(self.post(f"/v1/quarantine/{verb}", {"ids": [reference]}, 422)["code"], "WR1503")
            # Without a terminal to ask at, many deliveries need --yes.
            refused = self.cli("quarantine", verb, "--flow", "orders", "--reason", "all", code=2)
            self.assertIn("--yes", refused.err)
        self.assertEqual(self.state(reference, "orders"), "quarantined")

    def test_resolve_and_discard_settle_with_their_reason(self):
        for verb, state in (("resolve", "resolved"), ("discard", "discarded")):
            reference = self.failed(f"by-{verb}", subject=verb)
            behind = self.publish(f"behind-{verb}", subject=verb)
            wait_for(lambda: self.state(behind, "orders") == "held", 10, "the hold")  # noqa: B023
            dry = self.cli("quarantine", verb, reference, "--flow", "orders", "--dry-run").out
            self.assertIn(f"1 delivery would be {state}", dry)
            self.assertEqual(self.state(reference, "orders"), "quarantined")
            self.cli("quarantine", verb, reference, "--flow", "orders", "--reason", f"we {verb} it")
            told = self.explain(reference, "orders")
            self.assertEqual((told["state"], told["resolution"]), (state, f"we {verb} it"))
            self.assertIn(f"we {verb} it", self.cli("explain", reference, "--flow", "orders").out)
            self.settled(behind, "orders", "done")  # its key goes on
            self.assertEqual(len(self.handler.calls_of(f"by-{verb}")), 1)
            (entry,) = [entry for entry in self.audit(f"quarantine.{verb}") if entry["target"] == reference]
            self.assertEqual(entry["reason"], f"we {verb} it")
            self.assertTrue(entry["actor"].startswith("local:"))
            again = self.cli_json("quarantine", verb, reference, "--flow", "orders", "--reason", "twice")
            self.assertEqual((again["selected"], again["settled"]), (0, 0))

    def test_many_at_once_by_group(self):
        references = [self.failed(f"many{number}", "other") for number in range(3)]
        group = self.explain(references[0], "others")["group"]["group"]
        done = self.cli_json("quarantine", "discard", "--group", group, "--reason", "test data", "--yes")
        self.assertEqual((done["selected"], done["settled"], done["skipped"]), (3, 3, 0))
        self.assertEqual(self.get(f"/v1/groups/{group}")["open"], 0)
        self.assertNotIn(group, [one["group"] for one in self.get("/v1/groups")["groups"]])
        self.assertIn(group, [one["group"] for one in self.get("/v1/groups?all=true")["groups"]])
        targets = [entry["target"] for entry in self.audit("quarantine.discard")]
        for reference in references:
            self.assertIn(reference, targets)


class Flows(Operators):
    def tearDown(self):
        self.configure(self.CONFIG)

    def configure(self, config):
        self.weir.write_config(self.config(config))
        return self.post("/v1/config/reload")

    def flow(self, name):
        return self.cli_json("flow", "get", name)

    def test_pause_and_resume(self):
        for verb in ("pause", "resume"):
            self.assertIn("WR1503", self.cli("flow", verb, "others", code=2).err)
            self.assertIn("did you mean 'others'?", self.cli("flow", verb, "other", "--reason", "x", code=5).err)
        self.cli("flow", "pause", "others", "--reason", "the service moves")
        self.assertEqual((self.flow("others")["status"], self.flow("others")["statusReason"]), ("paused", "the service moves"))
        reference = self.publish("while-paused", "other")
        neighbour = self.publish("neighbour")
        self.settled(neighbour, "orders", "done")
        told = self.explain(reference, "others")
        self.assertEqual(told["state"], "ready")
        self.assertTrue(any("paused" in line and "the service moves" in line for line in told["why"]), told["why"])
        self.assertIn("weir flow resume others", told["next"])
        self.weir.kill()
        self.weir.start()
        self.assertEqual(self.flow("others")["status"], "paused")
        self.assertEqual(self.handler.calls_of("while-paused"), [])
        self.cli("flow", "resume", "others", "--reason", "moved")
        self.settled(reference, "others", "done")
        self.assertEqual(len(self.handler.calls_of("while-paused")), 1)
        for action, reason in (("flow.pause", "the service moves"), ("flow.resume", "moved")):
            (entry,) = [entry for entry in self.audit(action) if entry["target"] == "others"]
            self.assertEqual(entry["reason"], reason)

    def test_a_renamed_flow_keeps_its_cursor_holds_quarantine_and_keys(self):
        done = self.publish("before-rename", subject="r0")
        self.settled(done, "orders", "done")
        broken = self.failed("broken-before", subject="r1")
        held = self.publish("held-before", subject="r1")
        wait_for(lambda: self.state(held, "orders") == "held", 10, "the hold")
        renamed = ORDERS.replace("  orders:", "  purchases:").replace("policy: quick", "policy: quick\n    renamedFrom: orders")
        self.configure(SOURCES + renamed + OTHERS)
        self.assertEqual(self.flow("purchases")["quarantined"], 1)
        self.assertIn("WR1202", self.cli("flow", "get", "orders", code=5).err)
        self.assertEqual(self.state(broken, "purchases"), "quarantined")
        self.assertEqual(self.state(held, "purchases"), "held")
        self.handler.script("broken-before", stub.status(200))
        replay = self.cli_json("replay", "plan", broken, "--flow", "purchases", "--reason", "mended")["replay"]
        self.cli("replay", "run", replay)
        self.settled(held, "purchases", "done")
        before, after = self.handler.calls_of("broken-before")
        self.assertEqual(before.key, after.key)
        self.assertEqual([before.header("weir-flow"), after.header("weir-flow")], ["orders", "purchases"])
        self.assertEqual(len(self.handler.calls_of("before-rename")), 1)  # nothing is delivered again
        self.weir.kill()
        self.weir.start()
        self.assertEqual(self.state(held, "purchases"), "done")
        back = ORDERS.replace("policy: quick", "policy: quick\n    renamedFrom: purchases")
        self.configure(SOURCES + back + OTHERS)
        self.assertEqual(len(self.handler.calls_of("before-rename")), 1)

    def test_a_removed_flow_stays_until_it_is_removed_for_good(self):
        broken = self.failed("left-behind", "other")
        self.settled(self.publish("delivered-before", "other"), "others", "done")
        refused = self.cli("flow", "remove", "others", "--reason", "gone", "--yes", code=6)
        self.assertIn("configuration", refused.err)
        self.configure(SOURCES + ORDERS)
        removed = {flow["flow"]: flow for flow in self.get("/v1/flows")["removed"]}
        self.assertEqual(removed["others"]["quarantined"], 1)
        later = self.publish("while-removed", "other")
        told = self.explain(broken, "others")
        self.assertEqual((told["state"], told["flowStatus"]), ("quarantined", "removed"))
        self.assertIn("the flow was removed", told["replayable"]["blockedBy"])
        # It comes back where it was.
        self.configure(SOURCES + ORDERS + OTHERS)
        self.settled(later, "others", "done")
        self.assertEqual(len(self.handler.calls_of("delivered-before")), 1)
        self.assertEqual(self.state(broken, "others"), "quarantined")
        # For good: cursor and quarantine go, and a flow of that name starts anew.
        self.configure(SOURCES + ORDERS)
        self.assertIn("WR1503", self.cli("flow", "remove", "others", "--yes", code=2).err)
        self.assertIn("--yes", self.cli("flow", "remove", "others", "--reason", "gone", code=2).err)
        self.cli("flow", "remove", "others", "--reason", "gone", "--yes")
        self.assertNotIn("others", [flow["flow"] for flow in self.get("/v1/flows")["removed"]])
        (entry,) = self.audit("flow.remove")
        self.assertEqual((entry["target"], entry["reason"]), ("others", "gone"))
        self.configure(SOURCES + ORDERS + OTHERS)
        wait_for(lambda: len(self.handler.calls_of("delivered-before")) == 2, 10, "the flow to start at the earliest")

    def test_a_page_of_another_site_operates_nothing(self):
        answer = self.weir.request("POST", "/v1/flows/orders/pause", b'{"reason": "x"}', {"Origin": "http://evil.example"})
        self.assertEqual((answer.status, answer.json["code"]), (400, "WR1002"))
        self.assertEqual(self.get("/v1/flows/orders")["status"], "active")

    def test_a_start_at_latest_takes_only_what_follows(self):
        self.settled(self.publish("early-one", "test"), "orders", "done")
        fresh = ORDERS.replace("  orders:", "  fresh:").replace("earliest", "latest")
        self.configure(SOURCES + ORDERS + OTHERS + fresh)
        reference = self.publish("late-one")
        self.settled(reference, "fresh", "done")
        self.assertEqual(self.handler.calls_of("early-one", "fresh"), [])
        told = self.explain("early-one", "fresh")
        self.assertTrue(any("before the flow started" in line for line in told["why"]), told)

    def test_a_reload_is_audited_with_its_reason(self):
        self.configure(self.CONFIG)
        before = len(self.audit("config.reload"))
        self.weir.write_config(self.config(SOURCES + ORDERS + OTHERS.replace("others", "fourth").replace("/others", "/4")))
        done = self.cli("config", "reload", "--reason", "a fourth flow")
        self.assertEqual(done.out, "reloaded: flow others removed\nflow fourth added\n")
        entries = self.audit("config.reload")
        self.assertEqual(len(entries), before + 1)
        newest = max(entries, key=lambda entry: entry["at"])
        self.assertEqual((newest["reason"], newest["detail"]), ("a fourth flow", "flow others removed; flow fourth added"))
        self.assertEqual(self.post("/v1/config/reload", {"raeson": "x"}, 400)["code"], "WR1002")
        self.assertEqual(self.weir.request("POST", "/v1/config/reload", b"{nonsense").status, 400)
        self.assertEqual(len(self.audit("config.reload")), before + 1)

    def test_new_limits_count_after_a_reload(self):
        body = b'{"specversion":"1.0","id":"large","source":"/t","type":"nobody","data":"' + b"x" * 2000 + b'"}'
        headers = {"content-type": "application/cloudevents+json"}
        path = "/v1/streams/s/events"
        self.assertLess(self.weir.request("POST", path, body, headers).status, 300)
        self.configure(self.CONFIG.lstrip() + "\nlimits: { bodyBytes: 1KiB, eventBytes: 1KiB }\n")
        self.assertEqual(self.weir.request("POST", path, body, headers).status, 413)
        self.configure(self.CONFIG)
        self.assertLess(self.weir.request("POST", path, body, headers).status, 300)

    def test_removing_an_unknown_flow_names_the_nearest(self):
        refused = self.cli("flow", "remove", "oders", "--reason", "x", "--yes", code=5)
        self.assertIn("did you mean 'orders'?", refused.err)


class Names(Operators):
    def test_what_is_not_there_is_not_found(self):
        self.cli("replay", "items", "r99", code=5)
        for verb in ("resolve", "discard"):
            refused = self.cli("quarantine", verb, "s#9999999", "--reason", "x", code=5)
            self.assertIn("WR1110", refused.err)

    def test_a_query_parameter_that_no_route_knows_is_refused(self):
        answer = self.weir.request("GET", "/v1/quarantine?clas=permanent")
        self.assertEqual(answer.status, 400)
        self.assertEqual((answer.json["code"], answer.json["hint"]), ("WR1002", "did you mean 'class'?"))
        self.assertIn("'clas'", answer.json["detail"])
        self.assertEqual(self.weir.request("GET", "/v1/flows?x=1").status, 400)
        self.assertEqual(self.weir.request("GET", "/livez?verbose").status, 200)

    def test_the_name_of_a_delivery_means_one_flow(self):
        self.weir.write_config(self.config(self.CONFIG + OTHERS.replace("  others:", "  twins:").replace("/others", "/twins")))
        self.post("/v1/config/reload")
        reference = self.failed("in-two-flows", "other")
        self.settled(reference, "twins")
        names = self.cli("quarantine", "list", "--flow", "twins", "-o", "name").out.split()
        self.assertIn(f"twins/{reference}", names)
        done = self.cli_json("quarantine", "resolve", f"twins/{reference}", "--reason", "by name")
        self.assertEqual((done["selected"], done["settled"]), (1, 1))
        self.assertEqual(self.state(reference, "twins"), "resolved")
        self.assertEqual(self.state(reference, "others"), "quarantined")

    def test_usage(self):
        self.assertRegex(self.cli("--version").out, r"^weir \d")
        self.assertIn("quarantine", self.cli("help").out)
        wrong = self.cli("events", "--help", code=2)
        self.assertEqual((wrong.out, "did you mean 'event'?" in wrong.err), ("", True), wrong)
        listed = self.cli("xyzzyx", code=2).err
        for noun in ("serve", "flow", "config", "store"):
            self.assertIn(noun, listed)
        self.assertIn("--reason", self.cli("quarantine", "discard", "--flow", "orders", code=2).err)


if __name__ == "__main__":
    unittest.main()
