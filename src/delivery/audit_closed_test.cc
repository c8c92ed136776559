// SPDX-License-Identifier: Apache-2.0
// What cannot be audited does not happen: act and entry are one commit, and only that takes effect.
#include <doctest/doctest.h>

#include "delivery/testing/bench_top.h"

namespace weir::delivery::testing {
namespace {

struct Closed {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  BenchTop top{[](const std::string&, std::uint32_t) { return 200; }};

  Closed() {
    top.store = store::memory::open(top.io.get_executor(), {.faults = faults});
    top.start(BenchTop::config(""));
  }
  FlowStatus status() { return top.engine->find_flow("f")->record().status; }
};

TEST_CASE("an act whose entry cannot be written does not happen") {
  Closed closed;
  BenchTop& top = closed.top;
  SUBCASE("pausing a flow") {
    closed.faults->fail_next_commit = true;
    CHECK_FALSE(top.wait(top.engine->pause("f", "why", "local:ana")).ok());
    CHECK(closed.status() == FlowStatus::active);
  }
  SUBCASE("resuming a flow") {
    REQUIRE(top.wait(top.engine->pause("f", "why", "local:ana")).ok());
    closed.faults->fail_next_commit = true;
    CHECK_FALSE(top.wait(top.engine->resume("f", "why", "local:ana")).ok());
    CHECK(closed.status() == FlowStatus::paused);
  }
  SUBCASE("opening a breaker") {
    closed.faults->fail_next_commit = true;
    const BreakerControl open{BreakerOrder::open, top.clock->wall(), {}, "local:ana", "why"};
    CHECK_FALSE(top.wait(top.engine->control_breaker("d", open)).ok());
    CHECK(top.engine->find_dispatcher("d")->control() == nullptr);
  }
}

TEST_CASE("what happened and its entry are one commit") {
  Closed closed;
  BenchTop& top = closed.top;
  closed.faults->lose_next_reply = true;  // it is applied, and nobody hears of it
  CHECK_FALSE(top.wait(top.engine->pause("f", "why", "local:ana")).ok());
  const auto flows = top.wait(top.store->flows().flows());
  const auto audit = top.wait(top.store->recovery().audit(~0ull >> 1, 10));
  REQUIRE(flows.ok());
  CHECK(flows->front().status == FlowStatus::paused);
  REQUIRE(audit->size() == 1);
  CHECK(audit->front().action == "flow.pause");
}

}  // namespace
}  // namespace weir::delivery::testing
