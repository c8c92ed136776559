// SPDX-License-Identifier: Apache-2.0
// Every spelling of an address that must not be called is refused when it is read, or judged by the
// address that the connection would go to.
#include "app/egress_gate.h"

#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "net/testing/client_calls.h"

namespace weir::app {
namespace {

using namespace std::chrono_literals;
using net::testing::Loop;
using net::testing::open_pool;

using Octets = std::array<unsigned, 4>;

// The texts that inet_aton and others read as the address.
std::vector<std::string> v4_spellings(const Octets& a) {
  const unsigned whole = a[0] << 24 | a[1] << 16 | a[2] << 8 | a[3];
  const unsigned low3 = a[1] << 16 | a[2] << 8 | a[3];
  const unsigned low2 = a[2] << 8 | a[3];
  const std::string dotted = fmt::format("{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
  return {dotted,
          dotted + ".",
          dotted + "..",
          fmt::format("{}", whole),
          fmt::format("{}", 0x100000000ull + whole),
          fmt::format("0x{:x}", whole),
          fmt::format("0X{:X}", whole),
          fmt::format("0x00000000{:08x}", whole),
          fmt::format("0{:o}", whole),
          fmt::format("000{:o}", whole),
          fmt::format("{}.{}", a[0], low3),
          fmt::format("{}.{}.{}", a[0], a[1], low2),
          fmt::format("0x{:x}.{}", a[0], low3),
          fmt::format("0{:o}.{}.{}", a[0], a[1], low2),
          fmt::format("0x{:x}.0x{:x}.0x{:x}.0x{:x}", a[0], a[1], a[2], a[3]),
          fmt::format("0{:o}.0{:o}.0{:o}.0{:o}", a[0], a[1], a[2], a[3]),
          fmt::format("{:03}.{:03}.{:03}.{:03}", a[0], a[1], a[2], a[3]),
          fmt::format("0{:04o}.{}.0x{:x}.{}", a[0], a[1], a[2], a[3]),
          fmt::format("{}.{}.{}.{}", a[0] + 256, a[1], a[2], a[3] + 256),
          fmt::format("{}%2e{}%2e{}%2e{}", a[0], a[1], a[2], a[3]),
          fmt::format("%3{}.{}.{}.{}", a[0] / 100, a[1], a[2], a[3]),
          fmt::format("{}。{}。{}。{}", a[0], a[1], a[2], a[3]),
          fmt::format("{},{},{},{}", a[0], a[1], a[2], a[3]),
          fmt::format("[{}]", dotted),
          fmt::format("example.com@{}", dotted),
          fmt::format("{}@example.invalid", dotted),
          fmt::format("a:b@{}", dotted),
          fmt::format("example.invalid\\@{}", dotted),
          fmt::format("{}#@example.invalid", dotted),
          dotted + ":",
          dotted + ":0",
          dotted + ":99999",
          dotted + ":80:80"};
}

std::vector<std::string> v6_spellings(const Octets& a) {
  const std::string dotted = fmt::format("{}.{}.{}.{}", a[0], a[1], a[2], a[3]);
  const std::string groups = fmt::format("{:x}:{:x}", a[0] << 8 | a[1], a[2] << 8 | a[3]);
  return {"[::ffff:" + dotted + "]",
          "[::FFFF:" + groups + "]",
          "[0:0:0:0:0:ffff:" + groups + "]",
          "[0000:0000:0000:0000:0000:ffff:" + groups + "]",
          "[::" + dotted + "]",
          "[::" + groups + "]",
          "[::ffff:0:" + groups + "]",
          "[64:ff9b::" + dotted + "]",
          "[64:ff9b::" + groups + "]",
          "[64:ff9b:1::" + groups + "]",
          "[2002:" + groups + "::]",
          "[2002:" + groups + "::1]",
          "[::ffff:" + dotted + "%25lo]",
          "::ffff:" + dotted,
          "[::ffff:" + dotted};
}

std::vector<std::string> urls() {
  std::vector<std::string> all;
  for (const Octets& address :
       {Octets{169, 254, 169, 254}, Octets{127, 0, 0, 1}, Octets{0, 0, 0, 0}}) {
    for (const std::string& host : v4_spellings(address)) all.push_back("http://" + host + "/");
    for (const std::string& host : v6_spellings(address)) all.push_back("http://" + host + "/");
  }
  for (const char* text : {"http://localhost/",
                           "HTTP://LOCALHOST/",
                           "http://LocalHost:80/",
                           "http://localhost./",
                           "http://127.0.0.2/",
                           "http://127.255.255.254/",
                           "http://[::1]/",
                           "http://[0:0:0:0:0:0:0:1]/",
                           "http://[::0001]:80/",
                           "http://[::1%25lo]/",
                           "http://[::1%lo]/",
                           "http://[::]/",
                           "http://[fe80::1]/",
                           "http://[fe80::1%25eth0]/",
                           "http://[FD00:EC2::254]/",
                           "http://[fd00:ec2:0:0:0:0:0:254]/",
                           "http://[fd20:ce::254]/",
                           "http://[ff02::1]/",
                           "http://[fec0::1]/",
                           "http://100.100.100.200/",
                           "http://168.63.129.16/",
                           "http://224.0.0.1/",
                           "http://255.255.255.255/",
                           "http://0/",
                           "http://0x0/",
                           "http://0.0/",
                           "HTTPS://169.254.169.254/",
                           "hTTp://169.254.169.254/",
                           "gopher://127.0.0.1/",
                           "file:///etc/passwd",
                           "unix:///run/x.sock",
                           "http+unix://%2frun%2fx/",
                           "ftp://127.0.0.1/",
                           "dict://127.0.0.1/",
                           "ldap://127.0.0.1/",
                           "jar:http://127.0.0.1!/",
                           "javascript:0",
                           "data:,x",
                           "http:127.0.0.1",
                           "http:/127.0.0.1",
                           "//127.0.0.1/",
                           "http:///127.0.0.1/",
                           "http:\\\\127.0.0.1\\",
                           " http://127.0.0.1/",
                           "http://127.0.0.1 /",
                           "http://127.0.0.1\t/",
                           "http://127.0.0.1\r\nHost: a/",
                           "http://127.0.0.1\n/",
                           "http://\x00/",
                           "http://",
                           "http://./",
                           "http://?@127.0.0.1/",
                           "http://①②⑦.0.0.1/",
                           "http://[::1]]/",
                           "http://[[::1]]/"})
    all.emplace_back(text);
  return all;
}

async::Task<> call(Loop& loop, net::Url url, net::EgressCheck egress, Outcome& outcome) {
  auto pool = open_pool(loop, {.url = std::move(url), .egress = std::move(egress)});
  outcome = co_await net::testing::post(loop, *pool);
  co_await pool->close();
}

TEST_CASE("no spelling of a forbidden address is connected to") {
  EgressGate gate;
  gate.apply(Config{});
  std::size_t judged = 0;
  const std::vector<std::string> all = urls();
  CHECK(all.size() >= 150);
  for (const std::string& text : all) {
    CAPTURE(text);
    auto url = net::parse_url(text);
    if (!url.ok()) continue;
    ++judged;
    Loop loop;
    Outcome outcome;
    CHECK(loop.run(call(loop, *url, gate.for_plan(*url), outcome)));
    const bool unknown = outcome.fault == Fault::dnsNotFound ||
                         outcome.fault == Fault::dnsTemporary;
    CHECK((outcome.fault == Fault::egressRefused || unknown));
    CHECK(outcome.phase == Phase::notSent);
  }
  CHECK(judged >= 40);  // the others are refused when they are read
}

Config with_dependency(const char* url) {
  Config config;
  config.dependencies.push_back({.name = "tracker", .url = url});
  return config;
}

bool may(const net::EgressCheck& check, const char* address, std::uint16_t port) {
  return check({address, port}).empty();
}

TEST_CASE("a dependency's line lists its own loopback address, and for plans only its port") {
  EgressGate gate;
  gate.apply(with_dependency("http://127.0.0.1:9900"));
  const net::Url tracker = net::parse_url("http://127.0.0.1:9900/healthz").value();
  const net::Url other = net::parse_url("http://127.0.0.1:9901/healthz").value();
  const net::Url named = net::parse_url("http://localhost:9900/healthz").value();
  const net::Url far = net::parse_url("http://tracker.example:9900/").value();
  CHECK(may(gate.for_dependency(tracker), "127.0.0.1", 9900));
  CHECK(may(gate.for_plan(tracker), "127.0.0.1", 9900));
  CHECK_FALSE(may(gate.for_plan(other), "127.0.0.1", 9901));
  CHECK_FALSE(may(gate.for_plan(named), "127.0.0.1", 9900));
  CHECK_FALSE(may(gate.for_dependency(far), "127.0.0.1", 9900));  // a name that was bent
  CHECK_FALSE(may(gate.for_dependency(tracker), "169.254.169.254", 9900));
}

TEST_CASE("checks that were handed out follow the rules in force") {
  EgressGate gate;
  Config config = with_dependency("http://127.0.0.1:9900");
  gate.apply(config);
  const net::Url tracker = net::parse_url("http://127.0.0.1:9900").value();
  const net::EgressCheck check = gate.for_dependency(tracker);
  const net::EgressCheck plan = gate.for_plan(tracker);
  CHECK(may(check, "127.0.0.1", 9900));
  config.egress.deny = {"127.0.0.0/8"};
  gate.apply(config);
  CHECK_FALSE(may(check, "127.0.0.1", 9900));
  config = Config{};
  gate.apply(config);
  CHECK(may(check, "127.0.0.1", 9900));
  CHECK_FALSE(may(plan, "127.0.0.1", 9900));
  gate.set_own("127.0.0.1", 9900);
  CHECK_FALSE(may(check, "127.0.0.1", 9900));
  gate.apply(config);
  CHECK_FALSE(may(check, "127.0.0.1", 9900));
}

TEST_CASE("a listener on every address makes each of them its own") {
  EgressGate gate;
  gate.apply(Config{});
  const net::Url far = net::parse_url("http://192.0.2.1:9900").value();
  const net::EgressCheck check = gate.for_dependency(far);
  gate.set_own("0.0.0.0", 9900);
  CHECK_FALSE(may(check, "127.0.0.1", 9900));
  CHECK(may(check, "192.0.2.1", 9900));
  gate.set_own("192.0.2.1", 9900);
  CHECK_FALSE(may(check, "192.0.2.1", 9900));
}

}  // namespace
}  // namespace weir::app
