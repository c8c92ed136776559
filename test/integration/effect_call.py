# SPDX-License-Identifier: Apache-2.0
"""A handler's side of the effect gateway."""
import http.client


def effect(server, dependency, token, method="POST", path="/payments", body=b"{}", headers=None):
    """What the gateway answers: status, headers, body."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, f"/effects/{dependency}{path}", body,
                       ({"Weir-Token": token} if token else {}) | (headers or {}))
    reply = connection.getresponse()
    told = reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    connection.close()
    return told
