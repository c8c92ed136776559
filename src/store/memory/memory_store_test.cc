// SPDX-License-Identifier: Apache-2.0
#include "store/memory/memory_store.h"

#include <doctest/doctest.h>

#include "ports/testing/store_contract.h"
#include "store/records/testing/audit_contract.h"

namespace weir::store::memory {
namespace {

using namespace ports::testing;

StoreFactory factory(std::shared_ptr<Faults> faults = nullptr) {
  return
      [faults](async::Executor executor) { return open(std::move(executor), {.faults = faults}); };
}

TEST_CASE("memory store: ingest") { ingest_contract(factory()); }
TEST_CASE("memory store: flows") { flow_contract(factory()); }
TEST_CASE("memory store: deliveries") { delivery_contract(factory()); }
TEST_CASE("memory store: recovery") { recovery_contract(factory()); }
TEST_CASE("memory store: retention") { retention_contract(factory()); }
TEST_CASE("memory store: effects") { effect_contract(factory()); }
TEST_CASE("memory store: batches") { batch_contract(factory()); }
TEST_CASE("memory store: the chain of the audit") { store::testing::audit_contract(factory()); }

TEST_CASE("memory store: a full store refuses ingest only, and recovers") {
  const auto faults = std::make_shared<Faults>();
  StoreBench bench(factory(faults));
  bench.register_names();
  faults->full = true;
  const ports::WriteBatch ingest{.lane = ports::Lane::ingest,
                                 .mutations = {ports::AppendEvents{kStream, {event("a")}, at(1)}}};
  CHECK(bench.try_commit(ingest).error().code == Code::store_full);
  CHECK(bench.try_commit({.mutations = {ports::PutMeta{"k", "v"}}}).ok());
  CHECK(bench.run(bench.store().info()).full);
  faults->full = false;
  CHECK(bench.try_commit(ingest).ok());
}

TEST_CASE("memory store: a failed commit is not applied, and everything after it fails") {
  const auto faults = std::make_shared<Faults>();
  StoreBench bench(factory(faults));
  faults->fail_next_commit = true;
  for (int i = 0; i < 2; ++i) {
    CHECK(bench.try_commit({.mutations = {ports::PutMeta{"k", "v"}}}).error().code ==
          Code::store_failed);
  }
  CHECK(*bench.run(bench.store().flows().meta("k")) == std::nullopt);
}

TEST_CASE("memory store: a lost reply was applied") {
  const auto faults = std::make_shared<Faults>();
  StoreBench bench(factory(faults));
  faults->lose_next_reply = true;
  CHECK(!bench.try_commit({.mutations = {ports::PutMeta{"k", "v"}}}).ok());
  CHECK(*bench.run(bench.store().flows().meta("k")) == "v");
}

}  // namespace
}  // namespace weir::store::memory
