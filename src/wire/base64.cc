// SPDX-License-Identifier: Apache-2.0
#include "wire/base64.h"

#include <algorithm>
#include <cstdint>

namespace weir::wire {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNoDigit = 64;

constexpr auto kDigits = [] {
  std::array<std::uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return digits;
}();

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      word = (word << 8) | (j < have ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= have ? kAlphabet[(word >> (18 - 6 * j)) & 63] : '=');
    }
  }
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    std::size_t padding = 0;
    if (last && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
    std::uint32_t word = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const std::uint8_t digit = j >= 4 - padding
                                     ? 0
                                     : kDigits[static_cast<unsigned char>(text[i + j])];
      if (digit == kNoDigit) return std::nullopt;
      word = (word << 6) | digit;
    }
    const std::uint32_t unused = padding == 0 ? 0 : padding == 1 ? word & 0xFF : word & 0xFFFF;
    if (unused != 0) return std::nullopt;
    for (std::size_t j = 0; j < 3 - padding; ++j)
      bytes.push_back(static_cast<char>(word >> (16 - 8 * j)));
  }
  return bytes;
}

}  // namespace weir::wire
