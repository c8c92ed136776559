// SPDX-License-Identifier: Apache-2.0
#include "delivery/settler.h"

#include <doctest/doctest.h>

#include "delivery/testing/bench_top.h"

namespace weir::delivery {
namespace {

using testing::BenchTop;

struct Bench : BenchTop {
  Bench() : BenchTop([](const std::string&, std::uint32_t) { return 200; }) { start(config("")); }
  std::uint64_t durable_floor() { return wait(store->flows().flows())->front().cursor.floor; }
  void publish_many(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) publish("e" + std::to_string(i), "");
  }
};

TEST_CASE("settlements that nothing waits for linger, and no longer than the bound") {
  Bench bench;
  bench.publish_many(3);
  bench.settle(Settler::kLinger / 2);
  CHECK(bench.log.size() == 3);
  CHECK(bench.durable_floor() == 1);
  bench.settle(Settler::kLinger);
  CHECK(bench.durable_floor() == 4);
}

TEST_CASE("as many settlements as a group takes do not linger") {
  Bench bench;
  bench.publish_many(2 * Settler::kLingeringMax);
  bench.settle(Duration{1});
  CHECK(bench.log.size() == 2 * Settler::kLingeringMax);
  CHECK(bench.durable_floor() > Settler::kLingeringMax);
}

TEST_CASE("a stop writes what lingers") {
  Bench bench;
  bench.publish_many(3);
  bench.settle(Duration{1});
  CHECK(bench.durable_floor() == 1);
  bench.stop();
  CHECK(bench.durable_floor() == 4);
}

}  // namespace
}  // namespace weir::delivery
