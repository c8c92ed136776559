# SPDX-License-Identifier: Apache-2.0
"""What a handler is sent: the documented headers over attempts and replays, and the data byte for byte."""
import json
import re
import unittest

import stub_handler as stub
from handler_case import HandlerCase
from server import wait_for

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
# Not what any JSON library would write, and not UTF-8 either.
ODD_DATA = b'{ "b" : 1.0,\t"a":\r\n"\\u00e9\xc3\xa9", "big": 12345678901234567890123 }\n'
BINARY_DATA = bytes(range(256)) * 3

FLOWS = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}/base", policy: open, headers: { X-Team: "river", Authorization: "Bearer ${env:STUB_TOKEN:-none}" } }
flows:
  first:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub, path: "/in?x=1", headers: { X-Flow: "one" } } }
    policy: quick
  second:
    from: { stream: s, start: earliest }
    where: { type: [both] }
    to: { http: { dependency: stub, path: /second } }
    policy: quick
"""


class Contract(HandlerCase):
    CONFIG = FLOWS

    def delivered(self, event_id, calls=1, flow="first"):
        wait_for(lambda: len(self.handler.calls_of(event_id, flow)) >= calls, 10, f"{calls} calls for {event_id}")
        return self.handler.calls_of(event_id, flow)

    def test_the_request_is_a_cloudevent_in_binary_mode(self):
        self.publish("full", "both", b'{"n":1}', subject="caf%C3%A9%20%22x%22", time="2026-01-02T03:04:05.6Z",
                     dataschema="urn:schema:1", myext="a%20b")
        (call,) = self.delivered("full")
        self.assertEqual((call.method, call.target), ("POST", "/base/in?x=1"))
        wanted = {"ce-specversion": "1.0", "ce-id": "full", "ce-source": "/test", "ce-type": "both",
                  "ce-time": "2026-01-02T03:04:05.6Z", "ce-dataschema": "urn:schema:1", "ce-myext": "a%20b",
                  "content-type": "application/json", "x-team": "river", "x-flow": "one",
                  "authorization": "Bearer none", "host": f"127.0.0.1:{self.handler.port}",
                  "weir-flow": "first", "weir-attempt": "1", "weir-replay": None}
        for name, value in wanted.items():
            self.assertEqual(call.header(name), value, name)
        self.assertEqual(call.header("ce-subject").lower(), "caf%c3%a9%20%22x%22")
        (other,) = self.delivered("full", flow="second")
        self.assertEqual((other.target, other.header("x-flow")), ("/base/second", None))
        self.assertEqual(other.body, call.body)

    def test_data_bytes_are_unchanged(self):
        cases = {"odd": (ODD_DATA, "application/json"), "binary": (BINARY_DATA, "application/octet-stream"),
                 "text": (b"plain \xff", "text/plain; charset=latin-1"), "large": (b"x" * 500_000, "text/plain")}
        for event_id, (data, type_) in cases.items():
            answer = self.weir.request("POST", "/v1/streams/s/events", data, {
                "ce-specversion": "1.0", "ce-id": event_id, "ce-type": "t", "ce-source": "/test", "Content-Type": type_})
            self.assertEqual(answer.status, 201, answer.text)
        for event_id, (data, type_) in cases.items():
            with self.subTest(event_id):
                (call,) = self.delivered(event_id)
                self.assertEqual(call.body, data)
                self.assertEqual(call.header("content-type"), type_)

    def test_structured_data_is_sent_as_it_stood_in_the_event(self):
        data = '{ "z": 1.50 , "a":[ ] }'
        event = f'{{"specversion":"1.0","id":"structured","type":"t","source":"/test","data":{data} }}'
        answer = self.weir.request("POST", "/v1/streams/s/events", event.encode(),
                                   {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(answer.status, 201, answer.text)
        (call,) = self.delivered("structured")
        self.assertEqual(call.body, data.encode())

    def test_an_event_without_data_has_an_empty_body(self):
        event = {"specversion": "1.0", "id": "empty", "type": "t", "source": "/test"}
        answer = self.weir.request("POST", "/v1/streams/s/events", json.dumps(event).encode(),
                                   {"Content-Type": "application/cloudevents+json"})
        self.assertEqual(answer.status, 201, answer.text)
        (call,) = self.delivered("empty")
        self.assertEqual((call.body, call.header("content-length")), (b"", "0"))

    def test_the_trace_goes_on_with_a_new_span_per_attempt(self):
        self.handler.script("traced", stub.status(500), stub.status(500), stub.status(200))
        self.publish("traced", traceparent=PARENT, tracestate="vendor=1,other=2", baggage="user=7,=bad")
        calls = self.delivered("traced", 3)
        spans = set()
        for call in calls:
            version, trace, span, flags = call.header("traceparent").split("-")
            self.assertEqual((version, trace, flags), ("00", TRACE, "01"))
            self.assertRegex(span, r"^[0-9a-f]{16}$")
            spans.add(span)
            self.assertEqual(call.header("tracestate"), "vendor=1,other=2")
            self.assertEqual(call.header("baggage"), "user=7")
        self.assertEqual(len(spans | {"00f067aa0ba902b7"}), 4)

    def test_an_event_without_a_trace_gets_one(self):
        for event_id, attributes in {"untraced": {}, "broken-trace": {"traceparent": "00-zz-1-01", "tracestate": "v=1"}}.items():
            self.publish(event_id, **attributes)
            (call,) = self.delivered(event_id)
            self.assertTrue(re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]", call.header("traceparent")))
            self.assertNotIn("0" * 32, call.header("traceparent"))
            self.assertIsNone(call.header("tracestate"))

    def test_the_attempt_the_timeout_and_the_key(self):
        self.handler.script("again", stub.status(500), stub.status(503), stub.status(200))
        self.publish("again")
        calls = self.delivered("again", 3)
        self.assertEqual([call.header("weir-attempt") for call in calls], ["1", "2", "3"])
        self.assertEqual({call.header("weir-timeout-ms") for call in calls}, {"300"})
        (key,) = {call.key for call in calls}
        self.assertRegex(key, r'^"[!-~]{16,}"$')
        self.publish("another", "both")
        keys = {self.delivered("another")[0].key, self.delivered("another", flow="second")[0].key, key}
        self.assertEqual(len(keys), 3)  # per delivery: event and flow

    def test_a_replay_says_so_and_keeps_the_key(self):
        self.handler.script("replayed", stub.status(422))
        reference = self.publish("replayed", traceparent=PARENT)
        self.settled(reference, "first")
        self.handler.script("replayed", stub.status(500), stub.status(200))
        replay = self.cli_json("replay", "plan", reference, "--flow", "first", "--reason", "mended")["replay"]
        self.cli("replay", "run", replay)
        told = self.settled(reference, "first", "done")
        before, again, third = self.handler.calls_of("replayed")
        self.assertEqual(len({call.key for call in (before, again, third)}), 1)
        self.assertEqual([call.header("weir-replay") for call in (before, again, third)], [None, replay, replay])
        self.assertEqual([call.header("weir-attempt") for call in (before, again, third)], ["1", "2", "3"])
        self.assertEqual(third.header("traceparent").split("-")[1], TRACE)
        self.assertEqual(third.body, before.body)
        self.assertEqual(told["replays"], 1)
        self.assertEqual([line.get("replay") for line in told["history"] if "attempt" in line], [None, replay, replay])


if __name__ == "__main__":
    unittest.main()
