// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.h"

#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace weir {
namespace {

// One bit at a time, as the definition says.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = ~0u;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0);
  }
  return ~crc;
}

TEST_CASE("CRC-32C gives the values of RFC 3720, B.4") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xE3069283);
  CHECK(crc32c(std::string(32, '\x00')) == 0x8A9136AA);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43);
  std::string rising, falling;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  for (char c = 31; c >= 0; --c) falling.push_back(c);
  CHECK(crc32c(rising) == 0x46DD794E);
  CHECK(crc32c(falling) == 0x113FDB5C);
}

TEST_CASE("CRC-32C is that of its definition, and can be taken in pieces") {
  CHECK(rc::check("crc32c", [](const std::string& text) {
    RC_ASSERT(crc32c(text) == slow_crc32c(text));
    RC_ASSERT(crc32c_by_table(text) == slow_crc32c(text));
    const auto cut = *rc::gen::inRange<std::size_t>(0, text.size() + 1);
    const std::string_view whole(text);
    RC_ASSERT(crc32c(whole.substr(cut), crc32c(whole.substr(0, cut))) == crc32c(whole));
  }));
}

}  // namespace
}  // namespace weir
