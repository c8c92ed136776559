// SPDX-License-Identifier: Apache-2.0
#include "api/answers.h"

#include <doctest/doctest.h>

namespace weir::api {
namespace {

TEST_CASE("a cursor is one that a list answered with, or it is refused") {
  const DeliveryRef ref{FlowId{2}, {.stream = StreamId{1}, .seq = 1001}};
  const auto read = parse_cursor(to_cursor(ref));
  REQUIRE(read.ok());
  CHECK(*read == ref);
  CHECK(parse_cursor("").ok());
  // The last two: fuzz corpus api-body/cursor-too-large. They were read as from the start.
  for (const std::string_view text :
       {"2", "2-", "-1", "2-x", "2--1", "100000000-1", "2-10000000000000000"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_cursor(text).ok());
  }
}

}  // namespace
}  // namespace weir::api
