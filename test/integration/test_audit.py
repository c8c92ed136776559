# SPDX-License-Identifier: Apache-2.0
"""The audit from the outside: what is in it, that it verifies everywhere, and that nobody bends it unseen."""
import hashlib
import json
import re
import shutil
import stat
import subprocess
import sys
import unittest
from pathlib import Path

import stub_handler as stub
from audit_store import AuditStore
from handler_case import HandlerCase
from server import run_cli, wait_for

REPO = Path(__file__).resolve().parents[2]
GUIDE = REPO / "docs/guide/audit.md"
CANARY = "canary-4711"
UNSOUND = 8
CONFIG = """
streams:
  s: { retention: 7d }
dependencies:
  stub: { url: "{url}", policy: open }
flows:
  one:
    from: { stream: s, start: earliest }
    to: { http: { dependency: stub, path: /one } }
    policy: quick
"""


def link(before, entry):
    """The hash of an entry after the one before it."""
    texts = ["weir-audit-1", str(entry["number"])]
    texts += [entry[name] for name in ("at", "actor", "action", "target", "reason", "detail")]
    canonical = b"".join(b"%d:%s," % (len(text.encode()), text.encode()) for text in texts)
    return hashlib.sha256(bytes.fromhex(before) + canonical).hexdigest()


class AuditCase(HandlerCase):
    CONFIG = CONFIG

    def deeds(self, count):
        paused = self.get("/v1/flows/one")["status"] == "paused"
        for turn in range(count):
            self.cli("flow", "resume" if paused else "pause", "one", "--reason", f"deed {turn}")
            paused = not paused

    def export(self, *arguments):
        path = self.folder / "export.jsonl"
        path.write_text(self.cli("audit", "export", *arguments).out)
        return path

    def verify(self, *arguments, sound=True):
        """What `weir audit verify` says: its text, or the first problem."""
        done = run_cli("audit", "verify", *arguments)
        self.assertEqual(done.code, 0 if sound else UNSOUND, done)
        return done.out


class Whole(AuditCase):
    def test_the_list_is_filtered_and_paged(self):
        self.cli("group", "list")
        self.deeds(4)
        self.post("/v1/markers", {"title": "deployed", "target": "stub"}, 201)
        flows = self.cli_json("audit", "list", "--action", "flow")["entries"]
        self.assertEqual([entry["reason"] for entry in flows[:4]], ["deed 3", "deed 2", "deed 1", "deed 0"])
        paused = self.cli_json("audit", "list", "--action", "flow.pause", "--limit", "1")
        self.assertEqual([entry["reason"] for entry in paused["entries"]], ["deed 2"])
        older = self.cli_json("audit", "list", "--action", "flow.pause", "--before", str(paused["next"]))
        self.assertEqual(older["entries"][0]["reason"], "deed 0")
        self.assertNotIn("next", self.cli_json("audit", "list"))
        by_weir = self.cli_json("audit", "list", "--actor", "weir")["entries"]
        self.assertEqual([entry["action"] for entry in by_weir], ["config.start"])
        self.assertEqual(self.cli_json("audit", "list", "--target", "stub")["entries"][0]["action"], "marker")
        self.assertEqual(len(self.cli_json("audit", "list", "--since", "1h")["entries"]),
                         len(self.cli_json("audit", "list")["entries"]))
        self.assertEqual(self.get("/v1/audit?since=2099-01-01T00:00:00Z")["entries"], [])
        walked = self.get("/v1/audit?after=1&limit=2")
        self.assertEqual([entry["number"] for entry in walked["entries"]], [2, 3])
        self.assertEqual(self.get("/v1/audit?after=0&actor=x", 400)["code"], "WR1002")
        for form in ("table", "jsonl", "yaml", "name"):
            self.assertIn("1", self.cli("audit", "list", "-o", form).out)

    def test_it_verifies_at_the_server_in_the_folder_and_in_a_file(self):
        self.deeds(2)
        text = self.verify("--server", self.weir.url)
        self.assertIn("The audit is whole", text)
        self.assertIn("signed checkpoint", text)
        self.assertIn("The audit is whole", self.verify("--data", self.weir.data))
        export = self.export()
        self.assertIn("That key came with it", self.verify("--file", export))
        text = self.verify("--file", export, "--public-key", self.weir.data / "audit-signing.pub")
        self.assertNotIn("--public-key", text)
        told = json.loads(self.verify("--data", self.weir.data, "-o", "json"))
        self.assertEqual((told["sound"], told["keyGiven"], told["problems"]), (True, False, []))
        self.assertEqual(export.read_text(), self.cli("audit", "export", "--data", str(self.weir.data)).out)

    def test_the_guide_verifies_an_export(self):
        self.deeds(2)
        script = self.folder / "verify.py"
        script.write_text(re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL).group(1))
        export = self.export()
        done = subprocess.run([sys.executable, script, export], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        count = len([line for line in export.read_text().splitlines() if '"action"' in line])
        self.assertIn(f"{count} entries, ", done.stdout)
        export.write_text(export.read_text().replace("deed 1", "deed 7"))
        done = subprocess.run([sys.executable, script, export], capture_output=True, text=True, check=False)
        self.assertNotEqual(done.returncode, 0)

    def test_no_payload_is_in_it(self):
        self.handler.script("canary", stub.status(422, body=json.dumps({"detail": CANARY}).encode()))
        reference = self.publish("canary", data=json.dumps({"secret": CANARY}).encode())
        self.settled(reference, "one")
        self.cli("replay", "plan", "--flow", "one", "--reason", "look")
        self.cli("quarantine", "discard", reference, "--flow", "one", "--reason", "test data")
        self.assertNotIn(CANARY, self.export().read_text())

    def test_a_reload_that_is_refused_is_in_it_without_its_text(self):
        good = self.weir.config.read_text()
        self.weir.config.write_text(good.replace("streams:", f"{CANARY}: x\nstreams:"))
        refused = self.weir.request("POST", "/v1/config/reload", json.dumps({"reason": "try"}).encode(),
                                    {"Content-Type": "application/json", "Weir-Actor": "local:ann"})
        self.assertEqual(refused.status, 422)
        self.weir.config.write_text(good)
        (entry,) = self.cli_json("audit", "list", "--action", "config.refused")["entries"]
        self.assertEqual((entry["actor"], entry["reason"]), ("local:ann", "try"))
        self.assertEqual(entry["detail"], "WR1301: the configuration is invalid")
        self.assertNotIn(CANARY, json.dumps(entry))

    def test_a_restored_store_says_so_and_goes_on_with_its_chain(self):
        backup, restored = self.folder / "backup", self.folder / "restored"
        self.assertEqual(run_cli("store", "backup", "--data", self.weir.data, backup).code, 0)
        done = run_cli("store", "restore", "--data", restored, backup, "--reason", "a drill")
        self.assertEqual(done.code, 0, done)
        newest = json.loads(run_cli("audit", "export", "--data", restored).out.splitlines()[-1])
        self.assertEqual((newest["action"], newest["reason"]), ("store.restore", "a drill"))
        self.assertTrue(newest["actor"].startswith("local:"))
        self.verify("--data", restored)

    def test_a_checkpoint_is_in_the_log_and_in_the_answer(self):
        told = self.get("/v1/audit/checkpoints")
        self.assertEqual(told["publicKey"], (self.weir.data / "audit-signing.pub").read_text().strip())
        logged = [line["signed"] for line in self.weir.logged("audit.checkpoint")]
        self.assertEqual(logged, told["checkpoints"])
        lines = (self.weir.data / "audit-checkpoints.jsonl").read_text().splitlines()
        self.assertEqual([json.loads(line) for line in lines], logged)

    def test_the_guide_lists_every_action(self):
        told = set(re.findall(r"`([a-z]+\.[a-z_]+|marker)`", GUIDE.read_text()))
        written = set()
        for source in (REPO / "src").rglob("*.cc"):
            if source.name.endswith("_test.cc") or "testing" in source.parts:
                continue
            text = re.sub(r'WEIR_(FAILPOINT|SEEDED_BUG)\("[^"]*"\)', "", source.read_text())
            for line in re.findall(r"\.action = ([^;{}]*?)[,}]\n", text):
                written |= set(re.findall(r'"([a-z]+\.[a-z_]+|marker)"', line))
            if {"delivery", "recovery"} & set(source.parts):  # actions are handed on there
                written |= set(re.findall(r'"((?:flow|replay|quarantine|approval)\.[a-z_]+)"', text))
        self.assertGreater(len(written), 30)
        self.assertEqual(written - told, set())


class Bent(AuditCase):
    """One store, stopped; each test bends a copy of it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for turn in range(9):
            verb = "pause" if turn % 2 == 0 else "resume"
            cls.weir.request("POST", f"/v1/flows/one/{verb}", json.dumps({"reason": f"deed {turn}"}).encode(),
                             {"Content-Type": "application/json"})
        cls.weir.stop()

    def setUp(self):
        self.copy = self.folder / self.id().rsplit(".", 1)[-1]
        shutil.copytree(self.weir.data, self.copy)
        self.outside = self.folder / "outside.jsonl"
        shutil.copy(self.copy / "audit-checkpoints.jsonl", self.outside)

    def test_as_it_was_left(self):
        text = self.verify("--data", self.copy)
        self.assertIn("10 entries", text)
        self.assertNotIn("not signed yet", text)  # the last word of a clean end

    def test_an_edit(self):
        with AuditStore(self.copy) as store:
            payload = store.payload(5)
            store.put(5, payload.replace(b"deed 3", b"deed 8"))
        self.assertTrue(self.verify("--data", self.copy, sound=False).startswith("entry 5 is not what was recorded"))
        check = run_cli("store", "check", "--data", self.copy)
        self.assertEqual(check.code, UNSOUND)
        self.assertIn("audit: entry 5", check.out)

    def test_an_edit_without_a_checksum(self):
        with AuditStore(self.copy) as store:
            store.db.execute("UPDATE audit SET record = CAST(replace(record, x'64656564', x'64656565') AS BLOB) WHERE number = 5")
        self.assertTrue(self.verify("--data", self.copy, sound=False).startswith("entry 5 cannot be read"))

    def test_a_deletion(self):
        with AuditStore(self.copy) as store:
            store.delete(4)
        self.assertTrue(self.verify("--data", self.copy, sound=False).startswith("entry 4 is missing"))

    def test_two_that_changed_places(self):
        with AuditStore(self.copy) as store:
            third, seventh = store.payload(3), store.payload(7)
            store.put(3, seventh)
            store.put(7, third)
        self.assertTrue(self.verify("--data", self.copy, sound=False).startswith("entries 3 and 7 have changed places"))

    def test_a_cut_end(self):
        with AuditStore(self.copy) as store:
            store.delete(10)
            store.delete(9)
        self.assertIn("entries 9 to 10 are cut off", self.verify("--data", self.copy, sound=False))

    def cut_with_care(self):
        """By somebody who knows where Weir keeps the end."""
        with AuditStore(self.copy) as store:
            digest = store.payload(8)[-64:].decode()
            store.delete(10)
            store.delete(9)
            store.put_head(8, digest)

    def test_an_end_that_was_cut_with_care(self):
        self.cut_with_care()
        self.assertIn("entries 9 to 10 are cut off", self.verify("--data", self.copy, sound=False))
        (self.copy / "audit-checkpoints.jsonl").unlink()
        self.assertIn("No signed checkpoint", self.verify("--data", self.copy))
        for outside in (self.outside, self.weir.output):
            text = self.verify("--data", self.copy, "--checkpoints", outside, sound=False)
            self.assertIn("says 10: entries 9 to 10 are cut off", text)

    def test_a_chain_that_was_written_anew(self):
        """From the second entry on, with every hash and checksum as it should be."""
        entries = [json.loads(line) for line in run_cli("audit", "export", "--data", self.copy).out.splitlines()]
        entries = [entry for entry in entries if "number" in entry]
        with AuditStore(self.copy) as store:
            digest = entries[0]["hash"]
            for entry in entries[1:]:
                payload = store.payload(entry["number"])
                if entry["number"] == 2:
                    payload = payload.replace(b"deed 0", b"deed X")
                    entry["reason"] = "deed X"
                digest = link(digest, entry)
                store.put(entry["number"], payload[:-64] + digest.encode())
            store.put_head(len(entries), digest)
        self.assertIn("entry 10 is not the one that was signed at", self.verify("--data", self.copy, sound=False))
        (self.copy / "audit-checkpoints.jsonl").unlink()
        self.verify("--data", self.copy)
        self.assertIn("written anew", self.verify("--data", self.copy, "--checkpoints", self.outside, sound=False))

    def test_a_checkpoint_that_was_bent(self):
        lines = self.outside.read_text()
        self.outside.write_text(lines.replace('"checkpoint":10', '"checkpoint":9'))
        self.assertIn("is not what was signed", self.verify("--data", self.copy, "--checkpoints", self.outside, sound=False))
        self.outside.write_text("nothing\n")
        done = run_cli("audit", "verify", "--data", self.copy, "--checkpoints", self.outside)
        self.assertIn("WR1732", done.err)

    def test_another_key(self):
        other = self.folder / "other.pub"
        other.write_text("11" * 32 + "\n")
        text = self.verify("--data", self.copy, "--public-key", other, sound=False)
        self.assertIn("signed by another key", text)

    def test_an_export_that_was_bent(self):
        export = self.folder / "bent.jsonl"
        whole = run_cli("audit", "export", "--data", self.copy).out
        lines = whole.splitlines(keepends=True)
        for bent, problem in ((whole.replace("deed 3", "deed 8"), "entry 5 is not what was recorded"),
                              ("".join(lines[:3] + lines[4:]), "entry 4 is missing"),
                              ("".join(lines[:3] + [lines[4], lines[3]] + lines[5:]), "entry 4 is missing"),
                              ("".join(lines[:5] + lines[10:]), "entries 6 to 10 are cut off"),
                              (whole.replace('"number":2,', '"number": 2,'), "line 2 is no entry"),
                              (whole + "{}\n", f"line {len(lines) + 1} is no entry")):
            export.write_text(bent)
            self.assertTrue(self.verify("--file", export, sound=False).find(problem) >= 0, problem)


class Key(AuditCase):
    def refuses(self, *words):
        self.weir.launch()
        wait_for(lambda: not self.weir.running(), 20, "the end")
        told = self.weir.output.read_text()
        for word in ("error[WR1733]", *words):
            self.assertIn(word, told)

    def test_the_key_is_private_and_stays(self):
        key, public = self.weir.data / "audit-signing.key", self.weir.data / "audit-signing.pub"
        self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600)
        before = public.read_text()
        self.deeds(1)
        self.weir.stop()
        key.chmod(0o640)
        self.refuses("others may read")
        key.chmod(0o600)
        good = key.read_text()
        key.write_text("22" * 32 + "\n")
        self.refuses("another key")
        key.unlink()
        self.refuses("is gone")
        key.write_text(good)
        key.chmod(0o600)
        self.weir.start()
        self.assertEqual(public.read_text(), before)
        self.assertNotIn(good.strip(), self.weir.output.read_text() + self.export().read_text())
        self.verify("--data", self.weir.data)

    def test_what_was_cut_off_while_weir_was_away_is_said_and_not_signed(self):
        self.weir.stop()
        with AuditStore(self.weir.data) as store:
            newest = store.numbers()[-1]
            store.delete(newest)
        self.weir.start()
        wait_for(lambda: self.weir.logged("audit.broken"), 10, "the alarm")
        self.assertEqual(self.weir.logged("audit.broken")[-1]["code"], "WR1731")
        signed = (self.weir.data / "audit-checkpoints.jsonl").read_text()
        self.deeds(2)  # deliveries and operators go on
        self.weir.stop()
        self.assertEqual((self.weir.data / "audit-checkpoints.jsonl").read_text(), signed)
        self.assertIn("is missing", self.verify("--data", self.weir.data, sound=False))


if __name__ == "__main__":
    unittest.main()
