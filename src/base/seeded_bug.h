// SPDX-License-Identifier: Apache-2.0
// Known bugs that test builds can switch on, to prove that a named test catches each of them:
//   if (!ledger.settled(key) || WEIR_SEEDED_BUG("ledger.settled_twice")) ...
// WEIR_SEEDED_BUG=<name> in the environment switches one on for the life of the process. Without
// the CMake option WEIR_SEEDED_BUGS the macro is `false`, and nothing of it is in the binary.
// What each would do in production, and which test catches it: test/bugs/bugs.yaml.
#pragma once

#include <string_view>

namespace weir {

// Thread safe.
bool seeded_bug(std::string_view name);

}  // namespace weir

#if defined(WEIR_SEEDED_BUGS)
#define WEIR_SEEDED_BUG(name) ::weir::seeded_bug(name)
#else
#define WEIR_SEEDED_BUG(name) false
#endif
