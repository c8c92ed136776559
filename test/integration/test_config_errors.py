# SPDX-License-Identifier: Apache-2.0
"""Wrong configurations: everything at once and where it stands, and a bad reload changes nothing."""
import json
import signal
import unittest

import stub_handler as stub
from server import ServerCase, free_port, run_cli, wait_for

# Each problem with where it stands and what to do about it.
WRONG = """version: 1
listen: { http: 0.0.0.0:8600 }
streams:
  github: { retenton: 7d }
dependencies:
  tracker:
    url: http://127.0.0.1:9900
    policy: carefull
    headers: { Authorization: "Bearer ${env:WEIR_TEST_ABSENT}" }
flows:
  sync:
    from: { stream: githb }
    where: { type: [{ prefx: com.gitlab }] }
    to: { http: { dependency: traker } }
policies:
  careful: { retry: { maxAttempts: 0 } }
"""
PROBLEMS = [
    (2, 17, "WR1305", "'0.0.0.0' is not a loopback address", "127.0.0.1"),
    (4, 13, "WR1301", "unknown setting 'retenton' in stream 'github'", "did you mean 'retention'?"),
    (8, 13, "WR1301", "unknown policy 'carefull'", "did you mean 'careful'?"),
    (9, 31, "WR1304", "the environment has no 'WEIR_TEST_ABSENT'", "export it"),
    (12, 21, "WR1301", "unknown stream 'githb'", "did you mean 'github'?"),
    (13, 12, "WR1303", "invalid event pattern: unknown matcher 'prefx'", "did you mean 'prefix'?"),
    (14, 31, "WR1301", "unknown dependency 'traker'", "did you mean 'tracker'?"),
    (16, 36, "WR1301", "'maxAttempts' must be from 1 to 1000", ""),
]
GOOD = """
streams: { s: { retention: 7d } }
dependencies: { d: { url: "http://127.0.0.1:9" } }
flows: { one: { from: { stream: s }, where: { type: [nobody] }, to: { http: { dependency: d } } } }
"""


class AllAtOnce(ServerCase):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "weir.yaml"
        self.path.write_text(WRONG)

    def assert_all_shown(self, text):
        lines = text.splitlines()
        starts = [number for number, line in enumerate(lines) if line.startswith(f"{self.path}:")]
        self.assertEqual(len(starts), len(PROBLEMS), text)
        for at, (line, column, code, what, hint) in zip(starts, PROBLEMS):
            self.assertEqual(lines[at].partition(": error")[0], f"{self.path}:{line}:{column}")
            self.assert_says(lines[at], f"error[{code}]", what)
            self.assertEqual(lines[at + 1], "  " + WRONG.splitlines()[line - 1])
            self.assertEqual(lines[at + 2], " " * (column + 1) + "^")
            if hint:
                self.assert_says(lines[at + 3], "hint: ", hint)

    def test_validate(self):
        done = run_cli("config", "validate", self.path)
        self.assertEqual(done.code, 1)
        self.assert_all_shown(done.out)
        self.assertIn("8 problems in 1 file", done.err)

    def test_a_key_given_twice_hides_nothing(self):
        self.path.write_text("version: 1\nstreams: { s: {}, s: {} }\nflws: {}\n")
        done = run_cli("config", "validate", self.path)
        self.assertEqual(done.code, 1)
        self.assert_says(done.out, "'s' is given twice, first in line 2",
                         "unknown setting 'flws'", "  streams: { s: {}, s: {} }\n" + 20 * " " + "^")
        self.assertIn("2 problems in 1 file", done.err)

    def test_validate_for_machines(self):
        done = run_cli("config", "validate", self.path, "-o", "json")
        self.assertEqual(done.code, 1)
        found = json.loads(done.out)
        self.assertFalse(found["valid"])
        self.assertEqual([(one["line"], one["column"], one["code"]) for one in found["problems"]],
                         [problem[:3] for problem in PROBLEMS])

    def test_serve_refuses_and_leaves_no_trace(self):
        done = run_cli("serve", "--config", self.path, "--data", self.folder / "store")
        self.assertEqual(done.code, 2)
        self.assert_says(done.err, "8 problems")
        self.assert_all_shown(done.err)
        self.assertFalse((self.folder / "store").exists())

    def test_several_files_are_one_configuration(self):
        other = self.folder / "more.yaml"
        other.write_text("streams:\n  githb: { retention: 7x }\n")
        done = run_cli("config", "validate", self.folder)
        self.assertEqual(done.code, 1)
        self.assert_says(done.out, f"{other}:2:23: error", f"{self.path}:4:13: error")


class Unreadable(ServerCase):
    def test_files_that_are_none(self):
        broken = self.folder / "broken.yaml"
        for text, place in ((b"version: 1\nstreams: { s: [\n", ":3:1:"), (b"version: 1\nstreams: \xff\n", ":2:"),
                            (b"version: 1\n\tstreams: {}\n", ":2:"), (b"", ":1:1:")):
            broken.write_bytes(text)
            done = run_cli("serve", "--config", broken, "--data", self.folder / "store")
            self.assertEqual(done.code, 2, done)
            self.assert_says(done.err, f"{broken}{place}", "error[")

    def test_no_file(self):
        done = run_cli("serve", "--config", self.folder / "absent.yaml", "--data", self.folder / "store")
        self.assertEqual(done.code, 2)
        self.assert_says(done.err, "WR1302", "absent.yaml", "check that it exists")

    def test_a_listen_address_on_the_command_line(self):
        config = self.folder / "weir.yaml"
        config.write_text("version: 1\n" + GOOD)
        for listen, code in (("0.0.0.0:8600", "WR1305"), ("[::]:8600", "WR1305"), ("192.0.2.1:8600", "WR1305"),
                             ("127.0.0.1:99999", "WR1301")):
            done = run_cli("serve", "--config", config, "--data", self.folder / "store", "--listen", listen)
            self.assertEqual(done.code, 2, done)
            self.assert_says(done.err, code, "127.0.0.1", "hint: ")

    def test_a_secret_in_a_file_that_is_not_there(self):
        config = self.folder / "weir.yaml"
        config.write_text('version: 1\ndependencies:\n  d:\n    url: http://127.0.0.1:9\n'
                          '    headers: { Authorization: "${file:/nowhere/token}" }\n')
        done = run_cli("config", "validate", config)
        self.assertEqual(done.code, 1)
        self.assert_says(done.out, f"{config}:5:31: error[WR1304]", "/nowhere/token")


class Reload(ServerCase):
    def setUp(self):
        super().setUp()
        self.weir = self.serve(GOOD)
        self.kept = [self.publish(self.weir, "before")]
        self.addCleanup(lambda: self.assert_kept(self.weir, self.kept))

    def flows(self):
        return [flow["flow"] for flow in self.weir.request("GET", "/v1/flows").json["flows"]]

    def hang_up(self, event, text):
        """SIGHUP; the line of the log with this text, once there is one more."""
        def lines():
            return [line for line in self.weir.logged(event) if text in line["msg"]]
        before = len(lines())
        self.weir.process.send_signal(signal.SIGHUP)
        wait_for(lambda: len(lines()) > before, 10, f"{event} with {text}")
        return lines()[-1]

    def test_a_bad_one_keeps_the_old_configuration_and_says_so(self):
        self.weir.write_config(GOOD.replace("stream: s }", "stream: ss }"))
        place = f"{self.weir.config}:6:33: error[WR1301]: unknown stream 'ss'"
        told = self.weir.cli("config", "reload")
        self.assertEqual(told.code, 1, told)
        self.assert_says(told.err, place, "did you mean 's'?", "the configuration in force stays as it was")
        answer = self.weir.request("POST", "/v1/config/reload", b"{}")
        self.assert_problem(answer, 422, "WR1301", place, "the configuration in force stays as it was")
        self.weir.write_config(GOOD.replace("dependency: d }", "dependency: dd }"))
        line = self.hang_up("config.refused", "unknown dependency 'dd'")
        self.assertEqual((line["level"], line["code"]), ("error", "WR1301"))
        self.assert_says(line["hint"], "the configuration in force stays as it was")
        self.assertEqual(self.flows(), ["one"])
        self.kept.append(self.publish(self.weir, "after"))

    def test_a_file_that_is_gone_keeps_it_too(self):
        self.weir.config.unlink()
        told = self.weir.cli("config", "reload")
        self.assertEqual(told.code, 1, told)
        self.assert_says(told.err, "WR1302", "check that it exists", "the configuration in force stays as it was")
        self.assertEqual(self.flows(), ["one"])

    def test_a_good_one_takes_effect(self):
        more = GOOD.replace("flows: {", "flows: { two: { from: { stream: s }, to: { http: { dependency: d } } },")
        self.weir.write_config(more)
        told = self.weir.cli("config", "reload", "--reason", "a second flow")
        self.assertEqual(told.code, 0, told)
        self.assert_says(told.out, "reloaded", "flow two added")
        self.assertEqual(sorted(self.flows()), ["one", "two"])
        self.weir.write_config(more.replace("streams: {", "streams: { t: {},"))
        self.hang_up("config.reloaded", "stream t added")
        self.publish(self.weir, "elsewhere", stream="t")
        audit = self.weir.request("GET", "/v1/audit").json["entries"]
        self.assertEqual([entry["action"] for entry in audit].count("config.reload"), 2)

    def test_a_reload_cannot_move_the_address(self):
        port = self.weir.port
        self.weir.port = free_port()
        self.weir.write_config(GOOD)
        self.weir.port = port
        told = self.weir.cli("config", "reload")
        self.assertEqual(told.code, 0, told)
        self.assert_says(told.out, "listen changed (takes effect at the next start)")
        self.assertEqual(self.flows(), ["one"])

    def test_a_flow_of_the_old_configuration_delivers_on(self):
        with stub.StubHandler() as handler:
            handler.default(stub.status(204))
            config = GOOD.replace("http://127.0.0.1:9", handler.url).replace("[nobody]", "[test]")
            self.weir.write_config(config)
            self.assertEqual(self.weir.cli("config", "reload").code, 0)
            self.weir.write_config(config.replace("dependency: d }", "dependency: dd }"))
            self.hang_up("config.refused", "unknown dependency 'dd'")
            self.kept.append(self.publish(self.weir, "after"))
            wait_for(lambda: handler.calls_of("after"), 10, "the delivery of the old flow")


if __name__ == "__main__":
    unittest.main()
