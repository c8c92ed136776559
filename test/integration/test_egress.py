# SPDX-License-Identifier: Apache-2.0
"""Where Weir connects to: what is refused when the configuration is read, when a name is looked up, and for a plan's URL."""
import json
import shutil
import subprocess
import unittest

import stub_handler as stub
from handler_case import POLICIES, HandlerCase
from server import ServerCase, environment_binary, run_cli

ONE = """
streams: {{ s: {{ retention: 7d }} }}
dependencies: {{ d: {{ url: "{}" }} }}
flows: {{ f: {{ from: {{ stream: s }}, to: {{ http: {{ dependency: d }} }} }} }}
"""


class Configured(ServerCase):
    def validate(self, config):
        path = self.folder / "weir.yaml"
        path.write_text("version: 1\nlisten: { http: 127.0.0.1:8600 }\n" + config)
        return run_cli("config", "validate", path)

    def test_an_address_that_is_always_denied(self):
        for host in ("169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "[fd00:ec2::254]", "0.0.0.0",
                     "[2002:a9fe:a9fe::]", "224.0.0.1", "255.255.255.255"):
            done = self.validate(f"egress: {{ allow: ['0.0.0.0/0', '::/0'] }}{ONE.format(f'http://{host}/')}")
            self.assertNotEqual(done.code, 0, host)
            self.assert_says(done.out, "WR1604", "nothing may connect to dependency 'd'")

    def test_a_text_that_only_some_read_as_an_address(self):
        for host in ("2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "127.1", "[fe80::1%25lo]", "a%2eb"):
            done = self.validate(ONE.format(f"http://{host}/"))
            self.assertNotEqual(done.code, 0, host)
            self.assert_says(done.out, "WR1301", "has a host")

    def test_weir_itself(self):
        for host in ("127.0.0.1:8600", "localhost:8600", "[::1]:8600", "127.0.0.9:8600"):
            done = self.validate(f"egress: {{ allow: [127.0.0.0/8, '::1'] }}{ONE.format(f'http://{host}/')}")
            self.assert_says(done.out, "WR1604", "is where Weir itself listens")

    def test_what_the_administrator_lists_and_bans(self):
        self.assertEqual(self.validate(ONE.format("http://127.0.0.1:9/")).code, 0)
        done = self.validate("egress: { deny: [127.0.0.0/8] }" + ONE.format("http://127.0.0.1:9/"))
        self.assert_says(done.out, "WR1604", "is in egress.deny")
        done = self.validate("egress: { allow: [10.0.0.1/8] }" + ONE.format("http://127.0.0.1:9/"))
        self.assert_says(done.out, "'10.0.0.1/8' is no address block")


class Names(HandlerCase):
    """A name that was bent to an address of this machine, which no line of the configuration has."""

    CONFIG = """
streams: { s: { retention: 7d } }
dependencies: { tracker: { url: "http://tracker.test:{port}", policy: open } }
flows: { one: { from: { stream: s, start: earliest }, to: { http: { dependency: tracker } }, policy: quick } }
"""

    @classmethod
    def config(cls, text):
        return text.replace("{port}", str(cls.handler.port)) + POLICIES

    @classmethod
    def setUpClass(cls):
        bind = ["unshare", "-r", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']
        if not shutil.which("unshare") or subprocess.run([*bind, "/etc/hosts", "true"], capture_output=True, check=False).returncode:
            raise unittest.SkipTest("/etc/hosts cannot be replaced here")
        cls.bind = bind
        super().setUpClass()

    def test_the_address_is_judged_when_it_is_connected_to(self):
        hosts = self.folder / "hosts"
        hosts.write_text("127.0.0.1 localhost tracker.test\n")
        self.weir.kill()
        self.weir.command = [*self.bind, str(hosts), environment_binary(), "serve", "--config", self.weir.config, "--data", self.weir.data]
        self.weir.start()
        told = self.settled(self.publish("bent"), "one")
        self.assertEqual((told["class"], told["attempts"]), ("config", 1))
        self.assertEqual(told["history"][0]["fault"], "egressRefused")
        self.assertIn("tracker is at an address that the egress rules forbid (127.0.0.1 is a loopback address that is not in egress.allow)",
                      told["reason"])
        self.assertEqual(self.handler.calls(), [])
        self.weir.write_config("egress: { allow: [127.0.0.1] }\n" + self.config(self.CONFIG))
        self.reload()
        self.settled(self.publish("listed"), "one", "done")
        self.weir.write_config(self.config(self.CONFIG))
        self.reload()  # the connection that is open goes with the rules that allowed it
        self.settled(self.publish("listed-no-more"), "one")
        self.assertEqual([call.event_id for call in self.handler.calls()], ["listed"])

    def reload(self):
        self.assertEqual(self.weir.request("POST", "/v1/config/reload", "{}", {"Content-Type": "application/json"}).status, 200)


class Plans(HandlerCase):
    CONFIG = """
streams: { s: { retention: 7d } }
dependencies: { stub: { url: "{url}", policy: open } }
flows: { one: { from: { stream: s, start: earliest }, to: { http: { dependency: stub } }, policy: quick } }
"""

    def checked(self, url):
        """What a plan's check of this URL gives."""
        body = {"selection": {"flow": "one"}, "reason": "x", "preconditions": [{"http": {"url": url, "timeout": "2s"}}]}
        answer = self.weir.request("POST", "/v1/replays", json.dumps(body), {"Content-Type": "application/json"})
        self.assertEqual(answer.status, 201, answer.text)
        replay = f"/v1/replays/{answer.json['replay']}"
        self.weir.request("POST", replay + "/run", "{}", {"Content-Type": "application/json"})
        check = self.weir.request("GET", replay).json["checks"][0]
        self.weir.request("POST", replay + "/abort", '{"reason": "x"}', {"Content-Type": "application/json"})
        return check["verdict"], check["detail"]

    def test_a_url_of_an_api_user(self):
        self.handler.script("failing", stub.status(422))
        self.settled(self.publish("failing"), "one")
        self.handler.default(stub.status(200))
        with stub.StubHandler() as other:
            verdict, detail = self.checked(other.url + "/secret")
            self.assertEqual(verdict, "inconclusive")
            self.assertIn("127.0.0.1 is a loopback address that is not in egress.allow", detail)
            self.assertEqual(other.calls(), [])
        for url, why in (("http://169.254.169.254/latest/meta-data", "is a link-local address"),
                         ("http://[::ffff:a9fe:a9fe]/", "is a link-local address"), (self.weir.url + "/livez", "is where Weir itself listens"),
                         ("http://2130706433/", "no plain IPv4 address"), ("gopher://127.0.0.1/", "only http and https")):
            verdict, detail = self.checked(url)
            self.assertEqual(verdict, "inconclusive", url)
            self.assertIn(why, detail)
        self.assertEqual(self.checked(self.handler.url + "/healthz")[0], "successful")

    def test_a_redirect_is_not_followed(self):
        with stub.StubHandler() as secret:
            self.handler.default(stub.status(302, [("Location", secret.url)]))
            self.settled(self.publish("moved"), "one")
            self.assertEqual(secret.calls(), [])


if __name__ == "__main__":
    unittest.main()
