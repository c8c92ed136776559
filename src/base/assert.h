// SPDX-License-Identifier: Apache-2.0
// Always-on assertions. They check our own invariants, never anything the outside world can cause.
#pragma once

#include <string_view>

namespace weir {

// Prints one line to stderr and traps.
[[noreturn]] void assertion_failed(std::string_view expression, const char* file, int line);

}  // namespace weir

#define WEIR_ASSERT(expression)                                  \
  do {                                                           \
    if (!(expression)) [[unlikely]]                              \
      ::weir::assertion_failed(#expression, __FILE__, __LINE__); \
  } while (false)
