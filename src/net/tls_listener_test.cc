// SPDX-License-Identifier: Apache-2.0
#include "net/tls_listener.h"

#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/testing/certificates.h"
#include "net/testing/raw_peer.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;
using testing::CertificateFiles;
using testing::CertificateSpec;
using testing::Loop;
using testing::RawSocket;
using testing::TestAuthority;

// A server over TLS that answers with what it knows of the peer's certificate.
struct TlsBench {
  explicit TlsBench(HttpServerOptions options = {})
      : server(loop.executor(), loop.clock(), options,
               [this](HttpRequest request) { return answer(std::move(request)); }) {
    use(authority.issue({}));
    REQUIRE(server.listen("127.0.0.1", 0).ok());
  }

  void use(const CertificateFiles& files, ClientCertificate clients = ClientCertificate::none) {
    auto listener = load_tls_listener({.certificate = files.certificate,
                                       .key = files.key,
                                       .client_ca = authority.ca_file(),
                                       .clients = clients},
                                      loop.clock().wall());
    REQUIRE(listener.ok());
    server.use_tls(*std::move(listener));
  }

  async::Task<HttpResponse> answer(HttpRequest request) {
    HttpResponse response{.status = 200, .body = request.method + " " + request.body};
    for (const std::string& name : request.peer_names) response.body += " " + name;
    co_return response;
  }

  std::unique_ptr<HttpClientPool> client() {
    HttpClientOptions options;
    options.url = Url{.https = true, .host = "localhost", .port = server.port()};
    options.ca_file = authority.ca_file();
    options.answer.keep_success_body = true;
    return std::move(*HttpClientPool::open(loop.executor(), loop.clock(), std::move(options)));
  }

  async::Task<Outcome> ask(HttpClientPool& pool, std::string body) {
    HttpCall call;
    call.target = "/";
    call.body = body;
    call.deadline = loop.clock().mono() + 5s;
    co_return co_await pool.call(call);
  }

  async::Task<> end() { return server.drain(loop.clock().mono() + 50ms); }

  Loop loop;
  TestAuthority authority;
  HttpServer server;
};

async::Task<> test_requests(TlsBench& bench) {
  auto pool = bench.client();
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = co_await bench.ask(*pool, std::string(200'000, 'x'));
    INFO(outcome.fault_detail);
    CHECK(outcome.status == 200);
  }
  CHECK(bench.server.counts().open == 1);
  CHECK(bench.server.counts().requests == 3);
  co_await pool->close();
  co_await bench.end();
}

TEST_CASE("requests of any size come over one TLS connection") {
  TlsBench bench;
  CHECK(bench.loop.run(test_requests(bench)));
}

async::Task<> test_new_certificate(TlsBench& bench) {
  auto old_pool = bench.client();
  const Outcome first = co_await bench.ask(*old_pool, "a");
  CHECK(first.status == 200);
  bench.use(bench.authority.issue({.subject_alt_name = "DNS:elsewhere"}));
  const Outcome kept = co_await bench.ask(*old_pool, "b");
  CHECK(kept.status == 200);
  auto new_pool = bench.client();
  const Outcome refused = co_await bench.ask(*new_pool, "c");
  CHECK(refused.fault == Fault::tlsVerify);  // it is the new one, which is for another name
  co_await old_pool->close();
  co_await new_pool->close();
  co_await bench.end();
}

TEST_CASE("another certificate is for new connections; open ones go on") {
  TlsBench bench;
  CHECK(bench.loop.run(test_new_certificate(bench)));
}

async::Task<> test_slow_handshake(TlsBench& bench) {
  RawSocket silent = co_await RawSocket::connect(bench.loop, bench.server.port());
  RawSocket half = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await half.send(std::string("\x16\x03\x01\x02\x00", 5));  // a record that never comes whole
  const MonoTime began = bench.loop.clock().mono();
  CHECK(co_await silent.read_to_end() == "");
  CHECK(co_await half.read_to_end() == "");
  CHECK(bench.loop.clock().mono() - began < 2s);
  CHECK(bench.server.counts().open == 0);
  CHECK(bench.server.counts().handshake_failures == 2);
  co_await bench.end();
}

TEST_CASE("a handshake has no more time than a header") {
  TlsBench bench({.header_timeout = 60ms, .sweep_interval = 10ms});
  CHECK(bench.loop.run(test_slow_handshake(bench)));
}

async::Task<> test_plain_http(TlsBench& bench) {
  RawSocket client = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  client.half_close();
  const std::string answer = co_await client.read_to_end();
  CHECK(answer.starts_with("HTTP/1.1 400 "));
  CHECK(answer.find("https://") != std::string::npos);
  RawSocket noise = co_await RawSocket::connect(bench.loop, bench.server.port());
  co_await noise.send("\x01\x02\x03\x04\x05\x06\x07 and more of it");
  (void)co_await noise.read_to_end();
  CHECK(bench.server.counts().open == 0);
  CHECK(bench.server.counts().requests == 0);
  co_await bench.end();
}

TEST_CASE("who speaks HTTP without TLS is told so, who speaks neither is cut") {
  TlsBench bench;
  CHECK(bench.loop.run(test_plain_http(bench)));
}

async::Task<> test_full(TlsBench& bench) {
  auto pool = bench.client();
  const Outcome outcome = co_await bench.ask(*pool, "a");
  CHECK(outcome.status == 200);
  RawSocket second = co_await RawSocket::connect(bench.loop, bench.server.port());
  CHECK(co_await second.read_to_end() == "");
  CHECK(bench.server.counts().turned_away == 1);
  co_await pool->close();
  co_await bench.end();
}

TEST_CASE("above the cap a connection is closed without a word, which would need a handshake") {
  TlsBench bench({.connections = 1});
  CHECK(bench.loop.run(test_full(bench)));
}

async::Task<> test_required(TlsBench& bench) {
  auto pool = bench.client();
  const Outcome outcome = co_await bench.ask(*pool, "a");
  CHECK(outcome.fault != Fault::none);
  CHECK(bench.server.counts().requests == 0);
  co_await pool->close();
  co_await bench.end();
}

TEST_CASE("without a certificate nobody comes in where one is required") {
  TlsBench bench;
  bench.use(bench.authority.issue({}), ClientCertificate::required);
  CHECK(bench.loop.run(test_required(bench)));
}

// What is wrong with the files, or "".
std::string fault_of(const TlsListenerSpec& spec, WallTime now) {
  const auto listener = load_tls_listener(spec, now);
  if (listener.ok()) return "";
  CHECK(listener.error().code == Code::certificate_unusable);
  return listener.error().detail;
}

}  // namespace

TEST_CASE("every file that cannot be used is named with the reason") {
  Loop loop;
  TestAuthority authority;
  const WallTime now = loop.clock().wall();
  const CertificateFiles good = authority.issue({});
  const CertificateFiles other = authority.issue({});
  const CertificateFiles old = authority.issue({.valid_from_days = -9, .valid_to_days = -2});
  const CertificateFiles early = authority.issue({.valid_from_days = 2, .valid_to_days = 9});
  const std::string junk = authority.folder() + "/junk.pem";
  std::ofstream(junk) << "no certificate\n";
  const auto fault = [&](const std::string& certificate, const std::string& key) {
    return fault_of({.certificate = certificate, .key = key}, now);
  };
  CHECK(fault(good.certificate, good.key) == "");
  CHECK(fault("/nowhere/x.pem", good.key).starts_with("certificate '/nowhere/x.pem': No such"));
  CHECK(fault(good.certificate, "/nowhere/x.key").starts_with("key '/nowhere/x.key': No such"));
  CHECK(fault(junk, good.key).starts_with("certificate '" + junk + "': "));
  CHECK(fault(good.certificate, other.key).find("does not belong to") != std::string::npos);
  CHECK(fault(good.certificate, junk).find("key '" + junk) != std::string::npos);
  CHECK(fault(old.certificate, old.key).find("it has expired 20") != std::string::npos);
  CHECK(fault(early.certificate, early.key).find("it is valid from") != std::string::npos);
  CHECK(::chmod(good.key.c_str(), 0644) == 0);
  CHECK(fault(good.certificate, good.key).find("everybody on this machine") != std::string::npos);
  CHECK(::chmod(good.key.c_str(), 0640) == 0);
  CHECK(fault(good.certificate, good.key) == "");
  const TlsListenerSpec clients{.certificate = other.certificate,
                                .key = other.key,
                                .client_ca = junk,
                                .clients = ClientCertificate::optional};
  CHECK(fault_of(clients, now).find("clientCa '" + junk) != std::string::npos);
}

}  // namespace weir::net
