// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include <bit>

#include "base/assert.h"

namespace weir {

Rng::Rng(std::uint64_t seed) {
  for (auto& word : state_) {  // splitmix64 spreads a small seed over the whole state
    seed += 0x9E3779B97F4A7C15ull;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    word = z ^ (z >> 31);
  }
}

std::uint64_t Rng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

double Rng::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t Rng::below(std::uint64_t bound) {
  WEIR_ASSERT(bound > 0);
  const std::uint64_t limit = -bound % bound;  // 2^64 mod bound: reject the short last interval
  for (;;) {
    const std::uint64_t value = next();
    if (value >= limit) return value % bound;
  }
}

}  // namespace weir
