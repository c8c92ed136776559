// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

using namespace std::string_literals;

const std::vector<std::string> kStreams = {"github", "orders", "payments"};

TEST_CASE("edit distance counts changes, insertions, deletions and swapped neighbours") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("abc", "abc") == 0);
  CHECK(edit_distance("abc", "") == 3);
  CHECK(edit_distance("abc", "axc") == 1);
  CHECK(edit_distance("abc", "abxc") == 1);
  CHECK(edit_distance("abc", "ac") == 1);
  CHECK(edit_distance("abcd", "abdc") == 1);
  CHECK(edit_distance("ca", "abc") == 3);  // optimal string alignment: no edit of a swapped pair
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("edit distance is symmetric and bounded by the longer text") {
  CHECK(rc::check("metric", [](const std::string& a, const std::string& b) {
    const auto distance = edit_distance(a, b);
    RC_ASSERT(distance == edit_distance(b, a));
    RC_ASSERT(distance <= std::max(a.size(), b.size()));
    RC_ASSERT(distance >= std::max(a.size(), b.size()) - std::min(a.size(), b.size()));
    RC_ASSERT((distance == 0) == (a == b));
  }));
}

TEST_CASE("the nearest name is one that could have been meant") {
  CHECK(nearest("githb", kStreams) == "github");
  CHECK(nearest("GitHub", kStreams) == "github");
  CHECK(nearest("order", kStreams) == "orders");
  CHECK(nearest("paymetns", kStreams) == "payments");
  CHECK_FALSE(nearest("invoices", kStreams));
  CHECK_FALSE(nearest("gb", kStreams));
  CHECK_FALSE(nearest("", kStreams));
  CHECK_FALSE(nearest("x", {}));
  // A long word may be three letters off, not four.
  CHECK(nearest("deliverys", std::vector{"delivered"s, "deliveries"s}) == "deliveries");
  CHECK(nearest("deliverys", std::vector{"deliveries"s, "delivered"s}) == "deliveries");
  CHECK(nearest("abcdefghijkl", std::vector{"abcdefghixyz"s}) == "abcdefghixyz");
  CHECK_FALSE(nearest("abcdefghijkl", std::vector{"abcdefghwxyz"s}));
  // Of two, the nearer one.
  CHECK(nearest("orderz", std::vector{"ordexx"s, "orders"s}) == "orders");
}

TEST_CASE("a word of any length is compared in no time") {
  CHECK_FALSE(nearest(std::string(5'000'000, 'x'), kStreams));
}

TEST_CASE("did you mean, or what is known") {
  CHECK(did_you_mean("githb", kStreams) == "did you mean 'github'?");
  CHECK(did_you_mean("zzz", kStreams) == "known: github, orders, payments");
  CHECK(did_you_mean("zzz", {}) == "");
  const std::vector<std::string> many = {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"};
  CHECK(did_you_mean("zzzzzz", many) == "known: a1, a2, a3, a4, a5, a6, a7, a8, …");
}

TEST_CASE("case is ignored in ASCII only") {
  CHECK(equals_ignore_case("Content-TYPE", "content-type"));
  CHECK_FALSE(equals_ignore_case("a", "ab"));
  CHECK_FALSE(equals_ignore_case("\xC3\x84", "\xC3\xA4"));  // Ä, ä
  CHECK_FALSE(equals_ignore_case("@", "`"));
  CHECK(to_lower("AbZ[\xC3\x84") == "abz[\xC3\x84");
}

TEST_CASE("UTF-8 is checked strictly") {
  struct Row {
    std::string text;
    bool valid;
  };
  const std::vector<Row> rows = {
      {"", true},
      {"plain", true},
      {"\0"s, true},
      {"\xC2\x80", true},               // the first of two bytes
      {"\xDF\xBF", true},               // the last
      {"\xE0\xA0\x80", true},           // the first of three
      {"\xED\x9F\xBF", true},           // just below the surrogates
      {"\xEE\x80\x80", true},           // just above
      {"\xF0\x90\x80\x80", true},       // the first of four
      {"\xF4\x8F\xBF\xBF", true},       // U+10FFFF
      {"\xF4\x90\x80\x80", false},      // above it
      {"\xF5\x80\x80\x80", false},      //
      {"\xC0\x80", false},              // overlong
      {"\xC1\xBF", false},              //
      {"\xE0\x9F\xBF", false},          //
      {"\xF0\x8F\xBF\xBF", false},      //
      {"\xED\xA0\x80", false},          // surrogates
      {"\xED\xBF\xBF", false},          //
      {"\x80", false},                  // continuation without a start
      {"\xC2", false},                  // cut off
      {"\xE2\x82", false},              //
      {"\xF0\x9F\x98", false},          //
      {"\xC2x", false},                 // no continuation
      {"\xE2\x82x", false},             //
      {"\xFE", false},                  //
      {"\xFF", false},                  //
      {"good \xF0\x9F\x98\x80", true},  //
      {"good \xF0\x9F\x98\x80\xFF", false},
  };
  for (const Row& row : rows) {
    CAPTURE(printable(row.text));
    CHECK(is_valid_utf8(row.text) == row.valid);
  }
}

TEST_CASE("what could play tricks on a terminal is made visible") {
  CHECK(printable("plain text: ä 😀") == "plain text: ä 😀");
  CHECK(printable("\x1B[31mred\x1B[0m") == "\\u{1b}[31mred\\u{1b}[0m");
  CHECK(printable("a\nb\rc\td") == "a\\nb\\u{d}c\\u{9}d");
  CHECK(printable("\0"s) == "\\u{0}");
  CHECK(printable("\x7F") == "\\u{7f}");
  CHECK(printable("\xC2\x9B") == "\\u{9b}");  // CSI in one byte of Latin-1
  CHECK(printable("a\xE2\x80\xAE"
                  "b") == "a\\u{202e}b");           // right-to-left override
  CHECK(printable("\xD8\x9C") == "\\u{61c}");       // Arabic letter mark
  CHECK(printable("\xE2\x80\xA8") == "\\u{2028}");  // line separator
  CHECK(printable("\xEF\xBB\xBF") == "\\u{feff}");
  CHECK(printable("\xE2\x80\x8B") == "\\u{200b}");       // zero width space
  CHECK(printable("\xE2\x80\x8D") == "\\u{200d}");       // zero width joiner
  CHECK(printable("\xE2\x81\xA0") == "\\u{2060}");       // word joiner
  CHECK(printable("\xF3\xA0\x81\x81") == "\\u{e0041}");  // a tag, which nothing shows
  CHECK(printable("a\xFF"
                  "b\xC3") == "a\\xffb\\xc3");
}

TEST_CASE("printable text is valid UTF-8 without controls, whatever it was made from") {
  CHECK(rc::check("printable", [](const std::vector<std::uint8_t>& bytes) {
    const std::string shown = printable(std::string(bytes.begin(), bytes.end()));
    RC_ASSERT(is_valid_utf8(shown));
    for (const char c : shown) RC_ASSERT(static_cast<unsigned char>(c) >= 0x20);
    RC_ASSERT(printable(shown) == shown);
  }));
}

}  // namespace
}  // namespace weir
