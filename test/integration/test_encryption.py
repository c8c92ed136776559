# SPDX-License-Identifier: Apache-2.0
"""Encryption at rest with the real binary: what the files hold, whose key opens them, rotation and shredding."""
import json
import os
import threading
import unittest

import stub_handler as stub
from server import ServerCase, run_cli, wait_for

CANARY = "CANARY-5d1c77e0"
CONFIG = """
streams:
  s: { retention: 7d }
  private: { retention: 7d }
dependencies: { d: { url: "{url}" } }
flows:
  one:
    from: { stream: s, start: earliest }
    to: { http: { dependency: d } }
    ordering: { key: data.customer }
    policy: quick
policies:
  quick:
    timeouts: { attempt: 2s }
    retry: { maxAttempts: 2, backOff: { baseInterval: 20ms, maxInterval: 20ms, multiplier: 1, jitter: none } }
    deadLetterBrake: { enabled: false }
    circuitBreaker: { enabled: false }
"""
STORE_REFUSED = 75


class EncryptedCase(ServerCase):
    """A handler, and a configuration that names key files of this folder."""

    def setUp(self):
        super().setUp()
        self.handler = stub.StubHandler()
        self.addCleanup(self.handler.stop)

    def new_key(self, name):
        made = run_cli("encryption", "key", "create", self.folder / name, "-o", "json")
        self.assertEqual(made.code, 0, made.err)
        return json.loads(made.out)["masterKey"]

    def config(self, *keys, without=()):
        text = CONFIG.replace("{url}", self.handler.url)
        for part in without:
            self.assertIn(part, text)
            text = text.replace(part, "")
        if not keys:
            return text
        present, *previous = [str(self.folder / name) for name in keys]
        return text + f"encryption: {{ keyFile: {present}, previousKeyFiles: {json.dumps(previous)} }}\n"

    def files_with(self, weir, text):
        """Names of files of the data folder that have these bytes in them."""
        return [path.name for path in weir.data.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]

    def refused(self, weir, code, *texts):
        done = run_cli("serve", "--config", weir.config, "--data", weir.data, timeout=20)
        self.assertEqual((done.code, done.out), (STORE_REFUSED, ""), done.err)
        self.assert_says(done.err, f"error[{code}]", *texts)

    def payload(self, weir, reference):
        answer = weir.request("GET", f"/v1/events/{reference.replace('#', '%23')}/payload")
        self.assertEqual(answer.status, 200, answer.text)
        return answer.text

    def quarantined(self, weir, count):
        def there():
            return weir.request("GET", "/v1/flows/one").json["quarantined"] == count
        wait_for(there, 15, f"{count} in quarantine")

    def check(self, weir, *arguments):
        done = run_cli("store", "check", "--data", weir.data, "-o", "json", *arguments)
        self.assertEqual(done.code, 0, done.out + done.err)
        return json.loads(done.out)


class Canary(EncryptedCase):
    # What a failing handler says must not end up in the flow's status or in the audit trail either.
    STOPS = """  stops:
    from: { stream: s, start: earliest }
    where: { id: [{ suffix: garbage }] }
    to: { http: { dependency: d, path: /stops } }
    ordering: { key: subject, onFailure: pauseFlow }
    policy: quick
policies:"""

    def config(self, *keys):
        return super().config(*keys).replace("policies:", self.STOPS)

    def publish_canaries(self, weir):
        """Events whose data, key, extension, type and subject are the canary, and whose handler repeats it when it fails."""
        body = json.dumps({"type": f"urn:{CANARY}", "title": CANARY, "detail": CANARY}).encode()
        echo = [("X-Echo", CANARY), ("Content-Type", "application/problem+json")]
        answers = {"good": stub.status(204), "bad": stub.status(422, echo, body), "worse": stub.status(500, echo, CANARY.encode()),
                   "garbage": stub.raw(f"{CANARY} no HTTP\r\n\r\n".encode()),
                   "thrown": stub.status(422, (), json.dumps({"error": {"type": CANARY, "frame": f"{CANARY}.py:f"}}).encode())}
        references = []
        for number, (name, answer) in enumerate(answers.items()):
            self.handler.script(f"{CANARY}-{name}", answer)
            data = json.dumps({"customer": f"{CANARY}-{number}", "card": CANARY})
            headers = {"ce-specversion": "1.0", "ce-id": f"{CANARY}-{name}", "ce-source": "/test", "ce-type": f"type.{CANARY}",
                       "ce-subject": CANARY, "ce-extra": CANARY, "Content-Type": "application/json"}
            sent = weir.request("POST", "/v1/streams/s/events", data, headers)
            self.assertEqual(sent.status, 201, sent.text)
            references.append(sent.json["results"][0]["ref"])
        return references

    def test_no_file_has_it(self):
        self.new_key("key")
        weir = self.serve(self.config("key"))
        references = self.publish_canaries(weir)
        self.quarantined(weir, 4)
        wait_for(lambda: weir.request("GET", "/v1/flows/stops").json["status"] == "paused", 10, "the pause")
        plan = {"selection": {"flow": "one", "where": {"subject": [CANARY]}}, "reason": "mended"}
        made = weir.request("POST", "/v1/replays", json.dumps(plan), {"Content-Type": "application/json"})
        self.assertEqual(made.status, 201, made.text)
        weir.kill()
        self.assertEqual(self.files_with(weir, CANARY), [])
        backup = run_cli("store", "backup", "--data", weir.data, weir.data / "backup.db")
        self.assertEqual(backup.code, 0, backup.err)
        self.assertEqual(self.files_with(weir, CANARY), [])
        weir.start()
        self.assertEqual(json.loads(self.payload(weir, references[0]))["card"], CANARY)
        told = weir.cli("explain", references[1], "--flow", "one").out
        self.assertIn(CANARY, told)  # whoever may see it, does
        self.assertEqual(len(weir.request("GET", f"/v1/quarantine?flow=one&key={CANARY}-1").json["deliveries"]), 1)
        weir.stop()
        self.assertEqual(self.files_with(weir, CANARY), [])
        report = self.check(weir, "--key-file", self.folder / "key")
        self.assertEqual((report["plain"], report["unopened"]), (0, 0))

    def test_the_test_would_see_it(self):
        weir = self.serve(self.config())
        self.publish_canaries(weir)
        self.quarantined(weir, 4)
        weir.kill()
        self.assertTrue(self.files_with(weir, CANARY))


class Keys(EncryptedCase):
    def test_wrong_and_missing_keys(self):
        right, other = self.new_key("key"), self.new_key("other")
        weir = self.serve(self.config("key"))
        reference = self.publish(weir, "1", b'{"find": "me"}')
        self.assertEqual(weir.request("GET", "/v1/status").json["store"]["masterKey"], right)
        weir.stop()
        weir.write_config(self.config())
        self.refused(weir, "WR1410", "keyFile")
        weir.write_config(self.config("other"))
        self.refused(weir, "WR1411", right, other)
        weir.write_config(self.config("lost"))
        self.refused(weir, "WR1330", str(self.folder / "lost"))
        weir.write_config(self.config("key"))
        (self.folder / "key").chmod(0o644)
        self.refused(weir, "WR1330", "0644", "chmod 600")
        (self.folder / "key").chmod(0o600)
        weir.start()
        self.assertEqual(self.payload(weir, reference), '{"find": "me"}')

    def test_a_key_file_is_private_and_never_written_over(self):
        made = self.new_key("key")
        path = self.folder / "key"
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)
        text = path.read_text()
        again = run_cli("encryption", "key", "create", path)
        self.assertNotEqual(again.code, 0)
        self.assert_says(again.err, "WR1330", "exists")
        self.assertEqual(path.read_text(), text)
        nowhere = run_cli("encryption", "key", "create", self.folder / "keys/2026.key")
        self.assert_says(nowhere.err, "WR1330", "No such file", f"hint: mkdir -p {self.folder}/keys")
        told = run_cli("encryption", "key", "id", path)
        self.assertIn(made, told.out)
        self.assertNotIn(text.splitlines()[-1], told.out + told.err)

    def test_a_plain_store_is_given_a_key(self):
        weir = self.serve(self.config())
        old = self.publish(weir, "old", b'{"find": "me"}')
        self.new_key("key")
        weir.write_config(self.config("key"))
        self.assert_says(weir.cli("config", "reload").err, "WR1331", "start it again")
        weir.stop()
        weir.start()
        new = self.publish(weir, "new", f'"{CANARY}"'.encode())
        self.assertEqual(self.payload(weir, old), '{"find": "me"}')
        self.assertEqual(self.payload(weir, new), f'"{CANARY}"')
        weir.write_config(self.config())
        self.assert_says(weir.cli("config", "reload").err, "WR1331", "names no key")
        weir.kill()
        self.assertEqual(self.files_with(weir, CANARY), [])
        report = self.check(weir)
        self.assertGreater(report["plain"], 0)
        self.assertEqual(report["unopened"], report["encrypted"])
        self.refused(weir, "WR1410")

    def test_the_process_leaves_no_core(self):
        self.new_key("key")
        weir = self.serve(self.config("key"))
        with open(f"/proc/{weir.process.pid}/limits", encoding="ascii") as limits:
            core = next(line for line in limits if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4:6], ["0", "0"])


class Rotation(EncryptedCase):
    def test_under_load(self):
        before, after = self.new_key("before"), self.new_key("after")
        weir = self.serve(self.config("before"))
        sent, stop = [], threading.Event()

        def publish():
            while not stop.is_set():
                number = len(sent)
                sent.append((self.publish(weir, f"e{number}", json.dumps({"n": number}).encode(), stream="private"), number))

        load = threading.Thread(target=publish)
        load.start()
        wait_for(lambda: len(sent) > 20, 10, "load")
        weir.write_config(self.config("after", "before"))
        self.assertEqual(weir.cli("config", "reload", "--reason", "a new year").code, 0)
        rotated_at = len(sent)
        wait_for(lambda: len(sent) > rotated_at + 20, 10, "load")
        stop.set()
        load.join()
        self.assertEqual(weir.request("GET", "/v1/status").json["store"]["masterKey"], after)
        entry = next(one for one in weir.request("GET", "/v1/audit").json["entries"] if one["action"] == "encryption.rotate")
        self.assertEqual((entry["target"], entry["reason"]), (f"master key {after}", "a new year"))
        weir.kill()
        weir.write_config(self.config("after"))
        weir.start()
        for reference, number in sent:
            self.assertEqual(json.loads(self.payload(weir, reference)), {"n": number})
        weir.stop()
        weir.write_config(self.config("before"))
        self.refused(weir, "WR1411", before, after)

    def test_a_reload_that_forgets_the_old_key_is_refused(self):
        before = self.new_key("before")
        self.new_key("after")
        weir = self.serve(self.config("before"))
        reference = self.publish(weir, "1", b'{"n": 1}')
        weir.write_config(self.config("after"))
        self.assert_says(weir.cli("config", "reload").err, "WR1505", before, "previousKeyFiles")
        self.assertEqual(self.payload(weir, reference), '{"n": 1}')
        self.assertEqual(weir.request("GET", "/v1/status").json["store"]["masterKey"], before)

    def test_by_a_start(self):
        self.new_key("before")
        after = self.new_key("after")
        weir = self.serve(self.config("before"))
        reference = self.publish(weir, "1", b'{"n": 1}')
        weir.stop()
        weir.write_config(self.config("after", "before"))
        weir.start()
        weir.kill()
        weir.write_config(self.config("after"))
        weir.start()
        self.assertEqual(self.payload(weir, reference), '{"n": 1}')
        self.assertEqual(weir.request("GET", "/v1/status").json["store"]["masterKey"], after)


class Crashes(EncryptedCase):
    """Killed before and after the commit of a rotation and of a shredding: all of it is there or nothing."""

    def crash_at(self, weir, point, act):
        weir.stop()
        weir.popen = {"env": os.environ | {"WEIR_FAILPOINT": f"{point}=crash@1"}}
        weir.start()
        act()
        weir.process.wait(10)
        weir.popen = {}

    def rotate(self, weir):
        weir.write_config(self.config("after", "before"))
        weir.cli("config", "reload")

    def shred(self, weir):
        return weir.cli("stream", "shred", "private", "--confirm", "private", "--reason", "x").code

    def test_in_a_rotation(self):
        names = {"before": self.new_key("before"), "after": self.new_key("after"), "lost": self.new_key("lost")}
        weir = self.serve(self.config("before"))
        reference = self.publish(weir, "1", b'{"n": 1}')
        for point, needed in (("rotation.before_commit", "before"), ("rotation.after_commit", "after")):
            weir.write_config(self.config("before"))
            self.crash_at(weir, point, lambda: self.rotate(weir))
            weir.write_config(self.config("lost"))
            self.refused(weir, "WR1411", f"needs master key {names[needed]}")
            weir.write_config(self.config(needed))
            weir.start()
            self.assertEqual(self.payload(weir, reference), '{"n": 1}')

    def test_in_a_shredding(self):
        self.new_key("key")
        weir = self.serve(self.config("key"))
        path = "/v1/events/private%231/payload"
        self.publish(weir, "1", b'{"n": 1}', stream="private")
        for point, status in (("shred.before_commit", 200), ("shred.after_commit", 410)):
            self.crash_at(weir, point, lambda: self.shred(weir))
            weir.start()
            self.assertEqual(weir.request("GET", path).status, status)
        self.assertEqual(self.shred(weir), 0)
        self.assertEqual(weir.request("GET", path).status, 404)


class Shred(EncryptedCase):
    def shred(self, weir, stream, *arguments):
        return weir.cli("stream", "shred", stream, "--reason", "asked to forget", *arguments)

    def test_what_was_written_is_gone(self):
        self.new_key("key")
        weir = self.serve(self.config("key"))
        self.publish(weir, "0", b'{"n": 0}', stream="private")
        # More than one step of removal.
        batch = [{"specversion": "1.0", "id": f"b{n}", "type": "t", "source": "/b", "data": n} for n in range(1000)]
        self.assertEqual(weir.request("POST", "/v1/streams/private/events", json.dumps(batch),
                                      {"Content-Type": "application/cloudevents-batch+json"}).status, 201)
        other = self.publish(weir, "other", b'{"n": 1}')
        self.assert_says(self.shred(weir, "private", "--confirm", "privat").err, "confirm")
        self.assert_says(self.shred(weir, "s", "--confirm", "s").err, "WR1502", "'one'", "flow remove")
        done = self.shred(weir, "private", "--confirm", "private")
        self.assertEqual(done.code, 0, done.err)
        self.assertEqual(weir.request("GET", "/v1/events?stream=private&from=1").json["events"], [])
        again = self.publish(weir, "0", b'{"n": 0}', stream="private")
        self.assertEqual(self.payload(weir, again), '{"n": 0}')
        self.assertEqual(self.payload(weir, other), '{"n": 1}')
        entry = next(one for one in weir.request("GET", "/v1/audit").json["entries"] if one["action"] == "stream.shred")
        self.assertEqual((entry["target"], entry["reason"]), ("private", "asked to forget"))
        weir.kill()
        report = self.check(weir, "--key-file", self.folder / "key")
        self.assertEqual((report["shredded"], report["events"]), (0, 2))

    def test_what_was_plain_is_overwritten(self):
        weir = self.serve(self.config())
        for number in range(20):
            self.publish(weir, f"{CANARY}{number}", f'"{CANARY}"'.encode(), stream="private")
        weir.stop()
        self.assertTrue(self.files_with(weir, CANARY))
        self.new_key("key")
        weir.write_config(self.config("key"))
        weir.start()
        self.assertEqual(self.shred(weir, "private", "--confirm", "private").code, 0)
        self.assertEqual(self.files_with(weir, CANARY), [])

    def test_a_flow_has_to_leave_first(self):
        self.new_key("key")
        weir = self.serve(self.config("key"))
        self.handler.default(stub.status(422))
        self.publish(weir, "1", b'{"customer": "c"}')
        self.quarantined(weir, 1)
        flow = CONFIG[CONFIG.index("flows:"):CONFIG.index("policies:")]
        weir.write_config(self.config("key", without=[flow]))
        self.assertEqual(weir.cli("config", "reload").code, 0)
        self.assert_says(self.shred(weir, "s", "--confirm", "s").err, "WR1502", "'one'")
        wait_for(lambda: weir.cli("flow", "remove", "one", "--yes", "--reason", "gone").code == 0, 10, "removal")
        self.assertEqual(self.shred(weir, "s", "--confirm", "s").code, 0)
        weir.kill()
        weir.write_config(self.config("key"))
        weir.start()
        report = self.check(weir, "--key-file", self.folder / "key")
        self.assertEqual((report["events"], report["keptEvents"], report["deliveries"], report["groups"]), (0, 0, 0, 0))

    def test_what_a_flow_had_of_it_while_it_was_plain_is_overwritten(self):
        weir = self.serve(self.config())
        self.handler.default(stub.status(422))
        for number in range(20):
            self.publish(weir, f"{CANARY}{number}", b'{"customer": "%s%d"}' % (CANARY.encode(), number))
        self.quarantined(weir, 20)
        planned = weir.cli("replay", "plan", "--flow", "one", "--where", '{"data":{"customer":["%s7"]}}' % CANARY,
                           "--reason", "to be forgotten", "-o", "json")
        self.assertEqual(planned.code, 0, planned.err)
        replay = json.loads(planned.out)["replay"]
        weir.stop()
        self.new_key("key")
        flow = CONFIG[CONFIG.index("flows:"):CONFIG.index("policies:")]
        weir.write_config(self.config("key", without=[flow]))
        weir.start()
        wait_for(lambda: weir.cli("flow", "remove", "one", "--yes", "--reason", "gone").code == 0, 10, "removal")
        self.assert_says(self.shred(weir, "s", "--confirm", "s").err, "WR1502", replay)
        self.assertEqual(weir.cli("replay", "abort", replay, "--reason", "over").code, 0)
        self.assertEqual(self.shred(weir, "s", "--confirm", "s").code, 0)
        self.assertNotIn(CANARY, weir.request("GET", f"/v1/replays/{replay}").text)
        weir.stop()
        self.assertEqual(self.files_with(weir, CANARY), [])

    def test_a_plain_store_has_nothing_to_destroy(self):
        weir = self.serve(self.config())
        self.assert_says(self.shred(weir, "private", "--confirm", "private").err, "WR1502", "not encrypted")


if __name__ == "__main__":
    unittest.main()
