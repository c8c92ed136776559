// SPDX-License-Identifier: Apache-2.0
// xoshiro256** (Blackman and Vigna): small, fast, seeded explicitly, so that decisions can be
// repeated.
#pragma once

#include <array>
#include <cstdint>

namespace weir {

class Rng {
 public:
  explicit Rng(std::uint64_t seed);
  std::uint64_t next();
  // Uniform in [0, 1).
  double unit();
  // Uniform in [0, bound), without modulo bias. bound > 0.
  std::uint64_t below(std::uint64_t bound);

 private:
  std::array<std::uint64_t, 4> state_;
};

}  // namespace weir
