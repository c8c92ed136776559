// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

using namespace std::string_literals;

TEST_CASE("the layout is little-endian, LEB128 and length-prefixed") {
  ByteWriter out;
  out.u8(0xAB);
  out.u32(0x01020304);
  out.u64(0x0102030405060708);
  out.varint(0);
  out.varint(127);
  out.varint(300);
  out.text("hi");
  out.raw("!");
  CHECK(std::move(out).take() ==
        "\xAB\x04\x03\x02\x01\x08\x07\x06\x05\x04\x03\x02\x01\x00\x7F\xAC\x02\x02hi!"s);
}

TEST_CASE("what was written is read back") {
  CHECK(rc::check("round trip", [](std::uint8_t a, std::uint32_t b, std::uint64_t c,
                                   std::uint64_t d, const std::string& e) {
    ByteWriter out;
    out.u8(a);
    out.u32(b);
    out.u64(c);
    out.varint(d);
    out.varint(d >> (d % 64));
    out.text(e);
    ByteReader in(out.bytes());
    RC_ASSERT(in.u8() == a);
    RC_ASSERT(in.u32() == b);
    RC_ASSERT(in.u64() == c);
    RC_ASSERT(in.varint() == d);
    RC_ASSERT(in.varint() == d >> (d % 64));
    RC_ASSERT(in.text() == e);
    RC_ASSERT(in.at_end());
    RC_ASSERT(!in.failed());
  }));
}

TEST_CASE("the largest varint takes ten bytes and no more bits") {
  ByteWriter out;
  out.varint(std::numeric_limits<std::uint64_t>::max());
  CHECK(out.bytes() == std::string(9, '\xFF') + '\x01');
  ByteReader in(out.bytes());
  CHECK(in.varint() == std::numeric_limits<std::uint64_t>::max());
  CHECK_FALSE(in.failed());
}

TEST_CASE("a bad varint fails and ends the reading") {
  for (const std::string& bytes :
       {std::string(9, '\xFF') + '\x02', std::string(10, '\x80') + '\x01', std::string(11, '\xFF'),
        "\x80"s, ""s}) {
    CAPTURE(to_hex(bytes));
    ByteReader in(bytes);
    CHECK(in.varint() == 0);
    CHECK(in.failed());
    CHECK(in.at_end());
    CHECK(in.u8() == 0);
    CHECK(in.text().empty());
  }
}

TEST_CASE("a varint that does not fit its type fails") {
  ByteWriter out;
  out.varint(0x1'0000'0000);
  ByteReader narrow(out.bytes());
  CHECK(narrow.varint_as<std::uint32_t>() == 0);
  CHECK(narrow.failed());
  ByteReader wide(out.bytes());
  CHECK(wide.varint_as<std::int64_t>() == 0x1'0000'0000);
  CHECK_FALSE(wide.failed());

  ByteWriter most;
  most.varint(std::numeric_limits<std::uint64_t>::max());
  ByteReader negative(most.bytes());
  CHECK(negative.varint_as<std::int64_t>() == 0);
  CHECK(negative.failed());
}

TEST_CASE("reading past the end gives zeros and empty texts, and stays failed") {
  ByteReader in(
      "\x05"
      "abc");
  CHECK(in.text().empty());
  CHECK(in.failed());
  CHECK(in.rest().empty());
  CHECK(in.u8() == 0);
  CHECK(in.u32() == 0);
  CHECK(in.u64() == 0);
  CHECK(in.varint() == 0);
  CHECK(in.failed());

  ByteReader huge(
      std::string_view("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
                       "abc"));
  CHECK(huge.text().empty());  // a length near 2^64 does not wrap around
  CHECK(huge.failed());
}

TEST_CASE("texts are views into the given bytes") {
  const std::string bytes =
      "\x03"
      "abc";
  ByteReader in(bytes);
  CHECK(in.text().data() == bytes.data() + 1);
}

TEST_CASE("hex") {
  CHECK(to_hex("") == "");
  CHECK(to_hex("\x00\x7F\xFF\x10"s) == "007fff10");
}

TEST_CASE("hex is read back as it was written, and nothing else is") {
  const std::string bytes("\x00\x7f\xff weir", 8);
  CHECK(from_hex(to_hex(bytes)) == bytes);
  CHECK(from_hex("") == "");
  for (const char* other : {"0", "0g", "AB", " 0", "0x"}) CHECK_FALSE(from_hex(other));
}

}  // namespace
}  // namespace weir
