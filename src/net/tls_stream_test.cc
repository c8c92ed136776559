// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/testing/raw_peer.h"
#include "net/testing/tls_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::CertificateSpec;
using testing::Loop;
using testing::RawServer;
using testing::RawSocket;
using testing::TlsServer;
using testing::TlsServerSpec;

HttpClientOptions to_host(std::string host, std::uint16_t port, std::string ca_file) {
  HttpClientOptions options;
  options.url = Url{.https = true, .host = std::move(host), .port = port, .path = "", .query = ""};
  options.ca_file = std::move(ca_file);
  return options;
}

async::Task<Outcome> post(Loop& loop, HttpClientPool& pool, std::string body) {
  HttpCall call;
  call.target = "/sync";
  call.body = body;
  call.deadline = loop.clock().mono() + 5s;
  co_return co_await pool.call(call);
}

async::Task<> test_secure(Loop& loop, TlsServer& server, std::string host) {
  auto pool = std::move(*HttpClientPool::open(loop.executor(), loop.clock(),
                                              to_host(host, server.port(), server.ca_file())));
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = co_await post(loop, *pool,
                                          std::string(100'000, 'x') + "end of request");
    INFO(outcome.fault_detail);
    CHECK(outcome.status == 204);
    co_await loop.pause(5ms);
  }
  CHECK(server.requests() == 3);
  CHECK(server.handshakes() == 1);  // the connection is kept
  CHECK(server.server_name() == (host == "localhost" ? "localhost" : ""));
  server.stop();
  co_await pool->close();
}

TEST_CASE("https with a certificate for the name and for the address") {
  Loop loop;
  TlsServer server(loop, {});
  CHECK(loop.run(test_secure(loop, server, "localhost")));
  Loop second;
  TlsServer by_address(second, {});
  CHECK(second.run(test_secure(second, by_address, "127.0.0.1")));
}

async::Task<> test_refused(Loop& loop, HttpClientOptions options, Fault fault, std::string detail,
                           TlsServer& server) {
  options.connect_timeout = 2s;
  auto pool = std::move(*HttpClientPool::open(loop.executor(), loop.clock(), std::move(options)));
  const Outcome outcome = co_await post(loop, *pool, "end of request");
  CHECK(outcome.fault == fault);
  CHECK(outcome.phase == Phase::notSent);
  INFO(outcome.fault_detail);
  CHECK(outcome.fault_detail.find(detail) != std::string::npos);
  CHECK(server.requests() == 0);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a certificate that cannot be trusted ends the call before anything is sent") {
  struct Row {
    const char* name;
    CertificateSpec certificate;
    bool give_ca;
    const char* detail;
  };
  const Row rows[] = {
      {"expired", {.valid_from_days = -10, .valid_to_days = -1}, true, "expired"},
      {"not yet valid", {.valid_from_days = 1, .valid_to_days = 2}, true, "not yet valid"},
      {"for another name", {.subject_alt_name = "DNS:example.com"}, true, "ostname mismatch"},
      {"partial wildcard", {.subject_alt_name = "DNS:local*"}, true, "ostname mismatch"},
      {"for an address only", {.subject_alt_name = "IP:127.0.0.1"}, true, "ostname mismatch"},
      {"signed by itself", {.signed_by_ca = false}, true, "self-signed"},
      {"by an unknown authority", {}, false, "unable to get local issuer"},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.name));
    Loop loop;
    TlsServer server(loop, {.certificate = row.certificate});
    const auto options = to_host("localhost", server.port(), row.give_ca ? server.ca_file() : "");
    CHECK(loop.run(test_refused(loop, options, Fault::tlsVerify, row.detail, server)));
  }
  Loop loop;
  TlsServer named(loop, {.certificate = {.subject_alt_name = "DNS:localhost"}});
  CHECK(loop.run(test_refused(loop, to_host("127.0.0.1", named.port(), named.ca_file()),
                              Fault::tlsVerify, "mismatch", named)));
}

TEST_CASE("TLS 1.1 is not spoken") {
  Loop loop;
  TlsServer server(loop, {.certificate = {}, .tls_11_only = true});
  const auto options = to_host("localhost", server.port(), server.ca_file());
  CHECK(loop.run(test_refused(loop, options, Fault::tlsHandshake, "handshake", server)));
}

async::Task<> test_no_tls(Loop& loop, RawServer& server, Fault fault) {
  HttpClientOptions options = to_host("127.0.0.1", server.port(), "");
  options.connect_timeout = 80ms;
  auto pool = std::move(*HttpClientPool::open(loop.executor(), loop.clock(), std::move(options)));
  const Outcome outcome = co_await post(loop, *pool, "x");
  CHECK(outcome.fault == fault);
  CHECK(outcome.phase == Phase::notSent);
  server.stop();
  co_await pool->close();
}

TEST_CASE("a peer that speaks no TLS, closes or stalls in the handshake") {
  const auto plain = [](RawSocket socket) -> async::Task<> {
    co_await socket.read_some();
    co_await socket.send("HTTP/1.1 400 Bad Request\r\n\r\n");
    socket.close();
  };
  const auto closing = [](RawSocket socket) -> async::Task<> {
    co_await socket.read_some();
    socket.reset();
  };
  const auto stalling = [](RawSocket socket) -> async::Task<> { co_await socket.read_to_end(); };
  Loop one;
  RawServer plain_server(one, plain);
  CHECK(one.run(test_no_tls(one, plain_server, Fault::tlsHandshake)));
  Loop two;
  RawServer closing_server(two, closing);
  CHECK(two.run(test_no_tls(two, closing_server, Fault::tlsHandshake)));
  Loop three;
  RawServer stalling_server(three, stalling);
  CHECK(three.run(test_no_tls(three, stalling_server, Fault::connectTimeout)));
}

TEST_CASE("a CA file that cannot be read is a configuration error") {
  Loop loop;
  const auto pool = HttpClientPool::open(loop.executor(), loop.clock(),
                                         to_host("localhost", 1, "/nonexistent/ca.pem"));
  REQUIRE_FALSE(pool.ok());
  CHECK(pool.error().code == Code::config_invalid);
  CHECK(pool.error().detail.find("/nonexistent/ca.pem") != std::string::npos);
}

}  // namespace
}  // namespace weir::net
