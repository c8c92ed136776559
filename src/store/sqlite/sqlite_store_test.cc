// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include <doctest/doctest.h>

#include "ports/testing/store_contract.h"
#include "store/memory/memory_store.h"
#include "store/records/testing/audit_contract.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

using namespace ports::testing;

// A fresh folder for every store.
StoreFactory fresh() {
  return [folders = std::make_shared<std::vector<std::unique_ptr<testing::TempFolder>>>()](
             async::Executor executor) {
    folders->clear();
    folders->push_back(std::make_unique<testing::TempFolder>());
    Options options{.folder = folders->back()->path(), .executor = std::move(executor)};
    options.reserve_bytes = 1 << 16;
    options.disk_free_min = 1 << 16;
    auto store = open(std::move(options));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

TEST_CASE("sqlite store: ingest") { ingest_contract(fresh()); }
TEST_CASE("sqlite store: flows") { flow_contract(fresh()); }
TEST_CASE("sqlite store: deliveries") { delivery_contract(fresh()); }
TEST_CASE("sqlite store: recovery") { recovery_contract(fresh()); }
TEST_CASE("sqlite store: retention") { retention_contract(fresh()); }
TEST_CASE("sqlite store: effects") { effect_contract(fresh()); }
TEST_CASE("sqlite store: batches") { batch_contract(fresh()); }
TEST_CASE("sqlite store: the chain of the audit") { store::testing::audit_contract(fresh()); }
TEST_CASE("sqlite store: the chain goes on after a reopen") {
  const testing::TempFolder folder;
  store::testing::durable_audit_contract([&](async::Executor executor) {
    auto store = open({.folder = folder.path(), .executor = std::move(executor)});
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  });
}

TEST_CASE("sqlite store: a batch with patience is part of the commit of another, or goes alone") {
  StoreBench bench(fresh());
  const auto patient = [&](std::optional<Result<ports::Receipt>>& into, Duration patience) {
    ports::WriteBatch batch{.lane = ports::Lane::operate, .patience = patience};
    batch.mutations.emplace_back(ports::PutMeta{"patient", "yes"});
    bench.start(bench.store().writer().commit(std::move(batch)), into);
  };
  const auto before = bench.run(bench.store().info());
  std::optional<Result<ports::Receipt>> first;
  SUBCASE("with company") {
    patient(first, std::chrono::hours{1});
    bench.commit({ports::PutMeta{"other", "yes"}});
    bench.wait([&] { return first.has_value(); });
    const auto after = bench.run(bench.store().info());
    CHECK(after.batches - before.batches == 2);
    CHECK(after.commits - before.commits == 1);
  }
  SUBCASE("alone") { patient(first, std::chrono::milliseconds{2}); }
  bench.wait([&] { return first.has_value(); });
  CHECK(first->ok());
  CHECK(*bench.run(bench.store().flows().meta("patient")) == "yes");
}

TEST_CASE("sqlite store: answers as the memory store does") {
  equivalence_contract([](async::Executor executor) { return memory::open(std::move(executor)); },
                       fresh());
}

}  // namespace
}  // namespace weir::store::sqlite
