# SPDX-License-Identifier: Apache-2.0
"""Stands between a client and Weir and puts a text into every string of every JSON answer."""
import http.client
import http.server
import json
import threading


def infected(value, change, kept, name=""):
    """A copy in which `change` was applied to all strings but the members named in `kept`."""
    if isinstance(value, str):
        return value if name in kept else change(value)
    if isinstance(value, list):
        return [infected(item, change, kept, name) for item in value]
    if isinstance(value, dict):
        return {key: infected(item, change, kept, key) for key, item in value.items()}
    return value


class EvilProxy:
    """On a free port; stopped by leaving the `with` block."""

    def __init__(self, port, change, kept=()):
        outer = self
        self.changed = 0

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self):
                length = int(self.headers.get("Content-Length") or 0)
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
                upstream.request(self.command, self.path, self.rfile.read(length), headers)
                answer = upstream.getresponse()
                body = answer.read()
                upstream.close()
                type_ = answer.getheader("content-type") or "text/plain"
                if type_.split(";")[0].endswith("json"):
                    body = json.dumps(infected(json.loads(body), change, kept)).encode()
                    outer.changed += 1
                self.send_response(answer.status)
                self.send_header("Content-Type", type_)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = forward  # pylint: disable=invalid-name

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
