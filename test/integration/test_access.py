# SPDX-License-Identifier: Apache-2.0
"""Who may do what: every route asked with every role, and with everything that is no valid token."""
import json
import os
import re
import stat
import time
import unittest
import urllib.parse

import access_matrix
from server import Answer, ServerCase, run_cli, wait_for

CONFIG = """
access: {}
streams: { s: {}, other: {} }
dependencies: { d: { url: "http://127.0.0.1:9" } }
flows:
  f: { from: { stream: s }, to: { http: { dependency: d } } }
  g: { from: { stream: other }, to: { http: { dependency: d } } }
"""
PARAMETERS = {"stream": "s", "flow": "f"}


class AccessCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG)

    def make(self, *roles, **wish):
        """The text and the id of a new token."""
        body = {"name": "test", "subject": "anna", "roles": roles} | wish
        answer = self.weir.request("POST", "/v1/tokens", json.dumps(body))
        self.assertEqual(answer.status, 201, answer.text)
        return answer.json["secret"], answer.json["token"]

    def revoke(self, token):
        answer = self.weir.request("DELETE", f"/v1/tokens/{token}", '{"reason": "test"}')
        self.assertEqual(answer.status, 200, answer.text)

    def ask(self, token, method, path, body=None):
        headers = {"Authorization": token and f"Bearer {token}"}
        if path == "/v1/watch":  # never ends by itself
            return self.ask_watch(headers)
        return self.weir.request(method, path, body, headers)

    def ask_watch(self, headers):
        with self.weir.connect() as connection:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
            connection.sendall(f"GET /v1/watch HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
            head = connection.recv(65536).decode()
        code = re.search(r'"code":"(WR\d+)"', head)
        return Answer(int(head.split(" ")[1]), {}, json.dumps({"code": code[1]} if code else {}))


class Matrix(AccessCase):
    def setUp(self):
        super().setUp()
        self.document = self.weir.request("GET", "/v1/openapi.json").json

    def routes(self):
        for method, path, roles, limited in access_matrix.operations(self.document):
            # What is named does not exist where it can be avoided: to be let in is what matters.
            yield method, re.sub(r"\{(\w+)\}", lambda name: PARAMETERS.get(name[1], "x9"), path), roles, limited

    def test_every_route_and_every_role(self):
        tokens = {role: self.make(role)[0] for role in access_matrix.ROLES}
        asked = 0
        # Last: an admin may do all of it.
        for role in sorted(tokens, key=lambda one: one == "admin"):
            for method, path, roles, _ in self.routes():
                answer = self.ask(tokens[role], method, path, "[]")
                allowed = roles is None or role in roles
                where = f"{role}: {method} {path}: {answer.status} {answer.text[:200]}"
                self.assertEqual(answer.status not in (401, 403), allowed, where)
                if not allowed:
                    self.assertEqual((answer.status, answer.json["code"]), (403, "WR1704"), where)
                asked += 1
        self.assertGreater(asked, 6 * 45)

    def test_every_route_without_a_valid_token(self):
        expired = self.make("admin", expires="1s")[0]
        revoked, token = self.make("admin")
        self.revoke(token)
        wrong = revoked[:20] + ("A" if revoked[20] != "A" else "B") + revoked[21:]
        wait_for(lambda: self.ask(expired, "GET", "/v1/flows").status == 401, 10, "the end of a token")
        for text, codes in ((None, {"WR1701"}), (wrong, {"WR1701", "WR1706"}), (expired, {"WR1702"}), (revoked, {"WR1703"})):
            for method, path, roles, _ in self.routes():
                answer = self.ask(text, method, path, "[]")
                where = f"{text}: {method} {path}: {answer.status} {answer.text[:200]}"
                self.assertEqual(answer.status not in (401, 429), roles is None, where)
                if roles is not None:
                    self.assertIn(answer.json["code"], codes, where)

    def test_every_route_with_a_limited_token(self):
        token = self.make("admin", streams=["other"], flows=["g"])[0]
        for method, path, roles, limited in self.routes():
            asked = {"/v1/events": "?stream=s", "/v1/quarantine": "?flow=f"}.get(path, "")
            answer = self.ask(token, method, path + asked, None if roles is None else "[]")
            where = f"{method} {path}: {answer.status} {answer.text[:200]}"
            if limited == "no":
                self.assertEqual((answer.status, answer.json["code"]), (403, "WR1705"), where)
            elif limited.startswith("its ") and limited != "its part of the list":
                code = {"its streams": "WR1201", "its flows": "WR1202"}[limited]
                self.assertEqual((answer.status, answer.json["code"]), (404, code), where)
                absent = re.sub(r"(/|=)[sf](?=/|$)", r"\1nil", path + asked)
                nothing = self.ask(token, method, absent, "[]")  # is answered just so
                self.assertEqual(nothing.text, re.sub("'[sf]'", "'nil'", answer.text), where)
            else:
                self.assertIn(answer.status, (200, 201), where)
        self.assertEqual([one["stream"] for one in self.ask(token, "GET", "/v1/streams").json["streams"]], ["other"])
        self.assertEqual([one["flow"] for one in self.ask(token, "GET", "/v1/flows").json["flows"]], ["g"])
        self.assertEqual(self.ask(token, "GET", "/v1/flows/g").status, 200)
        self.assertEqual(self.ask(token, "GET", "/v1/events?stream=other").status, 200)
        self.assertEqual(self.ask(token, "GET", "/v1/quarantine?flow=g").status, 200)
        self.assertEqual(self.ask(token, "GET", "/v1/events").status, 403)
        self.assertEqual(self.ask(token, "GET", "/v1/quarantine").status, 403)

    def test_the_guide_shows_the_matrix(self):
        self.maxDiff = None
        self.assertEqual(access_matrix.shown(), access_matrix.table(self.document))


class Payloads(AccessCase):
    def test_a_viewer_asks_nothing_about_payloads(self):
        """What matches a pattern tells what is in it."""
        where = "/v1/quarantine?where=" + urllib.parse.quote('{"data":{"card":[{"prefix":"4"}]}}')
        for role, status in (("viewer", 403), ("approver", 403), ("operator", 200)):
            token, _ = self.make(role)
            self.assertEqual(self.ask(token, "GET", where).status, status, role)
            for path in ("/v1/groups/abc/split?by=data.card", "/v1/groups/abc/insight", "/v1/events/s%231/payload"):
                self.assertEqual(self.ask(token, "GET", path).status, status if status == 403 else 404, f"{role} {path}")


class Restored(AccessCase):
    def test_a_restored_backup_lets_nobody_in(self):
        """What was revoked after it was made would be good again."""
        admin = self.weir.token_file.read_text().strip()
        backup, restored = self.folder / "backup", self.folder / "restored"
        self.assertEqual(run_cli("store", "backup", "--data", self.weir.data, backup).code, 0)
        self.weir.stop()
        done = run_cli("store", "restore", "--data", restored, backup, "--reason", "a drill")
        self.assert_says(done.err, "the next start makes an admin token")
        self.weir.command = [*self.weir.command[:-1], restored]
        self.weir.data = restored
        self.weir.start()
        self.assertEqual(self.ask(admin, "GET", "/v1/status").status, 401)
        self.assertTrue(self.weir.token_file.read_text().startswith("weir_t2_"))
        self.assertEqual(self.weir.cli("status").code, 0)


class FirstToken(AccessCase):
    def test_the_first_start_leaves_one_token_for_its_owner_only(self):
        file = self.weir.token_file
        self.assertEqual(stat.S_IMODE(os.stat(file).st_mode), 0o600)
        text = file.read_text()
        self.assertRegex(text, r"\Aweir_t1_[\w-]{49}\n\Z")
        self.assert_says(self.weir.output.read_text(), f"export WEIR_TOKEN_FILE={file}")
        self.assertNotIn(text.strip(), self.weir.output.read_text())
        listed = self.weir.cli("auth", "token", "list", "-o", "json")
        self.assertEqual([(one["token"], one["roles"]) for one in json.loads(listed.out)["tokens"]], [("t1", ["admin"])])
        self.assert_nowhere_else(text.strip(), file)
        self.weir.stop()
        self.assert_nowhere_else(text.strip(), file)
        self.weir.start()
        self.assertEqual(file.read_text(), text)
        self.assertEqual(self.weir.cli("status").code, 0)

    def assert_nowhere_else(self, text, file):
        """Neither the token nor its secret part is in the database, its log, or the process's output."""
        for path in [*self.weir.data.iterdir(), self.weir.output]:
            if path != file:
                for part in (text, text[8:51]):
                    self.assertNotIn(part.encode(), path.read_bytes(), path)

    def test_a_start_that_was_cut_short_is_made_up_for(self):
        """Killed between the file and the store: there is a file whose token nobody has."""
        self.weir.kill()
        for path in self.weir.data.iterdir():
            if path != self.weir.token_file:
                path.unlink()
        before = self.weir.token_file.read_text()
        self.weir.start()
        self.assertNotEqual(self.weir.token_file.read_text(), before)
        self.assertEqual(self.weir.cli("status").code, 0)
        self.assertEqual(self.ask(before.strip(), "GET", "/v1/status").status, 401)

    def test_whoever_can_start_weir_is_never_locked_out(self):
        self.revoke("t1")
        self.assertEqual(self.weir.cli("status").code, 4)
        self.weir.stop()
        self.weir.start()
        self.assertTrue(self.weir.token_file.read_text().startswith("weir_t2_"))
        self.assertEqual(self.weir.cli("status").code, 0)

    def test_in_memory_it_is_among_the_temporary_files(self):
        self.weir.kill()
        self.weir.command = [*self.weir.command[:-1], ":memory:"]
        self.weir.token_file.unlink()
        self.weir.output.unlink()
        self.weir.start()
        path = re.search(r"export WEIR_TOKEN_FILE=(\S+)\)", self.weir.output.read_text())[1]
        self.addCleanup(os.rmdir, os.path.dirname(path))
        self.addCleanup(os.unlink, path)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(run_cli("status", "--server", self.weir.url, "--token-file", path).code, 0)


class CommandLine(AccessCase):
    def test_a_token_is_made_used_and_revoked(self):
        made = self.weir.cli("auth", "token", "create", "--name", "laptop", "--subject", "anna", "--role", "viewer",
                             "--role", "approver", "--expires", "1h", "--reason", "new here", "-o", "name")
        self.assertEqual((made.code, made.err), (0, ""))
        self.assertRegex(made.out, r"\Aweir_t2_[\w-]{49}\n\Z")
        file = self.folder / "anna.token"
        file.touch(mode=0o600)
        file.write_text(made.out)

        def cli(*arguments, **env):
            return run_cli(*arguments, "--server", self.weir.url, env={"PATH": "", "HOME": "/", "LC_ALL": "C.UTF-8"} | env)
        self.assertEqual(cli("status", WEIR_TOKEN_FILE=str(file)).code, 0)
        self.assertEqual(cli("status", WEIR_TOKEN=made.out).code, 0)
        refused = cli("flow", "pause", "f", "--reason", "x", WEIR_TOKEN_FILE=str(file))
        self.assertEqual(refused.code, 4)
        self.assert_says(refused.err, "WR1704", 'anna (token t2 "laptop")', "viewer, approver", "operator, admin")
        nobody = cli("status")
        self.assertEqual(nobody.code, 4)
        self.assert_says(nobody.err, "WR1701", "WEIR_TOKEN_FILE")
        file.chmod(0o644)
        self.assert_says(cli("status", WEIR_TOKEN_FILE=str(file)).err, "WR1709", f"chmod 600 {file}")
        table = self.weir.cli("auth", "token", "list").out
        self.assert_says(table, "t2", "laptop", "anna", "viewer, approver", "live", "in 59 min")
        self.assertNotIn("weir_", table)
        self.assertEqual(self.weir.cli("auth", "token", "revoke", "t2").code, 2)
        revoked = self.weir.cli("auth", "token", "revoke", "t2", "--reason", "lost")
        self.assert_says(revoked.out, "revoked")
        self.assert_says(cli("status", WEIR_TOKEN=made.out).err, "WR1703")
        wait_for(lambda: self.weir.logged("token.revoke"), 5, "the log")
        self.assertEqual(self.weir.logged("token.revoke")[0]["token"], "t2")
        entries = self.weir.request("GET", "/v1/audit").json["entries"]
        acts = [(one["action"], one["actor"], one.get("reason")) for one in entries if one["action"].startswith("token.")]
        self.assertEqual(acts, [("token.revoke", 'admin (token t1 "first")', "lost"), ("token.create", 'admin (token t1 "first")', "new here"),
                                ("token.create", "weir", "there was no token of an admin")])

    def test_what_is_done_is_audited_under_the_subject_and_no_claimed_name(self):
        operator = self.make("operator")[0]
        headers = {"Authorization": f"Bearer {operator}", "Weir-Actor": "local:root"}
        self.assertEqual(self.weir.request("POST", "/v1/flows/f/pause", '{"reason": "x"}', headers).status, 200)
        entry = next(one for one in self.weir.request("GET", "/v1/audit").json["entries"] if one["action"] == "flow.pause")
        self.assertEqual(entry["actor"], 'anna (token t2 "test")')


class Revocation(AccessCase):
    def read_until(self, connection, marker):
        got = b""
        while marker not in got:
            part = connection.recv(65536)
            self.assertTrue(part, got)
            got += part

    def test_an_open_watch_ends_within_a_second(self):
        token, name = self.make("viewer")
        with self.weir.connect() as connection:
            connection.sendall(f"GET /v1/watch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            self.read_until(connection, b"event: alarms")
            began = time.monotonic()
            self.revoke(name)
            self.assertEqual(self.ask(token, "GET", "/v1/status").status, 401)
            self.read_until(connection, b"0\r\n\r\n")
        self.assertLess(time.monotonic() - began, 1)

    def test_ten_thousand_guesses(self):
        answers = {}
        guess = "weir_t1_" + "A" * 49
        with self.weir.connect() as connection:
            for _ in range(100):
                connection.sendall(100 * f"GET /v1/status HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {guess}\r\n\r\n".encode())
                got = b""
                while got.count(b"HTTP/1.1 ") < 100 or not got.endswith(b"}"):
                    got += connection.recv(1 << 20)
                for status in re.findall(rb"HTTP/1.1 (\d+)", got):
                    answers[int(status)] = answers.get(int(status), 0) + 1
        self.assertEqual(sum(answers.values()), 10000)
        self.assertEqual(set(answers), {401, 429})
        self.assertLess(answers[401], 60)
        self.assertEqual(self.weir.cli("status").code, 0)
        limited = self.weir.request("GET", "/v1/status", headers={"Authorization": f"Bearer {guess}"})
        self.assertEqual((limited.status, limited.json["code"]), (429, "WR1706"))
        self.assertGreaterEqual(int(limited.headers["retry-after"]), 1)
        metrics = self.weir.request("GET", "/metrics").text
        self.assertRegex(metrics, r'weir_access_refused_total\{reason="limited"\} 9\d\d\d')


class BeforeTheBody(AccessCase):
    """Whoever may not ask is answered when the head is there: nothing that they send is kept."""

    def answer_to_head(self, path, more=""):
        with self.weir.connect() as connection:
            connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\n{more}Content-Length: 8000000\r\n\r\n{{".encode())
            return connection.recv(65536).split(b"\r\n")[0].decode()

    def test_refusals(self):
        viewer = self.make("viewer")[0]
        events = "/v1/streams/s/events"
        self.assertIn(" 401 ", self.answer_to_head(events))
        self.assertIn(" 401 ", self.answer_to_head(events, "Authorization: Bearer weir_t1_x\r\n"))
        self.assertIn(" 403 ", self.answer_to_head(events, f"Authorization: Bearer {viewer}\r\n"))
        self.assertIn(" 404 ", self.answer_to_head("/v1/nothing"))
        self.assertIn(" 405 ", self.answer_to_head("/livez"))

    def test_who_may_ask_is_waited_for(self):
        body = b'{"a": 1}'
        event = "ce-specversion: 1.0\r\nce-id: a\r\nce-type: t\r\nce-source: /x\r\nContent-Type: application/json\r\n"
        token = self.weir.credentials()["Authorization"]
        with self.weir.connect() as connection:
            connection.sendall(f"POST /v1/streams/s/events HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\n{event}"
                               f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            self.assertIn(b" 100 ", connection.recv(65536).split(b"\r\n")[0])
            connection.sendall(body)
            self.assertIn(b" 201 ", connection.recv(65536).split(b"\r\n")[0])


class Open(ServerCase):
    def test_open_access_says_so_in_the_log(self):
        weir = self.serve("streams: { s: {} }")
        wait_for(lambda: weir.logged("access.open"), 5, "the warning")
        self.assertEqual(weir.logged("access.open")[0]["level"], "warning")
        self.assertFalse(weir.token_file.exists())
        self.assertEqual(weir.request("GET", "/v1/tokens").json, {"tokens": []})


if __name__ == "__main__":
    unittest.main()
