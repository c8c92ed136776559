// SPDX-License-Identifier: Apache-2.0
// Bounds-checked little-endian reading and writing for record codecs.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace weir {

class ByteWriter {
 public:
  void u8(std::uint8_t value) { bytes_.push_back(static_cast<char>(value)); }
  void u32(std::uint32_t value);
  void u64(std::uint64_t value);
  void varint(std::uint64_t value);   // LEB128
  void text(std::string_view value);  // varint length, then the bytes
  void raw(std::string_view value) { bytes_.append(value); }
  void reserve(std::size_t size) { bytes_.reserve(size); }
  std::string take() && { return std::move(bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reading past the end or a bad varint sets failed() and yields zeros and empty texts; check once
// at the end.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t varint();
  // A varint that has to fit T.
  template <std::integral T>
  T varint_as() {
    const std::uint64_t value = varint();
    if (std::in_range<T>(value)) return static_cast<T>(value);
    failed_ = true;
    rest_ = {};
    return 0;
  }
  std::string_view text();  // a view into the bytes given to the constructor
  std::string_view rest() const { return rest_; }
  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::size_t size);
  std::string_view rest_;
  bool failed_ = false;
};

std::string to_hex(std::string_view bytes);
// Lower-case digits only, two a byte; nullopt for anything else.
std::optional<std::string> from_hex(std::string_view digits);

}  // namespace weir
