// SPDX-License-Identifier: Apache-2.0
#include "recovery/quarantine.h"

#include <doctest/doctest.h>

#include "recovery/testing/explain_desk.h"
#include "store/memory/memory_store.h"

namespace weir::recovery::testing {
namespace {

struct QuarantineDesk {
  std::shared_ptr<store::memory::Faults> faults = std::make_shared<store::memory::Faults>();
  ExplainDesk desk{[this](async::Executor executor) {
    return store::memory::open(std::move(executor), {.faults = faults});
  }};
  std::vector<DeliveryRef> told;  // as settled, to the delivery side

  QuarantineDesk() {
    desk.live.settled_elsewhere = [this](DeliveryRef ref, const std::string&) {
      told.push_back(ref);
    };
    desk.publish(1);
    desk.quarantine(1, ago(60));
  }
  Result<BulkResult> settle(Settle what) {
    return desk.bench.run(
        settle_quarantined(desk.bench.store(), desk.clock, desk.live, what, {.flow = "sync-issues"},
                           {.actor = "anna", .subject = "anna", .reason = "fixed by hand"}, false));
  }
  DeliveryState state() {
    return (*desk.bench.run(desk.bench.store().deliveries().get(ref(1))))->state;
  }
  std::vector<AuditEntry> audit() {
    return *desk.bench.run(desk.bench.store().recovery().audit(~0ull >> 1, 10));
  }
};

TEST_CASE("what is settled by hand is in the audit: who, what and why") {
  QuarantineDesk quarantine;
  const auto settled = quarantine.settle(Settle::resolve);
  REQUIRE(settled.ok());
  CHECK(settled->settled == 1);
  CHECK(quarantine.state() == DeliveryState::resolved);
  CHECK(quarantine.told == std::vector<DeliveryRef>{ref(1)});
  const std::vector<AuditEntry> audit = quarantine.audit();
  REQUIRE(audit.size() == 1);
  CHECK(audit.front().action == "quarantine.resolve");
  CHECK(audit.front().actor == "anna");
  CHECK(audit.front().target == "github#1");
  CHECK(audit.front().reason == "fixed by hand");
}

TEST_CASE("what cannot be written is not settled, and nobody is told that it was") {
  QuarantineDesk quarantine;
  quarantine.faults->fail_next_commit = true;
  CHECK_FALSE(quarantine.settle(Settle::discard).ok());
  CHECK(quarantine.state() == DeliveryState::quarantined);
  CHECK(quarantine.told.empty());
  CHECK(quarantine.audit().empty());
}

}  // namespace
}  // namespace weir::recovery::testing
