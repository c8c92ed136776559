// SPDX-License-Identifier: Apache-2.0
// The small codecs: base64, percent-encoding, attribute headers, URIs.
#include <array>

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include "wire/attribute_header.h"
#include "wire/base64.h"
#include "wire/percent.h"
#include "wire/uri.h"

namespace weir::wire {
namespace {

struct Pair {
  std::string_view plain;
  std::string_view coded;
};

// RFC 4648 section 10, and the two last digits of the alphabet.
constexpr auto kBase64 = std::to_array<Pair>({
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xFB\xFF\xFE", "+//+"},
});

TEST_CASE("base64 of the RFC") {
  for (const Pair& row : kBase64) {
    CHECK(base64_encode(row.plain) == row.coded);
    CHECK(base64_decode(row.coded) == row.plain);
  }
}

constexpr auto kNoBase64 = std::to_array<std::string_view>(
    {"Z", "Zg", "Zg=", "Zm9", "=", "====", "Z===", "=Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n",
     "Zm 9", "-_-_", "Zm9\xFF"});

TEST_CASE("base64 is strict") {
  for (const std::string_view text : kNoBase64) {
    CAPTURE(text);
    CHECK_FALSE(base64_decode(text).has_value());
  }
}

TEST_CASE("bytes survive base64, and each text has one spelling") {
  CHECK(rc::check("base64", [](const std::string& bytes) {
    RC_ASSERT(base64_decode(base64_encode(bytes)) == bytes);
    const auto decoded = base64_decode(bytes);
    if (decoded) RC_ASSERT(base64_encode(*decoded) == bytes);
  }));
}

TEST_CASE("percent-encoding") {
  CHECK(percent_encode("aZ0-._~ /ä\xFF%") == "aZ0-._~%20%2F%C3%A4%FF%25");
  CHECK(percent_decode("%41%c3%A4+%%25") == std::nullopt);
  CHECK(percent_decode("%41%c3%A4+%25") == "Aä+%");
  for (const std::string_view text : {"%", "%4", "%4g", "%g4", "a%", "% 41"}) {
    CAPTURE(text);
    CHECK_FALSE(percent_decode(text).has_value());
  }
  CHECK(rc::check("percent", [](const std::string& bytes) {
    RC_ASSERT(percent_decode(percent_encode(bytes)) == bytes);
  }));
}

TEST_CASE("query strings") {
  using Map = std::map<std::string, std::string, std::less<>>;
  const auto parsed = [](std::string_view query) {
    const auto result = parse_query(query);
    return result.ok() ? *result : Map{{"error", result.error().detail}};
  };
  CHECK(parsed("").empty());
  CHECK(parsed("a=1&b=x%20y+z&c") == Map{{"a", "1"}, {"b", "x y z"}, {"c", ""}});
  CHECK(parsed("a=1&a=2&&") == Map{{"a", "2"}});
  CHECK(parsed("a=b=c&=d") == Map{{"a", "b=c"}, {"", "d"}});
  CHECK(parsed("a=%2B%26") == Map{{"a", "+&"}});
  CHECK(parsed("a=%2") == Map{{"error", "the query string has a '%' without two hex digits"}});
  CHECK(parsed("%zz=1") == Map{{"error", "the query string has a '%' without two hex digits"}});
}

struct HeaderRow {
  std::string_view header;
  std::optional<std::string_view> value;
};

constexpr auto kHeaders = std::to_array<HeaderRow>({
    {"plain", "plain"},
    {"a b", "a b"},
    {"a%20b", "a b"},
    {"%2520", "%20"},
    {"\"a b\"", "a b"},
    {R"("a \"b\" \\ \c")", R"(a "b" \ c)"},
    {"\"a%20b\"", "a b"},
    {"\"\"", ""},
    {"\"", "\""},
    {"a\"b\"", "a\"b\""},
    {"\"a\" \"b\"", "\"a\" \"b\""},
    {"\"a\\\"", "\"a\\\""},
    {"a%", std::nullopt},
    {"\"a%\"", std::nullopt},
});

TEST_CASE("attribute headers are unquoted, then percent-decoded once") {
  for (const HeaderRow& row : kHeaders) {
    CAPTURE(row.header);
    CHECK(decode_attribute_header(row.header) == row.value);
    if (!needs_decoding(row.header)) CHECK(row.header == row.value);
  }
}

TEST_CASE("any value survives the way through a header") {
  CHECK(rc::check("header", [](const std::string& value) {
    std::string header;
    append_attribute_header(header, value);
    RC_ASSERT(decode_attribute_header(header) == value);
    const auto printable = [](char c) { return c > ' ' && c <= '~' && c != '"'; };
    RC_ASSERT(std::ranges::all_of(header, printable));
  }));
}

struct UriRow {
  std::string_view text;
  bool reference;
  bool absolute;
};

constexpr auto kUris = std::to_array<UriRow>({
    {"", true, false},
    {"/cloudevents/spec/pull/123", true, false},
    {"1-555-123-4567", true, false},
    {"urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66", true, true},
    {"mailto:cncf-wg-serverless@lists.cncf.io", true, true},
    {"https://user@example.com:8080/a;b/c?d=e&f#g/h?", true, true},
    {"http://[2001:db8::7]:80/x", true, true},
    {"//[::1]/x", true, false},
    {"../a:b", true, false},
    {"?a:b", true, false},
    {"#", true, false},
    {"x:", true, true},
    {"a+b-c.d1:x", true, true},
    {"/%C3%A4", true, false},
    {"/ä", true, false},
    {"1a:b", false, false},
    {":", false, false},
    {"a b", false, false},
    {"a\"b", false, false},
    {"a<b>", false, false},
    {"a\\b", false, false},
    {"{x}", false, false},
    {"/%", false, false},
    {"/%4", false, false},
    {"/%4G", false, false},
    {"a#b#c", false, false},
    {"/a[0]", false, false},
    {"http://x/[y]", false, false},
    {"http://[::1]/[", false, false},
    {"http://]x[/", false, false},
    {"http://[[::1]]/", false, false},
    {"/?q=//[x]", false, false},
    {"a\n", false, false},
});

TEST_CASE("URI references and absolute URIs") {
  for (const UriRow& row : kUris) {
    CAPTURE(row.text);
    CHECK(is_uri_reference(row.text) == row.reference);
    CHECK(is_absolute_uri(row.text) == row.absolute);
  }
}

}  // namespace
}  // namespace weir::wire
