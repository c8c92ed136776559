// SPDX-License-Identifier: Apache-2.0
// How targets take their input apart. A target gets a few bytes that nobody vouches for, and ends
// in an assertion if a property does not hold.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Up to the next line feed, which goes too.
inline std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// The first byte, to choose by; 0 of an empty text.
inline std::uint8_t take_byte(std::string_view& text) {
  if (text.empty()) return 0;
  const auto byte = static_cast<std::uint8_t>(text.front());
  text.remove_prefix(1);
  return byte;
}

}  // namespace weir::fuzz

// The body of a target that gets its input as `text`.
#define WEIR_FUZZ_TARGET(text)                                                                   \
  static void fuzz_one(std::string_view text);                                                   \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* fuzz_bytes, std::size_t fuzz_size) { \
    fuzz_one(weir::fuzz::text_of(fuzz_bytes, fuzz_size));                                        \
    return 0;                                                                                    \
  }                                                                                              \
  static void fuzz_one(std::string_view text)
