// SPDX-License-Identifier: Apache-2.0
#include "app/core_dumps.h"

#include <sys/prctl.h>

#include <doctest/doctest.h>

namespace weir::app {
namespace {

TEST_CASE("a serving process leaves no core") {
  const int before = ::prctl(PR_GET_DUMPABLE);
  CHECK(forbid_core_dumps());
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  CHECK(::prctl(PR_GET_DUMPABLE) == 0);
#endif
  CHECK(::prctl(PR_SET_DUMPABLE, before) == 0);
}

}  // namespace
}  // namespace weir::app
