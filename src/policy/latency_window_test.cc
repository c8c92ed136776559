// SPDX-License-Identifier: Apache-2.0
#include "policy/latency_window.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "policy/testing/draws.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

TEST_CASE("an empty window has no quantile, and a cleared one is empty") {
  LatencyWindow window;
  CHECK(window.quantile(0.9) == Duration{0});
  window.add(20ms);
  CHECK(window.count() == 1);
  CHECK(window.quantile(0.5) >= 19ms);
  window.clear();
  CHECK(window.count() == 0);
  CHECK(window.quantile(0.9) == Duration{0});
}

TEST_CASE("what lies outside of the range counts at its ends") {
  LatencyWindow window;
  window.add(-5s);
  CHECK(window.quantile(1) <= 1us);
  window.add(Duration::max());
  CHECK(window.quantile(1) >= LatencyWindow::kLatencyMax * 15 / 16);
}

TEST_CASE("a quantile is within a sixteenth of the sorted answer") {
  CHECK(testing::holds("quantile of a window", [] {
    LatencyWindow window;
    std::vector<std::int64_t> all;
    const int count = *rc::gen::inRange(1, 60);
    testing::Draws draws;
    for (int i = 0; i < count; ++i) {
      const std::int64_t most = std::int64_t{1} << draws.in(1, 32);
      all.push_back(draws.in<std::int64_t>(0, most));
      window.add(Duration{all.back()});
    }
    std::ranges::sort(all);
    const double share = *rc::gen::element(0.0, 0.5, 0.9, 0.99, 1.0);
    const auto rank = static_cast<std::size_t>(std::ceil(share * count));
    const auto exact = static_cast<double>(all[std::max<std::size_t>(rank, 1) - 1]);
    const auto found = static_cast<double>(window.quantile(share).count());
    RC_ASSERT(std::abs(found - exact) <= exact / 16 + 1);
  }));
}

}  // namespace
}  // namespace weir::policy
