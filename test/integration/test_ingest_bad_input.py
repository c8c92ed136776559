# SPDX-License-Identifier: Apache-2.0
"""Events that are wrong: each gets a clear answer, and what was acknowledged before is still there."""
import json
import unittest

from server import ServerCase

CONFIG = """
streams:
  s: { retention: 7d }
  github: { retention: 7d }
limits: { eventBytes: 4KiB, bodyBytes: 64KiB, batchEvents: 10 }
"""
STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"


def event(**changes):
    """A good event with these attributes changed; None takes one away."""
    all_of_it = {"specversion": "1.0", "id": "a", "type": "test", "source": "/test", "data": {"n": 1}} | changes
    return {name: value for name, value in all_of_it.items() if value is not None}


def headers(**changes):
    """The headers of a good event in binary mode."""
    names = {"ce-specversion": "1.0", "ce-id": "a", "ce-type": "test", "ce-source": "/test"}
    names |= {f"ce-{name}": value for name, value in changes.items()}
    return {name: value for name, value in names.items() if value is not None} | {"Content-Type": "application/json"}


class IngestCase(ServerCase):
    """One event is acknowledged first; at the end nothing else was stored beside `self.kept`."""

    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG)
        self.kept = [self.publish(self.weir, "before", b'{"kept": true}')]
        self.addCleanup(self.check_kept)

    def check_kept(self):
        self.assert_kept(self.weir, self.kept)
        self.weir.kill()
        self.weir.start()
        self.assert_kept(self.weir, self.kept)

    def post(self, body, content_type, stream="s"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.weir.request("POST", f"/v1/streams/{stream}/events", body, {"Content-Type": content_type})

    def results(self, events, status):
        answer = self.post(events, BATCH)
        self.assertEqual(answer.status, status, answer.text)
        results = answer.json["results"]
        self.kept += [one["ref"] for one in results if one["status"] == "stored"]
        return results

    def assert_refused(self, results, code, *texts):
        """In a batch a wrong event has its error in its own result."""
        self.assertEqual(results["status"], "invalid", results)
        self.assertEqual(results["error"]["code"], code, results)
        self.assert_says(f"{results['error']['detail']}\n{results['error'].get('hint', '')}", *texts)


class MalformedJson(IngestCase):
    def test_the_place_is_named(self):
        for content_type in (STRUCTURED, BATCH):
            answer = self.post(b'{"specversion": "1.0",\n  "id": }', content_type)
            self.assert_problem(answer, 400, "WR1101", "line 2", "column 9")

    def test_what_json_does_not_allow(self):
        for body in (b"", b"{", b"[1,]", b"{'a': 1}", b'{"a": 01}', b'{"a": NaN}', b'"\x01"', b"{} {}", b'"\\ud800"',
                     b"\xef\xbb\xbf{}"):
            self.assert_problem(self.post(body, STRUCTURED), 400, "WR1101")

    def test_bad_utf8_with_its_place(self):
        for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
            body = json.dumps(event(id="X")).encode().replace(b"X", bad)
            self.assert_problem(self.post(body, STRUCTURED), 400, "WR1101", "UTF-8", "column")

    def test_a_depth_bomb(self):
        for opening in (b"[", b'{"a":'):
            bomb = b'{"specversion":"1.0","id":"b","type":"t","source":"/s","data":' + opening * 9000
            self.assert_problem(self.post(bomb, STRUCTURED), 400, "WR1101", "deep")
            self.assert_problem(self.post(opening * 9000, BATCH), 400, "WR1101", "deep")

    def test_binary_data_is_nobodys_business(self):
        answer = self.weir.request("POST", "/v1/streams/s/events", b'{"a": \xff[[[', headers(id="raw"))
        self.assertEqual(answer.status, 201, answer.text)
        self.kept.append(answer.json["results"][0]["ref"])


class Attributes(IngestCase):
    WRONG = (({"id": None}, "id"), ({"id": ""}, "id"), ({"source": None}, "source"), ({"source": ""}, "source"),
             ({"type": None}, "type"), ({"type": ""}, "type"), ({"specversion": None}, "specversion"),
             ({"specversion": "0.3"}, "0.3"), ({"time": "yesterday"}, "time"),
             ({"time": "2026-02-30T00:00:00Z"}, "time"), ({"subject": ""}, "subject"))
    WRONG_JSON = (({"id": 7}, "id"), ({"source": ["/a"]}, "source"), ({"Bad-Name": "x"}, "Bad-Name"),
                  ({"nested": {"a": 1}}, "nested"), ({"data_base64": "%%%"}, "data_base64"),
                  ({"data": 1, "data_base64": "AA=="}, "data_base64"))

    def test_structured(self):
        for changes, text in self.WRONG + self.WRONG_JSON:
            with self.subTest(changes=changes):
                self.assert_problem(self.post(event(**changes), STRUCTURED), 400, "WR1102", text)

    def test_binary(self):
        for changes, text in self.WRONG:
            with self.subTest(changes=changes):
                answer = self.weir.request("POST", "/v1/streams/s/events", b"{}", headers(**changes))
                self.assert_problem(answer, 400, "WR1102", text)

    def test_each_event_of_a_batch_has_its_result(self):
        wrong = self.WRONG + self.WRONG_JSON
        for first in range(0, len(wrong), 8):
            part = wrong[first:first + 8]
            batch = [event(id=f"first-{first}"), *(event(**changes) for changes, _ in part), event(id=f"last-{first}")]
            results = self.results(batch, 207)
            self.assertEqual([one["status"] for one in results], ["stored", *["invalid"] * len(part), "stored"])
            for result, (_, text) in zip(results[1:-1], part):
                self.assert_refused(result, "WR1102", text)

    def test_a_batch_of_what_is_no_event(self):
        results = self.results([1, None, "x", [], event(id="good")], 207)
        self.assertEqual([one["status"] for one in results], ["invalid"] * 4 + ["stored"])
        self.assert_problem(self.post(event(), BATCH), 400, "WR1102", "array")
        self.assert_problem(self.post([event()], STRUCTURED), 400, "WR1102", "object")

    def test_no_event_at_all(self):
        answer = self.post(b"{}", "application/json")
        self.assert_problem(answer, 400, "WR1102", "no CloudEvent", "ce-*", STRUCTURED)

    def test_a_format_nobody_knows(self):
        self.assert_problem(self.post(b"<event/>", "application/cloudevents+xml"), 415, "WR1009", "xml", "json")


class Duplicates(IngestCase):
    def test_same_content_is_reported_as_a_duplicate(self):
        for _ in range(2):
            answer = self.weir.request("POST", "/v1/streams/s/events", b'{"kept": true}', headers(id="before"))
            self.assertEqual(answer.status, 201, answer.text)
            self.assertEqual(answer.json["results"], [{"id": "before", "status": "duplicate", "ref": self.kept[0]}])

    def test_other_content_under_one_id_is_a_conflict(self):
        for changes, body in (({}, b'{"kept": false}'), ({"type": "other"}, b'{"kept": true}'),
                              ({"subject": "other"}, b'{"kept": true}')):
            answer = self.weir.request("POST", "/v1/streams/s/events", body, headers(id="before", **changes))
            self.assert_problem(answer, 409, "WR1103", self.kept[0], "an id of its own")
        self.assertEqual(self.results([event(id="before")], 207)[0]["status"], "conflict")

    def test_the_same_id_of_another_source_is_another_event(self):
        answer = self.weir.request("POST", "/v1/streams/s/events", b"{}", headers(id="before", source="/other"))
        self.assertEqual(answer.json["results"][0]["status"], "stored")
        self.kept.append(answer.json["results"][0]["ref"])

    def test_a_batch_tells_each_in_order(self):
        results = self.results([event(id="new"), event(id="new"), event(id="new", data={"n": 2}),
                                event(id="before"), event(id="new2"), event(id=None)], 207)
        self.assertEqual([one["status"] for one in results],
                         ["stored", "duplicate", "conflict", "conflict", "stored", "invalid"])
        self.assertEqual(results[1]["ref"], results[0]["ref"])
        for result in results[2:4]:
            self.assertEqual((result["error"]["code"], result["error"]["status"]), ("WR1103", 409))
        self.assertEqual([one.get("id") for one in results], ["new", "new", "new", "before", "new2", None])

    def test_a_duplicate_is_still_known_after_a_crash(self):
        self.weir.kill()
        self.weir.start()
        self.test_same_content_is_reported_as_a_duplicate()
        self.test_other_content_under_one_id_is_a_conflict()


class Sizes(IngestCase):
    def test_an_event(self):
        answer = self.weir.request("POST", "/v1/streams/s/events", b"x" * 5000, headers())
        self.assert_problem(answer, 413, "WR1109", "4096")
        self.assert_problem(self.post(event(data="x" * 5000), STRUCTURED), 413, "WR1109", "4096")
        results = self.results([event(id="small"), event(id="large", data="x" * 5000)], 207)
        self.assert_refused(results[1], "WR1109", "4096")

    def test_a_body(self):
        answer = self.post(b"[" + b" " * 70_000, BATCH)
        self.assert_problem(answer, 413, "WR1104", "65536")

    def test_a_batch(self):
        answer = self.post([event(id=str(number)) for number in range(11)], BATCH)
        self.assert_problem(answer, 413, "WR1106", "10")
        self.assertEqual([one["status"] for one in self.results([event(id=str(n)) for n in range(10)], 201)],
                         ["stored"] * 10)

    def test_an_empty_batch(self):
        answer = self.post([], BATCH)
        self.assertEqual((answer.status, answer.json), (201, {"results": []}))


class UnknownNames(IngestCase):
    def test_a_stream(self):
        answer = self.post(event(), STRUCTURED, stream="githb")
        self.assert_problem(answer, 404, "WR1201", "'githb'", "did you mean 'github'?")

    def test_an_event_in_a_stream_that_is_not_there(self):
        for command in (("event", "get"), ("explain",)):
            told = self.weir.cli(*command, "githb#1")
            self.assertEqual(told.code, 5, told)
            self.assert_says(told.err, "WR1201", "unknown stream 'githb'", "did you mean 'github'?")

    def test_an_event_that_is_not_there_yet(self):
        told = self.weir.cli("event", "get", "github#9")
        self.assertEqual(told.code, 5, told)
        self.assert_says(told.err, "WR1110", "github#9")

    def test_a_path(self):
        answer = self.weir.request("POST", "/v1/stream/s/events", b"{}")
        self.assert_problem(answer, 404, "WR1003", "/v1/stream/s/events", "did you mean '/v1/streams/s/events'?")

    def test_a_method(self):
        answer = self.weir.request("DELETE", "/v1/streams/s/events")
        self.assert_problem(answer, 405, "WR1004", "DELETE")
        self.assertIn("POST", answer.headers["allow"])


class UnknownFlows(ServerCase):
    def test_the_nearest_name_is_told(self):
        weir = self.serve("""
streams: { s: { retention: 7d } }
dependencies: { tracker: { url: "http://127.0.0.1:9" } }
flows: { sync-issues: { from: { stream: s }, to: { http: { dependency: tracker } } } }
""")
        answer = weir.request("POST", "/v1/flows/sync-isues/pause", b'{"reason": "test"}')
        self.assert_problem(answer, 404, "WR1202", "'sync-isues'", "did you mean 'sync-issues'?")
        told = weir.cli("flow", "pause", "sync-isues", "--reason", "test")
        self.assertEqual(told.code, 5, told)
        self.assert_says(told.err, "WR1202", "did you mean 'sync-issues'?")
        answer = weir.request("GET", "/v1/dependencies/traker")
        self.assert_problem(answer, 404, "WR1203", "did you mean 'tracker'?")


if __name__ == "__main__":
    unittest.main()
