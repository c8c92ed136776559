// SPDX-License-Identifier: Apache-2.0
// The randomness of the libraries below Weir, told by a seed: the salts of SQLite's log, and the
// keys and nonces that OpenSSL draws.
#pragma once

#include <cstdint>

namespace weir::cycles {

// For the whole process, until it is called again. Not while a store is open.
void seed_libraries(std::uint64_t seed);

}  // namespace weir::cycles
