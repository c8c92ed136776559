# SPDX-License-Identifier: Apache-2.0
"""The cases of test_smuggling through real proxies: Weir never sees a request that its client did not get an answer for.

Only where nginx or haproxy are installed. Proxies differ in what they refuse; what counts is that proxy and Weir agree on where one request
ends and the next one begins, so that nothing is stored without its own 201.
"""
import re
import shutil
import socket
import subprocess
import unittest

from server import ServerCase, free_port, wait_for
from test_smuggling import CASES, CONFIG, hidden

NGINX = """daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/nginx.err; events {{ }}
http {{
  access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream weir {{ server 127.0.0.1:{weir}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://weir; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_request_buffering off; }}
  }}
}}
"""
HAPROXY = """defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  option http-keep-alive
  http-reuse always
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  server weir 127.0.0.1:{weir}
"""


def answers_to(port, data):
    """The statuses of all answers until the other side closes, or says nothing for a while."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 3) as connection:
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                got += part
        except OSError:
            pass
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", got)]


class Behind(ServerCase):
    def setUp(self):
        super().setUp()
        self.weir = self.serve(CONFIG)
        self.port = free_port()

    def start(self, template, *command):
        config = self.folder / "proxy.conf"
        config.write_text(template.format(folder=self.folder, weir=self.weir.port, port=self.port))
        with (self.folder / "proxy.err").open("w") as errors:
            proxy = subprocess.Popen([*command, str(config)], stdout=errors, stderr=errors)  # pylint: disable=consider-using-with
        self.addCleanup(lambda: (proxy.kill(), proxy.wait()))
        wait_for(self.listens, 10, "the proxy")

    def listens(self):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stored(self):
        return {event["id"] for event in self.weir.request("GET", "/v1/events?stream=s&from=1&limit=1000").json["events"]}

    def check_all(self):
        passed = 0
        for number, (name, first, _) in enumerate(CASES):
            with self.subTest(name):
                before = self.stored()
                last = hidden(f"l{number}").replace("Content-Length", "Connection: close\r\nContent-Length")
                data = first.replace("ce-id: first", f"ce-id: f{number}") + hidden(f"h{number}") + last
                statuses = answers_to(self.port, data.encode("latin-1"))
                self.assertEqual(statuses.count(201), len(self.stored() - before), statuses)
                passed += statuses.count(201)
        self.assertGreater(passed, 0)  # some of it is honest, once a proxy has read it

    @unittest.skipUnless(shutil.which("nginx"), "no nginx here")
    def test_nginx(self):
        self.start(NGINX, "nginx", "-p", str(self.folder), "-c")
        self.check_all()

    @unittest.skipUnless(shutil.which("haproxy"), "no haproxy here")
    def test_haproxy(self):
        self.start(HAPROXY, "haproxy", "-f")
        self.check_all()


if __name__ == "__main__":
    unittest.main()
