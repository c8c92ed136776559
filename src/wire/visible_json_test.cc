// SPDX-License-Identifier: Apache-2.0
#include "wire/visible_json.h"

#include <doctest/doctest.h>

namespace weir::wire {
namespace {

TEST_CASE("what a terminal would obey or hide is escaped, the rest stays") {
  CHECK(visible_json(R"({"a":"b","c":[1,"ü😀"]})") == R"({"a":"b","c":[1,"ü😀"]})");
  CHECK(visible_json("\"\x7f\"") == R"("\u007f")");
  CHECK(visible_json("\"a\xC2\x9B"
                     "2J\"") == R"("a\u009b2J")");
  CHECK(visible_json("\"\xE2\x80\xAE\xE2\x80\x8B\"") == R"("\u202e\u200b")");
  CHECK(visible_json("\"\xF3\xA0\x81\x81\"") == R"("\udb40\udc41")");
  CHECK(visible_json("").empty());
}

}  // namespace
}  // namespace weir::wire
