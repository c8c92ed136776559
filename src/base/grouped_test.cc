// SPDX-License-Identifier: Apache-2.0
#include "base/grouped.h"

#include <doctest/doctest.h>

namespace weir {
namespace {

TEST_CASE("large numbers are grouped by thousands") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1204) == "1,204");
  CHECK(grouped(12345678) == "12,345,678");
}

}  // namespace
}  // namespace weir
