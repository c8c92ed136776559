# SPDX-License-Identifier: Apache-2.0
"""The listener over TLS: which versions and certificates, client certificates, and files that change under it."""
import http.client
import json
import os
import ssl
import unittest

from certificates import Authority
from server import Answer, Server, ServerCase, run_cli, wait_for

CONFIG = """
access: {{ {access} }}
listen: {{ http: "{address}", tls: {{ certificate: {folder}/own.crt, key: {folder}/own.key{more} }} }}
streams: {{ s: {{}} }}
"""
RULES = 'certificates: [{ san: "DNS:ci.example.org", subject: ci, roles: [producer] }, { san: "CN:anna", subject: anna, roles: [viewer] }]'


class TlsCase(ServerCase):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.folder)
        self.authority.issue("own")

    def config(self, more="", access="", address=None):
        return CONFIG.format(folder=self.folder, more=more, access=access, address=address or f"127.0.0.1:{self.weir.port}")

    def serve_tls(self, more="", access="", address="127.0.0.1"):
        """Served over TLS; ready when it has said so."""
        self.weir = Server(self.folder, "")
        self.weir.write_config(self.config(more, access, f"{address}:{self.weir.port}"))
        self.addCleanup(self.weir.kill_if_running)
        self.weir.launch()
        wait_for(lambda: not self.weir.running() or self.weir.logged("weir.serving"), 20, "weir")
        self.assertTrue(self.weir.running(), self.weir.output.read_text())

    def ask(self, context, method="GET", path="/v1/status", body=None, headers=None):
        connection = http.client.HTTPSConnection("localhost", self.weir.port, timeout=10, context=context)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode())
        finally:
            connection.close()

    def cli(self, *arguments):
        return run_cli(*arguments, "--server", f"https://localhost:{self.weir.port}", "--ca-file", self.authority.ca,
                       "--token-file", self.weir.token_file)


class Listener(TlsCase):
    def test_an_address_that_others_can_reach(self):
        self.serve_tls(address="0.0.0.0")
        self.assert_says(self.weir.output.read_text(), f"https://0.0.0.0:{self.weir.port}")
        self.assertEqual(self.cli("status").code, 0)
        self.assertEqual(self.ask(self.authority.client()).status, 401)
        distrusted = run_cli("status", "--server", f"https://localhost:{self.weir.port}", "--token-file", self.weir.token_file)
        self.assertEqual(distrusted.code, 9)
        self.assert_says(distrusted.err, "certificate")

    def test_versions(self):
        self.serve_tls()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.ask(self.authority.client(version=version), path="/livez").status, 200)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            with self.assertRaises(ssl.SSLError):
                self.ask(self.authority.client(version=version), path="/livez")

    def test_http_without_tls_is_told_so(self):
        self.serve_tls()
        answer = self.weir.raw(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertIn(b" 400 ", answer.split(b"\r\n")[0])
        self.assertIn(b"https://", answer)

    def test_files_that_cannot_be_used_are_named_at_the_start(self):
        self.serve_tls()
        self.weir.stop()
        key = self.folder / "own.key"
        key.chmod(0o644)
        done = run_cli("serve", "--config", self.weir.config, "--data", self.weir.data)
        self.assertEqual(done.code, 2, done)
        self.assert_says(done.err, "WR1320", str(key), "chmod 600")
        key.unlink()
        done = run_cli("serve", "--config", self.weir.config, "--data", self.weir.data)
        self.assert_says(done.err, "WR1320", str(key), "No such file")

    def test_never_reachable_without_tls_and_tokens(self):
        path = self.folder / "open.yaml"
        tls = f"tls: {{ certificate: {self.folder}/own.crt, key: {self.folder}/own.key }}"
        for text, word in (("listen: { http: 0.0.0.0:0 }", "TLS"), (f"listen: {{ http: '[::]:0', {tls} }}\naccess: {{ open: true }}", "tokens"),
                           (f"access: {{ open: true }}\nlisten: {{ http: 10.0.0.1:0, {tls} }}", "tokens")):
            path.write_text(f"version: 1\n{text}\n")
            done = run_cli("serve", "--config", path, "--data", self.folder / "store")
            self.assertEqual(done.code, 2)
            self.assert_says(done.err, "WR1305", word)
        path.write_text("version: 1\naccess: { open: true }\n" + f"listen: {{ {tls} }}\n")
        done = run_cli("serve", "--config", path, "--data", self.folder / "store", "--listen", "0.0.0.0:0")
        self.assert_says(done.err, "WR1305", "tokens")


class Changes(TlsCase):
    def names(self):
        """What the certificate of a new connection is for."""
        context = self.authority.client()
        context.check_hostname = False
        with self.weir.connect() as plain, context.wrap_socket(plain) as connection:
            return [name for _, name in connection.getpeercert()["subjectAltName"]]

    def test_new_files_are_taken_while_old_connections_go_on(self):
        self.serve_tls()
        old = http.client.HTTPSConnection("localhost", self.weir.port, timeout=10, context=self.authority.client())
        self.addCleanup(old.close)
        old.request("GET", "/livez")
        self.assertEqual(old.getresponse().read(), b"ok\n")
        self.assertEqual(self.names(), ["localhost", "127.0.0.1"])
        self.authority.issue("own", "DNS:localhost,DNS:new")
        wait_for(lambda: self.weir.logged("tls.reloaded"), 10, "the new certificate")
        told = self.ask(self.authority.client(), path="/v1/audit?action=tls.reload", headers=self.weir.credentials()).json
        self.assertRegex(told["entries"][0]["detail"], "^certificate [0-9a-f]{64}")
        self.assertEqual(self.names(), ["localhost", "new"])
        old.request("GET", "/livez")
        self.assertEqual(old.getresponse().status, 200)
        metrics = self.ask(self.authority.client(), path="/metrics", headers=self.weir.credentials()).text
        self.assertRegex(metrics, r"weir_tls_certificate_expiry_timestamp_seconds 1?\d\.?\d*e?\+?\d+")

    def test_a_certificate_that_does_not_fit_changes_nothing(self):
        self.serve_tls()
        (self.folder / "own.crt").write_text("no certificate")
        wait_for(lambda: self.weir.logged("tls.refused"), 10, "the refusal")
        self.assertEqual(self.names(), ["localhost", "127.0.0.1"])
        refused = self.cli("config", "reload")
        self.assertNotEqual(refused.code, 0)
        self.assert_says(refused.err, "WR1320", "own.crt", "the configuration in force stays as it was")
        self.assertEqual(len(self.weir.logged("tls.refused")), 1)  # told once
        self.authority.issue("own", "DNS:localhost,DNS:mended")
        self.assertEqual(self.cli("config", "reload").code, 0)
        self.assertEqual(self.names(), ["localhost", "mended"])

    def test_a_reload_takes_other_files_but_no_other_kind_of_listener(self):
        self.serve_tls()
        self.authority.issue("next", "DNS:localhost,DNS:next")
        self.weir.write_config(self.config().replace("own.", "next."))
        self.assert_says(self.cli("config", "reload").out, "listen.tls changed")
        self.assertEqual(self.names(), ["localhost", "next"])
        self.weir.write_config(f"listen: {{ http: 127.0.0.1:{self.weir.port} }}\naccess: {{}}\nstreams: {{ s: {{}} }}\n")
        self.assert_says(self.cli("config", "reload").out, "listen changed (takes effect at the next start)")
        self.assertEqual(self.names(), ["localhost", "next"])


class Clients(TlsCase):
    MORE = ", clientCa: {folder}/ca.crt, clientCertificates: {kind}"
    EVENT = {"ce-specversion": "1.0", "ce-id": "a", "ce-type": "t", "ce-source": "/x", "Content-Type": "application/json"}

    def test_a_certificate_is_who_a_rule_says(self):
        self.serve_tls(self.MORE.format(folder=self.folder, kind="optional"), RULES)
        ci = self.authority.client(self.authority.issue("machine", "DNS:ci.example.org,DNS:other"))
        anna = self.authority.client(self.authority.issue("anna", "email:anna@example.org"))
        nobody = self.authority.client(self.authority.issue("nobody", "DNS:xci.example.org"))
        self.assertEqual(self.ask(ci, "POST", "/v1/streams/s/events", "{}", self.EVENT).status, 201)
        self.assertEqual(self.ask(ci).status, 403)
        self.assertEqual(self.ask(anna).status, 200)
        self.assertEqual(self.ask(anna, "POST", "/v1/streams/s/events", "{}", self.EVENT).status, 403)
        refused = self.ask(nobody)
        self.assertEqual(refused.status, 401)
        self.assert_says(refused.text, "no rule of access.certificates")
        self.assertEqual(self.ask(self.authority.client()).status, 401)
        self.assertEqual(self.ask(nobody, headers=self.weir.credentials()).status, 200)
        self.weir.write_config(self.config(self.MORE.format(folder=self.folder, kind="optional")))
        self.assert_says(self.cli("config", "reload").out, "access.certificates changed")
        self.assertEqual(self.ask(anna).status, 401)

    def test_strangers_do_not_come_in(self):
        self.serve_tls(self.MORE.format(folder=self.folder, kind="required"), RULES)
        elsewhere = self.folder / "elsewhere"
        os.mkdir(elsewhere)
        stranger = Authority(elsewhere).issue("anna", "DNS:ci.example.org")
        for certificate in (None, stranger):
            with self.assertRaises((ssl.SSLError, http.client.HTTPException, OSError)):
                self.ask(self.authority.client(certificate))
        anna = self.authority.client(self.authority.issue("anna"))
        self.assertEqual(self.ask(anna).status, 200)
        self.assertEqual(json.loads(self.ask(anna, path="/v1/streams").text)["streams"][0]["stream"], "s")


if __name__ == "__main__":
    unittest.main()
