// SPDX-License-Identifier: Apache-2.0
#include "app/core_dumps.h"

#include <sys/prctl.h>

namespace weir::app {
namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kWatched = true;
#else
constexpr bool kWatched = false;
#endif

}  // namespace

bool forbid_core_dumps() { return kWatched || ::prctl(PR_SET_DUMPABLE, 0) == 0; }

}  // namespace weir::app
