// SPDX-License-Identifier: Apache-2.0
#include "wire/host_name.h"

#include <string>

#include <doctest/doctest.h>

namespace weir::wire {
namespace {

TEST_CASE("a host is a name, a plain IPv4 address, or an IPv6 address in brackets") {
  for (const char* good :
       {"a", "example.com", "EXAMPLE.com.", "a-b_c.example", "127.0.0.1", "255.255.255.255",
        "0.0.0.0", "1.example", "0x7f.example", "1e100.net", "xn--bcher-kva.example"}) {
    CAPTURE(good);
    CHECK(host_fault(good, false).empty());
  }
  for (const char* good : {"::1", "::", "2001:db8::1", "::ffff:127.0.0.1", "FE80::1"}) {
    CAPTURE(good);
    CHECK(host_fault(good, true).empty());
  }
  CHECK(host_fault(std::string(63, 'a') + ".b", false).empty());
}

TEST_CASE("a text that only some read as an address is no host") {
  for (const char* bad :
       {"",           ".",          "..",          "a..b",      ".a",         "127.1",
        "127.0.1",    "2130706433", "0x7f000001",  "0X7F.1",    "0177.0.0.1", "0x7f.0x0.0x0.0x1",
        "127.0.0.01", "127.0.0.1.", "127.0.0.256", "1.2.3.4.5", "a.1",        "a.0x1",
        "0",          "1.2.3.0x",   "a$b",         "a%2eb",     "[::1",       "a:b",
        "a b",        "a\\b",       "a/b",         "a@b",       "a,b"}) {
    CAPTURE(bad);
    CHECK_FALSE(host_fault(bad, false).empty());
  }
  for (const char* bad :
       {"", "1", "127.0.0.1", "fe80::1%eth0", "fe80::1%25eth0", "::g", "a:b:c.x"}) {
    CAPTURE(bad);
    CHECK_FALSE(host_fault(bad, true).empty());
  }
  CHECK_FALSE(host_fault(std::string(64, 'a') + ".b", false).empty());
  CHECK_FALSE(host_fault(std::string(252, 'a') + ".b", false).empty());
}

}  // namespace
}  // namespace weir::wire
