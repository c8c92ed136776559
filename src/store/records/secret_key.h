// SPDX-License-Identifier: Apache-2.0
// 256 secret bits. Overwritten when they go; nothing prints them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace weir::store {

class SecretKey {
 public:
  static constexpr std::size_t kBytes = 32;

  // Of the operating system's generator. Without one there is no process.
  static SecretKey random();
  explicit SecretKey(std::string_view bytes);  // exactly kBytes
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();

  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  SecretKey() = default;
  std::array<char, kBytes> bytes_{};
};

void fill_random(char* at, std::size_t size);
// Overwrites the whole text, then empties it.
void wipe(std::string& text);
// The first 128 bits of HMAC-SHA-256 (RFC 2104).
std::string keyed_hash(const SecretKey& key, std::string_view text);
// A key for another purpose, out of this one.
SecretKey derive(const SecretKey& key, std::string_view purpose);

}  // namespace weir::store
