// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"

#include <cstdio>

#include <fmt/format.h>

namespace weir {

void assertion_failed(std::string_view expression, const char* file, int line) {
  fmt::print(stderr, "{}:{}: assertion failed: {}\n", file, line, expression);
  std::fflush(stderr);
  __builtin_trap();
}

}  // namespace weir
