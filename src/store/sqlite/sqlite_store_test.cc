// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include <doctest/doctest.h>

#include "ports/testing/store_contract.h"
#include "store/memory/memory_store.h"
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
TEST_CASE("sqlite store: batches") { batch_contract(fresh()); }

TEST_CASE("sqlite store: answers as the memory store does") {
  equivalence_contract([](async::Executor executor) { return memory::open(std::move(executor)); },
                       fresh());
}

}  // namespace
}  // namespace weir::store::sqlite
