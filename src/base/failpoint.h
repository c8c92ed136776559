// SPDX-License-Identifier: Apache-2.0
// Named places where test builds can crash or fail: WEIR_FAILPOINT("settle.before_commit").
// Release builds compile them away. Configured once, before threads start, by
// configure_failpoints().
#pragma once

#include <string_view>

#include "base/result.h"

namespace weir {

// "name=crash@3;other=fail@1": crash (exit code 137, no clean-up) or fail at the k-th passage.
// fail@* means always. Replaces what was configured before; a mistake leaves that as it was.
Result<> configure_failpoints(std::string_view text);
// True if the failpoint says "fail" now; does not return if it says "crash". Thread safe.
bool failpoint(std::string_view name);

}  // namespace weir

#if defined(WEIR_FAILPOINTS)
#define WEIR_FAILPOINT(name) ::weir::failpoint(name)
#else
#define WEIR_FAILPOINT(name) false
#endif
