// SPDX-License-Identifier: Apache-2.0
#include "sim/report_figures.h"

#include <limits>

#include <doctest/doctest.h>

namespace weir::sim {
namespace {

TEST_CASE("figures for people") {
  CHECK(figure(0) == "0");
  CHECK(figure(0.9734) == "0.973");
  CHECK(figure(28.06) == "28.1");
  CHECK(figure(99.96) == "100");
  CHECK(figure(2810.4) == "2,810");
  CHECK(figure(std::numeric_limits<double>::quiet_NaN()) == "-");
  CHECK(tick_text(0) == "0 s");
  CHECK(tick_text(90) == "90 s");
  CHECK(tick_text(120) == "2 min");
  CHECK(tick_text(270) == "4.5 min");
  CHECK(tick_text(6 * 3600) == "6 h");
}

TEST_CASE("what a run came back from, and when") {
  CHECK(recovery_text({.ending = Ending::recovers, .recovered_after = 38}) == "38.0 s");
  CHECK(recovery_text({.ending = Ending::metastable}) == "never");
  CHECK(recovery_text({.ending = Ending::unfinished}) == "not yet");
  CHECK(recovery_text({.ending = Ending::steady}) == "-");
}

TEST_CASE("an axis has round values up to what is shown") {
  CHECK(axis(560, 4) == std::vector<double>{0, 200, 400, 600});
  CHECK(axis(600, 4) == std::vector<double>{0, 200, 400, 600});
  CHECK(axis(0, 4).back() == 1);
  CHECK(time_axis(60, 4) == std::vector<double>{0, 15, 30, 45, 60});
  CHECK(time_axis(240, 8) == std::vector<double>{0, 30, 60, 90, 120, 150, 180, 210, 240});
  for (double most = 1e-6; most < 1e9; most *= 1.7) {
    const std::vector<double> values = axis(most, 4);
    CHECK(values.back() >= most * (1 - 1e-9));
    CHECK(values.size() <= 5);
    CHECK(time_axis(most, 8).size() <= 9);
  }
}

TEST_CASE("fewer steps keep the mean of rates, and the worst of queues and guardrails") {
  std::vector<Step> steps;
  for (int i = 1; i <= 10; ++i) steps.push_back({.at = 1.0 * i, .attempted = 10, .budget = 1});
  steps[3].attempted = 30;
  steps[3].queue = 7;
  steps[3].budget = 0;
  steps[3].breaker = 1;
  const std::vector<Step> fewer = resampled(steps, 5);
  REQUIRE(fewer.size() == 5);
  CHECK(fewer[1].at == 4);
  CHECK(fewer[1].attempted == 20);
  CHECK(fewer[1].queue == 7);
  CHECK(fewer[1].budget == 0);
  CHECK(fewer[1].breaker == 1);
  CHECK(fewer[4].at == 10);
  CHECK(resampled(steps, 100).size() == 10);
}

}  // namespace
}  // namespace weir::sim
