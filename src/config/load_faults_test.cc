// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "config/testing/fault_rows.h"

namespace weir::config {
namespace {

using testing::check_rows;
using Row = testing::FaultRow;

TEST_CASE("everything wrong in a document is told with its place") {
  const Row rows[] = {
      {"", "1:1: the configuration needs 'version: 1'"},
      {"[]",
       "1:1: the configuration must be a map of settings\n"
       "1:1: the configuration needs 'version: 1'"},
      {"text",
       "1:1: the configuration must be a map of settings\n"
       "1:1: the configuration needs 'version: 1'"},
      {"version: 2", "1:10: version '2' is not supported, only 1"},
      {"version: 1\nversion: 1", "2:1: 'version' is given twice, first in line 1"},
      {"a: [1", "1:1: not valid YAML: end of sequence flow not found"},
      {"version: 1\n---\nversion: 1", "2:1: only one document per file"},
      {"version: 1\n? [a]\n: b", "2:3: a key must be plain text"},
      {"version: 1\ntab:\n\tx: 1", "3:3: not valid YAML: illegal map value"},
      {"version: 1\na: *b", "2:4: not valid YAML: the referenced anchor is not defined"},
      {"version: 1\nflow: {}",
       "2:1: unknown setting 'flow' in the configuration | did you mean 'flows'?"},
      {"version: 1\né: 1",
       "2:1: unknown setting 'é' in the configuration | known: version, listen, access, "
       "approvals, data, limits, quarantine, redaction, …"},
      {"version: 1\nschedules: {}\nslos: []",
       "2:12: 'schedules' is not supported yet | take it out\n"
       "3:7: 'slos' is not supported yet | take it out"},
  };
  check_rows("", rows);
}

TEST_CASE("everything wrong with the listener, the folder and the limits is told with its place") {
  const Row rows[] = {
      {"version: 1\nlisten: { http: nowhere }",
       "2:17: 'nowhere' is no address | host:port, for example 127.0.0.1:8600"},
      {"version: 1\nlisten: { http: '127.0.0.1:' }",
       "2:17: '127.0.0.1:' is no address | host:port, for example 127.0.0.1:8600"},
      {"version: 1\nlisten: { http: 127.0.0.1:65536 }",
       "2:17: '127.0.0.1:65536' is no address | host:port, for example 127.0.0.1:8600"},
      {"version: 1\nlisten: { http: ':8600' }",
       "2:17: ':8600' is no address | host:port, for example 127.0.0.1:8600"},
      {"version: 1\nlisten: { http: 0.0.0.0:8600 }",
       "2:17 WR1305: '0.0.0.0' is not a loopback address and needs TLS | add listen.tls with "
       "'certificate' and 'key', or listen on 127.0.0.1"},
      {"version: 1\nlisten: { http: 127.evil.example:8600 }",
       "2:17 WR1305: '127.evil.example' is not a loopback address and needs TLS | add listen.tls "
       "with "
       "'certificate' and 'key', or listen on 127.0.0.1"},
      {"version: 1\nlisten: { http: '[::]:8600' }",
       "2:17 WR1305: '::' is not a loopback address and needs TLS | add listen.tls with "
       "'certificate' and 'key', or listen on 127.0.0.1"},
      {"version: 1\nlisten: { http: 10.0.0.1:8600, tls: { certificate: c, key: k } }\naccess: { "
       "open: true }",
       "2:17 WR1305: '10.0.0.1' is not a loopback address and needs tokens | remove access.open, "
       "or listen on 127.0.0.1"},
      {"version: 1\nlisten: { tls: { certificate: c } }",
       "2:16: 'tls' of 'listen' of the configuration needs 'key'"},
      {"version: 1\nlisten: { tls: { certificate: c, key: k, clientCertificates: optional } }",
       "2:62: client certificates need 'clientCa' | the file with the certificates of those who "
       "sign them"},
      {"version: 1\nlisten: { tls: { certificate: c, key: k, clientCa: a } }",
       "2:52: 'clientCa' is of no use without 'clientCertificates' | clientCertificates: optional "
       "or required"},
      {"version: 1\nlisten: { http: 127.0.0.1:1 }\naccess:\n  certificates:\n"
       "    - { san: anna, subject: a b, roles: [viewr] }",
       "2:17: access.certificates needs client certificates | listen.tls.clientCertificates: "
       "optional or required\n"
       "5:14: 'anna' is no name of a certificate | DNS:, URI:, email:, IP: or CN: and what follows "
       "it in the certificate\n"
       "5:29: 'a b' is no subject | letters, digits and . _ - @, at most 64\n"
       "5:41: 'viewr' is no role | did you mean 'viewer'?"},
      {"version: 1\nlisten: [127.0.0.1:8600]",
       "2:9: 'listen' of the configuration must be a map of settings"},
      {"version: 1\nlisten: { htp: 127.0.0.1:8600 }",
       "2:11: unknown setting 'htp' in 'listen' of the configuration | did you mean 'http'?"},
      {"version: 1\ndata: [a]", "2:7: 'data' must be a single value"},
      {"version: 1\nlimits: { eventBytes: 1MB }",
       "2:23: '1MB' is no size | for example 512KiB, 64MiB; units are B, KiB, MiB, GiB"},
      {"version: 1\nlimits: { eventBytes: 1B }",
       "2:23: 'eventBytes' must be from 1024 bytes to 1048576GiB"},
      {"version: 1\nlimits: { bodyBytes: 99999999999999999999999999GiB }",
       "2:22: 'bodyBytes' must be from 1024 bytes to 1048576GiB"},
      {"version: 1\nlimits: { eventBytes: 16MiB, bodyBytes: 8MiB }",
       "2:23: an event of eventBytes does not fit into bodyBytes"},
      {"version: 1\nlimits: { bodyBytes: 8MiB, pendingIngestBytes: 1MiB }",
       "2:22: a body of bodyBytes does not fit into pendingIngestBytes"},
      {"version: 1\nlimits: { batchEvents: 0 }", "2:24: 'batchEvents' must be from 1 to 100000"},
      {"version: 1\nlimits: { batchEvents: 2.5 }", "2:24: this must be a whole number"},
  };
  check_rows("", rows);
}

TEST_CASE("everything wrong with the approvals is told with its place") {
  const Row rows[] = {
      {"version: 1\naccess: { open: true }\napprovals: { replay: { deliveries: 5 } }",
       "3:12: approvals need to know who asks, and access.open lets everybody be anybody | remove "
       "access.open: people then come with tokens of their own"},
      {"version: 1\napprovals: { replay: { deliverys: 5 }, breakGlass: { roles: [viewer, admn] } }",
       "2:24: unknown setting 'deliverys' in 'replay' of 'approvals' of the configuration | did "
       "you "
       "mean 'delivered'?\n2:61: 'admn' is no role | did you mean 'admin'?\n"
       "2:61: 'viewer' does none of what is behind the glass | operator or admin"},
      {"version: 1\napprovals: { expires: 8d, breakGlass: {}, discard: { deliveries: 1.5 } }",
       "2:23: an approval lasts for at most 7d\n"
       "2:39: 'breakGlass' of 'approvals' of the configuration needs 'roles'\n"
       "2:66: this must be a whole number"},
  };
  check_rows("", rows);
}

TEST_CASE("everything wrong in the egress rules is told with its place") {
  const Row rows[] = {
      {"version: 1\negress: { allow: [10.0.0.1/8] }",
       "2:18: '10.0.0.1/8' is no address block | for example 10.0.0.0/8, 192.0.2.7 or fd00::/8, "
       "with zeros after the prefix"},
      {"version: 1\negress: { deny: everything }",
       "2:17: 'everything' is no address block | for example 10.0.0.0/8, 192.0.2.7 or fd00::/8, "
       "with zeros after the prefix"},
      {"version: 1\negress: { alow: [] }",
       "2:11: unknown setting 'alow' in 'egress' of the configuration | did you mean 'allow'?"},
      {"version: 1\nlisten: { http: 127.0.0.1:8700 }\n"
       "dependencies: { d: { url: 'http://127.0.0.1:8700' }, e: { url: 'http://127.0.0.1:8600' } }",
       "3:27 WR1604: nothing may connect to dependency 'd': 127.0.0.1:8700 is where Weir itself "
       "listens | see `egress` in the guide to the configuration"},
      {"version: 1\negress: [10.0.0.0/8]",
       "2:9: 'egress' of the configuration must be a map of settings"},
      {"version: 1\negress: { deny: [127.0.0.0/8] }\ndependencies: { d: { url: 'http://localhost' "
       "} }",
       "3:27 WR1604: nothing may connect to dependency 'd': 127.0.0.1 is in egress.deny | see "
       "`egress` in the guide to the configuration"},
  };
  check_rows("", rows);
}

TEST_CASE("everything wrong in a stream is told with its place") {
  const Row rows[] = {
      {"version: 1\nstreams: [s]",
       "2:10: 'streams' of the configuration must be a map of settings"},
      {"version: 1\nstreams: { S: {} }",
       "2:12: 'S' is no name for a stream | names have a-z, 0-9 and '-', start with a letter or "
       "digit, at most 63"},
      {"version: 1\nstreams: { s: 7d }", "2:15: stream 's' must be a map of settings"},
      {"version: 1\nstreams: { s: { retention: 7 } }",
       "2:28: 'retention' needs a unit | did you mean 7s? units are us, ms, s, m, h, d"},
      {"version: 1\nstreams: { s: { retention: soon } }",
       "2:28: 'soon' is no duration | for example 250ms, 5s, 1h30m, 7d"},
      {"version: 1\nstreams: { s: { retention: 0s } }", "2:28: 'retention' must be at least 1.0 s"},
      {"version: 1\nstreams: { s: { retention: -1s } }",
       "2:28: '-1s' is no duration | for example 250ms, 5s, 1h30m, 7d"},
      {"version: 1\nstreams: { s: { dedupe: { maxEntries: 50000001 } } }",
       "2:39: 'maxEntries' must be from 0 to 50000000"},
      {"version: 1\nstreams: { s: { dedupe: { maxEntries: '5' } } }",
       "2:39: 'maxEntries' must be a number, not '5'"},
      {"version: 1\nstreams: { s: { dedupe: { maxEntries: many } } }",
       "2:39: 'maxEntries' must be a number, not 'many'"},
      {"version: 1\nstreams: { s: { dedupe: { maxEntries: nan } } }",
       "2:39: 'maxEntries' must be a number, not 'nan'"},
      {"version: 1\nstreams: { s: { dedup: {} } }",
       "2:17: unknown setting 'dedup' in stream 's' | did you mean 'dedupe'?"},
  };
  check_rows("", rows);
}

TEST_CASE("everything wrong in a dependency is told with its place") {
  const Row rows[] = {
      {"{}", "3:6: dependency 'd' needs 'url'"},
      {"{ url: h:80 }", "3:13: the url of dependency 'd' must start with http:// or https://"},
      {"{ url: 'ftp://h' }", "3:13: the url of dependency 'd' must start with http:// or https://"},
      {"{ url: 'http://' }", "3:13: the url of dependency 'd' has no host"},
      {"{ url: 'http://:80' }", "3:13: the url of dependency 'd' has no host"},
      {"{ url: 'http://u:p@h' }",
       "3:13: the url of dependency 'd' must not carry a user or a password; use headers"},
      {"{ url: 'http://h:0' }",
       "3:13: the url of dependency 'd' has no port from 1 to 65535 after the colon"},
      {"{ url: 'http://h:99999' }",
       "3:13: the url of dependency 'd' has no port from 1 to 65535 after the colon"},
      {"{ url: 'http://h:' }",
       "3:13: the url of dependency 'd' has no port from 1 to 65535 after the colon"},
      {"{ url: 'http://h/a?b=c' }",
       "3:13: the url of dependency 'd' must not have a query or a fragment"},
      {"{ url: 'http://h/a b' }",
       "3:13: the url of dependency 'd' has blanks or characters that must be percent-encoded"},
      {"{ url: 'http://h', capacity: 300 }",
       "3:35: '300' is no rate | for example 300/s, 30/min, 1000/h"},
      {"{ url: 'http://h', capacity: 0/s }", "3:35: 'capacity' must be above zero"},
      {"{ url: 'http://h', capacity: inf/s }",
       "3:35: 'inf/s' is no rate | for example 300/s, 30/min, 1000/h"},
      {"{ url: 'http://h', capacity: 3/day }",
       "3:35: '3/day' is no rate | for example 300/s, 30/min, 1000/h"},
      {"{ url: 'http://h', policy: careful }", "3:33: unknown policy 'careful'"},
      {"{ url: 'http://h', retry: {} }",
       "3:32: 'retry' does not belong to dependency 'd' | this rule belongs to a flow: put it into "
       "a policy that the flow names"},
      {"{ url: 'http://h', circuitBreaker: {} }",
       "3:41: 'circuitBreaker' does not belong to dependency 'd' | put it into a policy and name "
       "that with 'policy'"},
      {"{ url: 'http://h', headers: [a] }",
       "3:34: 'headers' must be a map of header names and values"},
      {"{ url: 'http://h', headers: { 'a b': c } }", "3:36: 'a b' is no header name"},
      {"{ url: 'http://h', headers: { Ce-Id: c } }",
       "3:36: Weir sets the header 'Ce-Id' itself | take it out"},
      {"{ url: 'http://h', headers: { Idempotency-Key: c } }",
       "3:36: Weir sets the header 'Idempotency-Key' itself | take it out"},
      {"{ url: 'http://h', headers: { authorization: 'Bearer x' } }",
       "3:51: the value of 'authorization' is a secret, and the configuration is kept and shown to "
       "operators | ${env:NAME} or ${file:/path}"},
      {"{ url: 'http://h', headers: { a: [c] } }", "3:39: the value of 'a' must be text"},
      {R"({ url: 'http://h', headers: { a: "x\ny" } })",
       "3:39: the value of 'a' has a line break or a control character"},
      {"{ url: 'http://h', headers: { a: '${env:NOSUCH}' } }",
       "3:39 WR1304: env 'NOSUCH' is not set"},
      {"{ url: 'http://h', headers: { a: 'x ${file:/nosuch} y' } }",
       "3:39 WR1304: file '/nosuch' is not set"},
      {"{ url: 'http://h', headers: { a: '${vault:x}' } }",
       "3:39: '${vault:x}' is no reference | ${env:NAME}, ${env:NAME:-default} or ${file:/path}"},
      {"{ url: 'http://h', headers: { a: '${env:X' } }",
       "3:39: '${env:X' is no reference | ${env:NAME}, ${env:NAME:-default} or ${file:/path}"},
  };
  check_rows("version: 1\ndependencies:\n  d: ", rows);
}

TEST_CASE("a host that cannot be meant, or must not be called, is told with its place") {
  const Row rows[] = {
      {"{ url: 'http://127.1' }",
       "3:13: the url of dependency 'd' has a host '127.1' that is no plain IPv4 address; write "
       "four "
       "decimal numbers, as in 192.0.2.1"},
      {"{ url: 'http://[::1' }",
       "3:13: the url of dependency 'd' has a host '' that is no IPv6 address in brackets"},
      {"{ url: 'http://[::g]' }",
       "3:13: the url of dependency 'd' has a host '::g' that is no IPv6 address in brackets"},
      {"{ url: 'http://[1:2:3]' }",
       "3:13: the url of dependency 'd' has a host '1:2:3' that is no IPv6 address"},
      {"{ url: 'http://[::1]x' }",
       "3:13: the url of dependency 'd' has a host '' that is no IPv6 address in brackets"},
      {"{ url: 'http://169.254.169.254' }",
       "3:13 WR1604: nothing may connect to dependency 'd': 169.254.169.254 is a link-local "
       "address, "
       "where clouds keep their credentials | see `egress` in the guide to the configuration"},
  };
  check_rows("version: 1\ndependencies:\n  d: ", rows);
}

}  // namespace
}  // namespace weir::config
