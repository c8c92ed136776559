// SPDX-License-Identifier: Apache-2.0
#include "ports/dedupe_hash.h"

#include <bit>
#include <cstring>

namespace weir::ports {
namespace {

class SipHash13 {
 public:
  void add(std::string_view bytes) {
    total_ += bytes.size();
    for (const char c : bytes) {
      tail_ |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(c)) << (8 * tail_size_);
      if (++tail_size_ == 8) absorb();
    }
  }

  std::uint64_t finish() {
    tail_ |= (total_ & 0xFF) << 56;
    absorb();
    v2_ ^= 0xFF;
    for (int i = 0; i < 3; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

 private:
  void absorb() {
    v3_ ^= tail_;
    round();
    v0_ ^= tail_;
    tail_ = 0;
    tail_size_ = 0;
  }

  void round() {
    v0_ += v1_;
    v1_ = std::rotl(v1_, 13) ^ v0_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v3_;
    v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ += v3_;
    v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ += v1_;
    v1_ = std::rotl(v1_, 17) ^ v2_;
    v2_ = std::rotl(v2_, 32);
  }

  static constexpr std::uint64_t kKey0 = 0x776569722e646564ull;
  static constexpr std::uint64_t kKey1 = 0x7570652e6b657931ull;
  std::uint64_t v0_ = kKey0 ^ 0x736f6d6570736575ull;
  std::uint64_t v1_ = kKey1 ^ 0x646f72616e646f6dull;
  std::uint64_t v2_ = kKey0 ^ 0x6c7967656e657261ull;
  std::uint64_t v3_ = kKey1 ^ 0x7465646279746573ull;
  std::uint64_t tail_ = 0;
  std::uint64_t total_ = 0;
  int tail_size_ = 0;
};

}  // namespace

std::uint64_t dedupe_hash(std::string_view source, std::string_view id) {
  SipHash13 hash;
  hash.add(source);
  hash.add(std::string_view("\0", 1));
  hash.add(id);
  return hash.finish();
}

}  // namespace weir::ports
