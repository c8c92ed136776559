// SPDX-License-Identifier: Apache-2.0
#include "base/seeded_bug.h"

#if defined(WEIR_SEEDED_BUGS)
#include <cstdlib>

namespace weir {

bool seeded_bug(std::string_view name) {
  static const char* const chosen = std::getenv("WEIR_SEEDED_BUG");
  return chosen != nullptr && name == chosen;
}

}  // namespace weir
#endif
