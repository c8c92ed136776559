// SPDX-License-Identifier: Apache-2.0
// A full disk is backpressure: ingest is refused, the rest goes on from the reserve, and it
// recovers by itself.
#include <atomic>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_contract.h"
#include "store/sqlite/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;
using namespace ports::testing;
using testing::FaultVfs;

constexpr std::uint64_t kReserve = 512 << 10;

// A disk in memory with a reserve, and a clock that moves on a second with every look, so that
// space is looked at often.
class Bench {
 public:
  explicit Bench(std::uint64_t free_min = 0) : free_min_(free_min) { bench_.register_names(); }

  Result<Receipt> append(int number) {
    const std::string data(2000, 'x');
    AppendEvents append{kStream, {}, at(1)};
    for (int i = 0; i < 5; ++i)
      append.events.push_back(event(fmt::format("{}-{}", number, i), data));
    return bench_.try_commit({.lane = Lane::ingest, .mutations = {append}});
  }
  // Appends until the store says that it is full; the number of batches stored.
  int fill() {
    for (int number = 0; number < 5000; ++number) {
      const auto receipt = append(number);
      if (receipt.ok()) continue;
      CHECK(receipt.error().code == Code::store_full);
      return number;
    }
    FAIL("the disk never gets full");
    return 0;
  }
  Result<Receipt> settle(std::uint64_t seq) {
    return bench_.try_commit(
        {.mutations = {PutDelivery{delivery(seq, DeliveryState::waiting)}, KeepEvent{ref(seq)}}});
  }

  StoreBench& store() { return bench_; }
  testing::FaultDisk& disk() { return vfs_.disk(); }
  const std::string& vfs() const { return vfs_.name(); }

 private:
  StoreFactory factory() {
    return [this](async::Executor executor) {
      Options options{.folder = "/disk", .executor = std::move(executor)};
      options.vfs = vfs_.name();
      options.space = vfs_.disk().space(kReserve);
      options.disk_free_min = free_min_;
      options.wal_bytes_max = 256 << 10;
      options.now = [this] { return MonoTime{std::chrono::seconds{seconds_++}}; };
      auto store = open(std::move(options));
      if (!store.ok()) FAIL(to_text(store.error()));
      return *std::move(store);
    };
  }

  FaultVfs vfs_;
  std::uint64_t free_min_;
  std::atomic<std::int64_t> seconds_{100};
  StoreBench bench_{factory()};
};

TEST_CASE("full disk: ingest is refused, settling goes on, and space brings ingest back") {
  Bench bench;
  bench.disk().set_capacity(4 << 20);
  const int stored = bench.fill();
  CHECK(stored > 50);
  CHECK(bench.store().run(bench.store().store().info()).full);
  for (std::uint64_t seq = 1; seq <= 20; ++seq) CHECK(bench.settle(seq).ok());
  CHECK(bench.append(9000).error().code == Code::store_full);
  CHECK(
      bench.store().run(bench.store().store().events().read(kStream, 1, 10'000, 1 << 30))->size() ==
      static_cast<std::size_t>(stored) * 5);
  bench.disk().set_capacity(16 << 20);
  CHECK(bench.settle(21).ok());
  CHECK(bench.append(9001).ok());
  CHECK(!bench.store().run(bench.store().store().info()).full);
  CHECK(check("/disk", bench.vfs())->sound());
}

TEST_CASE("full disk: nothing acknowledged is lost when the power goes then") {
  FaultVfs vfs;
  int stored = 0;
  const auto factory = [&](async::Executor executor) {
    Options options{.folder = "/disk", .executor = std::move(executor)};
    options.vfs = vfs.name();
    options.space = vfs.disk().space(kReserve);
    options.disk_free_min = 0;
    auto store = open(std::move(options));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
  {
    StoreBench bench(factory);
    bench.register_names();
    vfs.disk().set_capacity(3 << 20);
    for (;; ++stored) {
      AppendEvents append{
          kStream, {event(fmt::format("{}", stored), std::string(9000, 'x'))}, at(1)};
      if (!bench.try_commit({.lane = Lane::ingest, .mutations = {append}}).ok()) break;
    }
    CHECK(bench.try_commit({.mutations = {PutDelivery{delivery(1, DeliveryState::waiting)}}}).ok());
    vfs.disk().cut_at(vfs.disk().operations() + 1);
  }
  vfs.disk().power_cut(3);
  vfs.disk().set_capacity(64 << 20);
  StoreBench bench(factory);
  CHECK(bench.run(bench.store().events().read(kStream, 1, 10'000, 1 << 30))->size() ==
        static_cast<std::size_t>(stored));
  CHECK(bench.run(bench.store().deliveries().get(ref(1)))->has_value());
}

TEST_CASE("full disk: below the wanted free space ingest is refused before anything fails") {
  Bench bench(1 << 20);
  bench.disk().set_capacity(4 << 20);
  bench.fill();
  CHECK(bench.disk().used() < (3 << 20) + (256 << 10));
  CHECK(bench.settle(1).ok());
}

TEST_CASE("full disk: without any reserve left, settling waits and goes on with new space") {
  Bench bench;
  bench.disk().set_capacity(4 << 20);
  bench.fill();
  bench.disk().set_capacity(bench.disk().used() -
                            kReserve / 2);  // somebody else took what the reserve gave back
  std::optional<Result<Receipt>> settled;
  WriteBatch batch{.mutations = {PutMeta{"k", std::string(3 << 20, 'x')}}};
  bench.store().start(bench.store().store().writer().commit(std::move(batch)), settled);
  CHECK(bench.append(9000).error().code == Code::store_full);
  CHECK(!settled.has_value());
  bench.disk().set_capacity(64 << 20);
  bench.store().wait([&] { return settled.has_value(); });
  CHECK(settled->ok());
}

}  // namespace
}  // namespace weir::store::sqlite
