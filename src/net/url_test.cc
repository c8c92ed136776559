// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <doctest/doctest.h>

namespace weir::net {
namespace {

TEST_CASE("a URL is taken apart") {
  const auto plain = parse_url("http://Tracker.local:9900/api/v1?x=1");
  REQUIRE(plain.ok());
  CHECK(*plain == Url{.https = false,
                      .host = "tracker.local",
                      .port = 9900,
                      .path = "/api/v1",
                      .query = "x=1"});
  const auto secure = parse_url("HTTPS://example.com");
  REQUIRE(secure.ok());
  CHECK(*secure == Url{.https = true, .host = "example.com", .port = 443, .path = "", .query = ""});
  const auto six = parse_url("http://[::1]:8600/");
  REQUIRE(six.ok());
  CHECK(six.value().host == "::1");
  CHECK(six.value().authority() == "[::1]:8600");
  CHECK(parse_url("http://[::1]").value().authority() == "[::1]");
  CHECK(parse_url("https://a:443").value().authority() == "a");
  CHECK(parse_url("https://a:80").value().authority() == "a:80");
  CHECK(parse_url("http://a?x").value().query == "x");
}

TEST_CASE("a URL that cannot be meant is refused with its reason") {
  struct Row {
    const char* text;
    const char* reason;
  };
  const Row rows[] = {
      {"", "scheme"},
      {"localhost:80", "scheme"},
      {"ftp://a", "only http"},
      {"unix:///tmp/x", "only http"},
      {"http://", "host is missing"},
      {"http:///x", "host is missing"},
      {"http://a:b@c", "user and password"},
      {"http://a:0", "port"},
      {"http://a:65536", "port"},
      {"http://a:8x", "port"},
      {"http://a:", "port"},
      {"http://[::1", "']'"},
      {"http://[::1]x", "after ']'"},
      {"http://[abc]", "IPv6"},
      {"http://a b", "blanks"},
      {"http://a/\r\nX: y", "blanks"},
      {"http://a#f", "fragment"},
      {"http://a\xc3\xa9", "non-ASCII"},
      {"http://a$b", "host name"},
      {"http://2130706433", "IPv4"},
      {"http://127.1/", "IPv4"},
      {"http://[fe80::1%25eth0]/", "IPv6"},
  };
  for (const Row& row : rows) {
    INFO(std::string(row.text));
    const auto url = parse_url(row.text);
    REQUIRE_FALSE(url.ok());
    CHECK(url.error().code == Code::invalid_argument);
    CHECK(url.error().detail.find(row.reason) != std::string::npos);
  }
  CHECK(parse_url("http://a/" + std::string(8192 - 9, 'x')).ok());
  CHECK_FALSE(parse_url("http://a/" + std::string(8192 - 8, 'x')).ok());
}

TEST_CASE("paths are joined by one slash") {
  CHECK(join_paths("", "/sync") == "/sync");
  CHECK(join_paths("/", "/sync") == "/sync");
  CHECK(join_paths("/api/", "/sync") == "/api/sync");
  CHECK(join_paths("/api", "sync") == "/api/sync");
  CHECK(join_paths("/api", "") == "/api");
  CHECK(join_paths("", "") == "/");
  CHECK(join_paths("", "?a=b") == "/?a=b");
}

}  // namespace
}  // namespace weir::net
