// SPDX-License-Identifier: Apache-2.0
#include "seeded_chance.h"

#include <mutex>

#include <openssl/rand.h>
#include <sqlite3.h>

#include "base/rng.h"

namespace weir::cycles {
namespace {

std::mutex drawing;
Rng chance{0};

int draw(unsigned char* into, int size) {
  const std::lock_guard lock(drawing);
  for (int i = 0; i < size; ++i) into[i] = static_cast<unsigned char>(chance.next());
  return 1;
}

int ready() { return 1; }

}  // namespace

void seed_libraries(std::uint64_t seed) {
  static const RAND_METHOD kSeeded = {nullptr, draw, nullptr, nullptr, draw, ready};
  {
    const std::lock_guard lock(drawing);
    chance = Rng(seed);
  }
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wdeprecated-declarations"  // without a provider of our own
  RAND_set_rand_method(&kSeeded);
#pragma clang diagnostic pop
  // Zero would mean: as the system says.
  sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, static_cast<int>(seed % 0x7ffffffe) + 1, nullptr);
  sqlite3_randomness(0, nullptr);
}

}  // namespace weir::cycles
