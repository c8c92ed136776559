// SPDX-License-Identifier: Apache-2.0
#include "policy/egress.h"

#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace weir::policy {
namespace {

constexpr std::uint16_t kPort = 80;

// The dotted text as the two last groups of an IPv6 address.
std::string groups_of(const char* v4) {
  const auto bytes = parse_ip(v4).value().bytes;
  return fmt::format("{:x}:{:x}", bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]);
}

// Every way in which an IPv6 address carries an IPv4 one.
std::vector<std::string> disguises(const char* v4) {
  const std::string groups = groups_of(v4);
  const auto bytes = parse_ip(v4).value().bytes;
  const std::string inverted = fmt::format("{:x}:{:x}", ~(bytes[0] << 8 | bytes[1]) & 0xFFFF,
                                           ~(bytes[2] << 8 | bytes[3]) & 0xFFFF);
  return {v4,
          "::ffff:" + std::string(v4),
          "::FFFF:" + groups,
          "0:0:0:0:0:ffff:" + groups,
          "::" + groups,
          "::ffff:0:" + groups,
          "64:ff9b::" + groups,
          "64:ff9b::" + std::string(v4),
          "64:ff9b:1::" + groups,
          "2002:" + groups + "::",
          "2002:" + groups + ":1:2:3:4:5",
          "2001:0:1:2:3:4:" + inverted};
}

TEST_CASE("metadata, link-local and other special addresses are denied in every form, always") {
  const Egress open(EgressSpec{.allow = {"0.0.0.0/0", "::/0"}});
  for (const char* v4 : {"169.254.169.254", "169.254.0.1", "169.254.170.2", "100.100.100.200",
                         "168.63.129.16", "0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255",
                         "255.255.255.255", "240.0.0.1", "192.0.0.192"}) {
    for (const std::string& text : disguises(v4)) {
      CAPTURE(text);
      CHECK_FALSE(open.refusal(text, kPort, true).empty());
    }
  }
  for (const char* v6 : {"::", "fe80::1", "febf:ffff::1", "fec0::1", "ff02::1", "ff0e::1",
                         "fd00:ec2::254", "FD00:0EC2:0:0:0:0:0:254", "fd20:ce::254"}) {
    CAPTURE(v6);
    CHECK_FALSE(open.refusal(v6, kPort, true).empty());
  }
}

TEST_CASE("loopback in any form needs to be listed") {
  const Egress plain(EgressSpec{});
  const Egress listed(EgressSpec{.allow = {"127.0.0.0/8", "::1"}});
  for (const char* v4 : {"127.0.0.1", "127.1.2.3", "127.255.255.254"}) {
    for (const std::string& text : disguises(v4)) {
      CAPTURE(text);
      CHECK_FALSE(plain.refusal(text, kPort, false).empty());
      CHECK(plain.refusal(text, kPort, true).empty());
      CHECK(listed.refusal(text, kPort, false).empty());
    }
  }
  CHECK_FALSE(plain.refusal("::1", kPort, false).empty());
  CHECK(plain.refusal("::1", kPort, true).empty());
  CHECK(listed.refusal("0:0:0:0:0:0:0:1", kPort, false).empty());
}

TEST_CASE("other addresses are allowed, deny takes from them, allow gives back") {
  const Egress plain(EgressSpec{});
  for (const char* address : {"10.1.2.3", "192.168.0.1", "8.8.8.8", "2001:db8::1", "fd12::1"}) {
    CAPTURE(address);
    CHECK(plain.refusal(address, kPort, false).empty());
  }
  const Egress strict(EgressSpec{.allow = {"10.1.0.0/16"}, .deny = {"0.0.0.0/0", "::/0"}});
  CHECK(strict.refusal("10.1.2.3", kPort, false).empty());
  CHECK(strict.refusal("10.2.2.3", kPort, false) == "10.2.2.3 is in egress.deny");
  CHECK_FALSE(strict.refusal("2001:db8::1", kPort, false).empty());
  CHECK_FALSE(strict.refusal("127.0.0.1", kPort, true).empty());  // a ban goes before a listing
}

TEST_CASE("Weir never calls its own listener") {
  Egress egress(EgressSpec{.allow = {"127.0.0.0/8", "::1", "10.0.0.0/8"}});
  egress.set_own({"127.0.0.1"}, 8600);
  for (const std::string& text : disguises("127.0.0.1"))
    CHECK(egress.refusal(text, 8600, true) == text + ":8600 is where Weir itself listens");
  CHECK_FALSE(egress.refusal("127.0.0.2", 8600, true).empty());
  CHECK_FALSE(egress.refusal("::1", 8600, true).empty());
  CHECK(egress.refusal("127.0.0.1", 8601, true).empty());
  CHECK(egress.refusal("10.0.0.1", 8600, true).empty());
  egress.set_own({"localhost", "10.0.0.1", "2001:db8::1"}, 8600);
  CHECK_FALSE(egress.refusal("10.0.0.1", 8600, false).empty());
  CHECK_FALSE(egress.refusal("::ffff:10.0.0.1", 8600, false).empty());
  CHECK_FALSE(egress.refusal("2001:db8::1", 8600, false).empty());
  CHECK_FALSE(egress.refusal("127.0.0.1", 8600, true).empty());
  CHECK(egress.refusal("10.0.0.2", 8600, false).empty());
}

TEST_CASE("what cannot be judged is refused") {
  const Egress open(EgressSpec{.allow = {"0.0.0.0/0", "::/0"}});
  for (const char* text :
       {"", "localhost", "fe80::1%eth0", "::1%lo", "127.1", "1.2.3.4.5", "0x7f.1"})
    CHECK_FALSE(open.refusal(text, kPort, true).empty());
}

TEST_CASE("hosts that are written as loopback") {
  for (const char* host : {"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"})
    CHECK(is_loopback_host(host));
  for (const char* host : {"localhost.", "example.com", "10.0.0.1", "::", "::2", "127.1"})
    CHECK_FALSE(is_loopback_host(host));
}

}  // namespace
}  // namespace weir::policy
