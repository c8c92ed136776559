// SPDX-License-Identifier: Apache-2.0
#include "model/breaker_control.h"

#include <doctest/doctest.h>

namespace weir {

TEST_CASE("a breaker's control is read as it was written") {
  const BreakerControl control{BreakerOrder::open, from_micros(7), from_micros(9), "local:ana",
                               "their release\nat noon"};
  CHECK(decode_breaker_control(encode(control)) == control);
  CHECK(decode_breaker_control(encode({})) == BreakerControl{});
}

TEST_CASE("what is no breaker's control is not read as one") {
  for (const std::string_view text : {"", "open", "ajar\n1\n2\nana\n", "open\nx\n2\nana\n",
                                      "open\n1\n2", "open\n1\n2 \nana\nwhy"}) {
    CHECK_FALSE(decode_breaker_control(text));
  }
}

}  // namespace weir
