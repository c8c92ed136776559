// SPDX-License-Identifier: Apache-2.0
// The power goes at every write, sync, truncation, creation and deletion of a scenario that does
// everything a store does: what was acknowledged must be there afterwards, what was under way is
// there as a whole or not at all.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/reference_scenario.h"
#include "ports/testing/store_content.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;
using namespace ports::testing;
using testing::FaultDisk;
using testing::FaultVfs;

constexpr const char* kFolder = "/disk";

constexpr std::uint64_t kShortLog = 96 << 10;  // several checkpoints in one scenario
constexpr std::uint64_t kLongLog = 64 << 20;   // none

using Ring = std::shared_ptr<Keyring>;

Ring ring_of(Keyring::Keys keys) { return std::make_shared<Keyring>(std::move(keys)); }
MasterKey new_key() { return *parse_master_key(make_key_file(), "k"); }

StoreFactory factory(FaultVfs& vfs, std::optional<Error>* failure = nullptr,
                     std::uint64_t log_bytes = kShortLog, Ring ring = nullptr) {
  return [&vfs, failure, log_bytes, ring](async::Executor executor) -> std::unique_ptr<Store> {
    Options options{.folder = kFolder, .executor = executor};
    options.vfs = vfs.name();
    options.wal_bytes_max = log_bytes;
    options.keyring = ring;
    auto store = open(std::move(options));
    if (store.ok()) return *std::move(store);
    if (failure != nullptr) {
      *failure = store.error();
    } else {
      FAIL(to_text(store.error()));
    }
    return memory::open(executor);  // stands in for a store that could not be opened
  };
}

StoreFactory memory_factory() {
  return [](async::Executor executor) { return memory::open(std::move(executor)); };
}

WriteBatch batch(std::vector<Mutation> mutations) {
  return {.lane = Lane::settle, .preconditions = {}, .mutations = std::move(mutations)};
}

void verify(FaultVfs& vfs, const Oracle& oracle, std::size_t acknowledged, Ring ring = nullptr) {
  {
    StoreBench bench(factory(vfs, nullptr, kShortLog, ring));
    const std::string content = content_of(bench);
    const bool right = content == oracle.at_least(acknowledged) ||
                       content == oracle.at_most(acknowledged);
    if (!right) CHECK(content == oracle.at_least(acknowledged));
    CHECK(bench.try_commit(batch({PutMeta{"k", "v"}})).ok());  // it serves again
  }
  const auto report = check(kFolder, vfs.name(), ring);
  REQUIRE(report.ok());
  for (const std::string& problem : report->problems) FAIL_CHECK(problem);
  CHECK(report->sound());
}

std::uint64_t cut_everywhere(const std::vector<WriteBatch>& batches, std::uint64_t step,
                             const Ring& ring) {
  const Oracle oracle(memory_factory(), batches);
  std::uint64_t cuts = 0;
  for (std::uint64_t operation = 1;; operation += step) {
    CAPTURE(operation);
    FaultVfs vfs;
    vfs.disk().cut_at(operation);
    std::size_t acknowledged = 0;
    {
      std::optional<Error> failure;
      StoreBench bench(factory(vfs, &failure, kShortLog, ring));
      if (!failure) acknowledged = commit_all(bench, batches, 0, batches.size());
    }
    if (!vfs.disk().is_off()) return cuts;
    ++cuts;
    vfs.disk().power_cut(operation * 7);
    verify(vfs, oracle, acknowledged, ring);
  }
}

TEST_CASE("power cut at every operation: nothing acknowledged is lost, nothing is half done") {
  const std::uint64_t cuts = cut_everywhere(reference_scenario(), 1, nullptr);
  MESSAGE("power cuts: ", cuts);
  CHECK(cuts > 200);
}

TEST_CASE("power cut while everything is encrypted, and its keys are rotated in between") {
  std::vector<WriteBatch> batches = reference_scenario();
  for (std::size_t i = batches.size(); i > 3; i -= 3)
    batches.insert(batches.begin() + static_cast<std::ptrdiff_t>(i - 1), batch({RotateKeys{}}));
  const std::uint64_t cuts = cut_everywhere(batches, 7, ring_of({new_key()}));
  MESSAGE("power cuts with encryption: ", cuts);
  CHECK(cuts > 30);
}

TEST_CASE("power cut during a rotation: old and new key open it, and acknowledged is all") {
  const MasterKey before = new_key();
  const MasterKey after = new_key();
  std::uint64_t rotated = 0;
  std::uint64_t kept = 0;
  for (std::uint64_t operation = 1;; ++operation) {
    CAPTURE(operation);
    FaultVfs vfs;
    std::string content;
    {
      StoreBench bench(factory(vfs, nullptr, kShortLog, ring_of({before})));
      bench.register_names();
      bench.append(1, 20);
      content = content_of(bench);
    }
    vfs.disk().cut_at(vfs.disk().operations() + operation);
    bool acknowledged = false;
    {
      std::optional<Error> failure;
      StoreBench bench(factory(vfs, &failure, kShortLog, ring_of({after, before})));
      if (!failure) acknowledged = bench.try_commit(batch({RotateKeys{}})).ok();
    }
    if (!vfs.disk().is_off()) break;
    vfs.disk().power_cut(operation);
    StoreBench bench(factory(vfs, nullptr, kShortLog, ring_of({after, before})));
    CHECK(content_of(bench) == content);
    const bool pending = bench.run(bench.store().info()).rotation_pending;
    if (acknowledged) CHECK(!pending);
    ++(pending ? kept : rotated);
  }
  CHECK(kept > 0);
  CHECK(rotated > 0);
}

TEST_CASE("power cut during recovery from a power cut") {
  const std::vector<WriteBatch> batches = reference_scenario();
  const Oracle oracle(memory_factory(), batches);
  std::uint64_t cuts = 0;
  for (std::uint64_t first_cut = 90; first_cut <= 450; first_cut += 60) {
    for (std::uint64_t second_cut = 1; second_cut <= 12; ++second_cut) {
      CAPTURE(first_cut);
      CAPTURE(second_cut);
      FaultVfs vfs;
      vfs.disk().cut_at(first_cut);
      std::size_t acknowledged = 0;
      {
        std::optional<Error> failure;
        StoreBench bench(factory(vfs, &failure));
        if (!failure) acknowledged = commit_all(bench, batches, 0, batches.size());
      }
      vfs.disk().power_cut(first_cut);
      vfs.disk().cut_at(second_cut);
      {
        std::optional<Error> failure;
        StoreBench bench(factory(vfs, &failure));
      }
      vfs.disk().power_cut(second_cut);
      verify(vfs, oracle, acknowledged);
      ++cuts;
    }
  }
  MESSAGE("double power cuts: ", cuts);
}

TEST_CASE("power cut right after an acknowledgement: it is kept") {
  const std::vector<WriteBatch> batches = reference_scenario();
  const Oracle oracle(memory_factory(), batches);
  FaultVfs vfs;
  std::size_t acknowledged = 0;
  {
    StoreBench bench(factory(vfs, nullptr, kLongLog));
    acknowledged = commit_all(bench, batches, 0, batches.size() / 2);
    vfs.disk().cut_at(vfs.disk().operations() + 1);  // before closing could checkpoint
  }
  vfs.disk().power_cut(1);
  verify(vfs, oracle, acknowledged);
}

// The lost-acknowledgement hole: after a failed sync the page cache shows what the disk does not
// have. The process ends and starts again, sees it, builds on it, and acknowledges; then the power
// goes.
TEST_CASE("fsync error, restart, more commits, power cut: every acknowledged commit is there") {
  const std::vector<WriteBatch> batches = reference_scenario();
  const Oracle oracle(memory_factory(), batches);
  std::uint64_t runs = 0;
  for (std::uint64_t bad_sync = 1; bad_sync <= 40; ++bad_sync) {
    for (const bool sticky : {false, true}) {
      CAPTURE(bad_sync);
      CAPTURE(sticky);
      const std::uint64_t log_bytes = sticky ? kShortLog : kLongLog;
      FaultVfs vfs;
      std::size_t acknowledged = 0;
      {
        const StoreBench made(factory(vfs));
      }
      vfs.disk().fail_sync(bad_sync, sticky);
      {
        std::optional<Error> failure;
        StoreBench bench(factory(vfs, &failure, log_bytes));
        if (!failure) acknowledged = commit_all(bench, batches, 0, batches.size());
        if (!failure && acknowledged < batches.size()) {
          CHECK(bench.try_commit(batch({PutMeta{"k", "v"}})).error().code == Code::store_failed);
        }
      }
      vfs.disk().restart();
      std::size_t more = 0;
      {
        StoreBench bench(factory(vfs, nullptr, log_bytes));
        const bool visible = content_of(bench) == oracle.at_most(acknowledged);
        const std::size_t first = std::min(acknowledged + (visible ? 1 : 0), batches.size());
        const std::size_t end = std::min(first + bad_sync % 5, batches.size());
        more = commit_all(bench, batches, first, end);
        CHECK(more == end);
        vfs.disk().cut_at(vfs.disk().operations() + 1);  // before closing could checkpoint
      }
      vfs.disk().power_cut(bad_sync);
      verify(vfs, oracle, more);
      ++runs;
    }
  }
  MESSAGE("fsync errors followed by a cut: ", runs);
}

TEST_CASE(
    "an I/O error at every operation: the store stops, and a restart finds everything "
    "acknowledged") {
  const std::vector<WriteBatch> batches = reference_scenario();
  const Oracle oracle(memory_factory(), batches);
  std::uint64_t errors = 0;
  for (std::uint64_t operation = 1;; operation += 3) {
    CAPTURE(operation);
    FaultVfs vfs;
    vfs.disk().fail_at(operation);
    std::size_t acknowledged = 0;
    {
      std::optional<Error> failure;
      StoreBench bench(factory(vfs, &failure));
      if (!failure) acknowledged = commit_all(bench, batches, 0, batches.size());
    }
    if (vfs.disk().operations() < operation) break;
    vfs.disk().restart();
    verify(vfs, oracle, acknowledged);
    ++errors;
  }
  MESSAGE("I/O errors: ", errors);
  CHECK(errors > 60);
}

// The disk itself has the hole: without the checkpoint at the start commits are lost. This is the
// test of the tests above.
TEST_CASE(
    "the fault disk loses acknowledged commits of a plain SQLite that does not checkpoint when it "
    "opens") {
  FaultVfs vfs;
  const std::string path = "/plain.db";
  const auto insert = [&](int first, int last) {
    auto db = Connection::open(path, vfs.name(), Access::create);
    REQUIRE(db.ok());
    REQUIRE(
        db->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                    "CREATE TABLE IF NOT EXISTS t(x INTEGER PRIMARY KEY)")
            .ok());
    int done = 0;
    for (int i = first; i <= last; ++i) {
      if (i == 6) vfs.disk().fail_sync(1, false);
      done += db->run("INSERT OR IGNORE INTO t VALUES(?1)", i).ok() ? 1 : 0;
    }
    vfs.disk().cut_at(vfs.disk().operations() + 1);  // the process ends without a checkpoint
    return done;
  };
  CHECK(insert(1, 6) == 5);
  vfs.disk().restart();
  CHECK(insert(7, 12) == 6);
  vfs.disk().power_cut(0);
  auto db = Connection::open(path, vfs.name(), Access::create);
  REQUIRE(db.ok());
  CHECK(*db->integer("SELECT count(*) FROM t", 0) < 11);
}

}  // namespace
}  // namespace weir::store::sqlite
