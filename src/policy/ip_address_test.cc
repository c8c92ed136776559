// SPDX-License-Identifier: Apache-2.0
#include "policy/ip_address.h"

#include <arpa/inet.h>

#include <fmt/format.h>

#include "policy/egress.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

// The system's own reader of addresses, to compare with.
std::optional<IpAddress> parsed_by_system(const std::string& text) {
  IpAddress address;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.v6 = true;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

struct Row {
  const char* text;
  bool good;
};

TEST_CASE("addresses are read as RFC 4291 writes them") {
  const Row rows[] = {
      {"0.0.0.0", true},
      {"255.255.255.255", true},
      {"10.0.0.1", true},
      {"256.0.0.1", false},
      {"10.0.0", false},
      {"10.0.0.0.1", false},
      {"10.0.0.", false},
      {".10.0.0.1", false},
      {"10..0.1", false},
      {"010.0.0.1", false},  // octal to some, decimal to others
      {"0x10.0.0.1", false},
      {"10.0.0.-1", false},
      {"10.0.0.+1", false},
      {" 10.0.0.1", false},
      {"10.0.0.1 ", false},
      {"", false},
      {"::", true},
      {"::1", true},
      {"1::", true},
      {"1:2:3:4:5:6:7:8", true},
      {"1:2:3:4:5:6:7::", true},
      {"::2:3:4:5:6:7:8", true},
      {"2001:DB8::8:800:200c:417a", true},
      {"::ffff:129.144.52.38", true},
      {"1:2:3:4:5:6:1.2.3.4", true},
      {"1::1.2.3.4", true},
      {"1:2:3:4:5:6:7", false},
      {"1:2:3:4:5:6:7:8:9", false},
      {"1:2:3:4:5:6:7:1.2.3.4", false},
      {"1::2::3", false},
      {":::", false},
      {":1", false},
      {"1:", false},
      {"1:2:3:4:5:6:7:8:", false},
      {"12345::", false},
      {"g::", false},
      {"1.2.3.4::", false},
      {"1.2.3.4:5::", false},
      {"::1.2.3.4:5", false},
      {"::1.2.3", false},
      {"fe80::1%eth0", false},
      {"[::1]", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const auto address = parse_ip(row.text);
    CHECK(address.has_value() == row.good);
    CHECK(address == parsed_by_system(row.text));
  }
  CHECK_FALSE(parse_ip(std::string(1 << 16, ':')));
  CHECK_FALSE(parse_ip(fmt::format("{}1::", std::string(1 << 16, '0'))));
}

TEST_CASE("the system reads the same addresses") {
  testing::holds("addresses", [](const std::vector<unsigned>& choices) {
    const std::string_view pieces[] = {":", "::", "1",   "ffff", ".",       "0",
                                       "a", "12", "255", "db8:", "1.2.3.4", "7:"};
    std::string text;
    for (const unsigned choice : choices) text += pieces[choice % std::size(pieces)];
    RC_ASSERT(parse_ip(text) == parsed_by_system(text));
  });
}

TEST_CASE("only what never leaves this machine is loopback") {
  for (const char* one : {"localhost", "127.0.0.1", "127.255.0.9", "::1"})
    CHECK(is_loopback_host(one));
  for (const char* one : {"", "0.0.0.0", "128.0.0.1", "::", "::2", "10.0.0.1", "127.evil.example",
                          "localhost.example.org", "2130706433"})
    CHECK_FALSE(is_loopback_host(one));
}

}  // namespace
}  // namespace weir::policy
