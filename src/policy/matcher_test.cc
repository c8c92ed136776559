// SPDX-License-Identifier: Apache-2.0
#include "policy/matcher.h"

#include <fmt/format.h>

#include "policy/testing/property.h"

namespace weir::policy {
namespace {

struct Row {
  const char* a;
  const char* b;
  bool same;
};

TEST_CASE("numbers are the same when their decimal values are") {
  const Row rows[] = {
      {"0", "0", true},
      {"0", "-0", true},
      {"0", "0.000e99", true},
      {"-0.0", "0e-5", true},
      {"0", "1", false},
      {"1", "-1", false},
      {"300", "300.0", true},
      {"300", "3.0e2", true},
      {"300", "3E+2", true},
      {"300", "30e1", true},
      {"300", "0.3e3", true},
      {"300", "30", false},
      {"300", "3e3", false},
      {"303", "3.03e2", true},
      {"303", "33", false},
      {"0.05", "5e-2", true},
      {"0.05", "0.0500", true},
      {"0.05", "0.5", false},
      {"-1.25", "-125e-2", true},
      {"10.01", "1001e-2", true},
      {"10.01", "1.001e1", true},
      {"10.01", "100.1", false},
      {"9007199254740993", "9007199254740992", false},
      {"9007199254740993", "9007199254740993.0", true},
      {"0.1", "0.1000000000000000055511151231257827", false},
      {"1e400", "10e399", true},
      {"1e400", "1e401", false},
      {"1e-400", "0", false},
      {"1e99999999999999999999", "1e99999999999999999999", true},
      {"1e99999999999999999999", "1", false},
      {"1e99999999999999999999", "1e-99999999999999999999", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.a);
    CAPTURE(row.b);
    CHECK(same_number(row.a, row.b) == row.same);
    CHECK(same_number(row.b, row.a) == row.same);
  }
}

TEST_CASE("moving the point does not change a number") {
  testing::holds("point", [](std::int64_t number, unsigned choice) {
    const auto places = static_cast<int>(choice % 12);
    const std::string plain = fmt::format("{}", number);
    const std::string zeros = fmt::format("{}{}e-{}", plain, std::string(places, '0'), places);
    RC_ASSERT(same_number(plain, zeros));
    RC_ASSERT(same_number(plain, plain + ".000"));
    RC_ASSERT(!same_number(plain, plain + ".001"));
    RC_ASSERT(same_number(plain, plain + "e1") == (number == 0));
  });
}

}  // namespace
}  // namespace weir::policy
