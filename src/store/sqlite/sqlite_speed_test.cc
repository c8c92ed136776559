// SPDX-License-Identifier: Apache-2.0
// How fast the store is on this machine. Not run by default: store_sqlite_test --no-skip
// -tc="speed*"
#include <chrono>
#include <cstdio>
#include <filesystem>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "async/clock.h"
#include "base/rng.h"
#include "ports/testing/store_contract.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;
using namespace ports::testing;

// On the disk of the build, not in memory.
struct DiskFolder {
  DiskFolder() : path((std::filesystem::current_path() / "weir-speed").string()) {
    std::filesystem::remove_all(path);
  }
  ~DiskFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

StoreFactory in(const std::string& folder) {
  return [folder](async::Executor executor) {
    auto store = open({.folder = folder, .executor = std::move(executor)});
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

double since(MonoTime begin) {
  return std::chrono::duration<double>(async::steady_now() - begin).count();
}

std::vector<WriteBatch> batches_of(int count, int size, int first, std::size_t bytes) {
  std::vector<WriteBatch> batches;
  const std::string data(bytes, 'x');
  for (int i = 0; i < count; ++i) {
    AppendEvents append{kStream, {}, at(1000)};
    for (int j = 0; j < size; ++j)
      append.events.push_back(event(fmt::format("event-{:09}", first + i * size + j), data));
    batches.push_back({.lane = Lane::ingest, .mutations = {std::move(append)}});
  }
  return batches;
}

// `depth` batches under way at any time.
void append_all(StoreBench& bench, std::vector<WriteBatch> batches, std::size_t depth,
                const char* what, int size) {
  std::vector<std::optional<Result<Receipt>>> results(batches.size());
  const MonoTime begin = async::steady_now();
  std::size_t done = 0;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    bench.start(bench.store().writer().commit(std::move(batches[i])), results[i]);
    if (i + 1 < depth) continue;
    bench.wait([&] { return results[done].has_value(); });
    ++done;
  }
  bench.wait([&] { return results.back().has_value(); });
  const double seconds = since(begin);
  for (const auto& result : results) REQUIRE(result->ok());
  const StoreStatus info = bench.run(bench.store().info());
  fmt::print("{}: {:.0f} events/s, {} commits, sync p50 {} p99 {}\n", what,
             static_cast<double>(results.size()) * size / seconds, info.commits,
             to_text(info.sync_p50), to_text(info.sync_p99));
}

TEST_CASE("speed of appending" * doctest::skip()) {
  const struct {
    const char* what;
    int batches;
    int size;
    std::size_t depth;
  } runs[] = {{"groups of 100, one at a time", 600, 100, 1},
              {"groups of 100, 8 under way", 3000, 100, 8},
              {"groups of 6400 (64 batches of 100)", 3000, 100, 64},
              {"single events, 64 under way", 30000, 1, 64}};
  for (const auto& run : runs) {
    DiskFolder folder;
    StoreBench bench(in(folder.path));
    bench.register_names();
    append_all(bench, batches_of(run.batches, run.size, 0, 400), run.depth, run.what, run.size);
  }
}

TEST_CASE("speed of opening a large store" * doctest::skip()) {
  DiskFolder folder;
  {
    StoreBench bench(in(folder.path));
    bench.register_names();
    for (int i = 0; i < 10; ++i)
      append_all(bench, batches_of(1000, 100, i * 100'000, 400), 32, "fill", 100);
  }
  const MonoTime begin = async::steady_now();
  StoreBench bench(in(folder.path));
  fmt::print("open with 1M events: {:.3f} s\n", since(begin));
  std::FILE* status = std::fopen("/proc/self/status", "r");
  char line[256];
  while (std::fgets(line, sizeof line, status) != nullptr) {
    if (std::string_view(line).starts_with("VmRSS")) fmt::print("{}", line);
  }
  std::fclose(status);
  const MonoTime reading = async::steady_now();
  std::uint64_t next = 1;
  for (;;) {
    const auto events = bench.run(bench.store().events().read(kStream, next, 512, 1 << 20));
    if (events->empty()) break;
    next = events->back().position.seq + 1;
  }
  fmt::print("read 1M events: {:.3f} s\n", since(reading));
}

TEST_CASE("speed of groups and freezing" * doctest::skip()) {
  DiskFolder folder;
  StoreBench bench(in(folder.path));
  bench.register_names();
  const MonoTime filling = async::steady_now();
  Rng rng(1);
  for (std::uint64_t seq = 1; seq <= 100'000;) {
    std::vector<Mutation> put;
    for (int i = 0; i < 500; ++i, ++seq) {
      Delivery row = delivery(seq, DeliveryState::quarantined);
      row.key = fmt::format("key{}", rng.below(20'000));
      put.push_back(PutDelivery{row});
      put.push_back(join(seq, fmt::format("{:016x}", rng.below(1000)), at(400)));
    }
    bench.commit(std::move(put));
  }
  fmt::print("quarantine 100k: {:.3f} s\n", since(filling));
  for (int i = 0; i < 2; ++i) {
    const MonoTime begin = async::steady_now();
    const auto groups = bench.run(bench.store().recovery().groups({.with_keys = true}));
    fmt::print("groups ({}): {:.4f} s\n", groups->size(), since(begin));
  }
  const ReplayId id = bench.commit({CreateReplay{replay({.flow = "ship"}, at(1'000'000))}}).replay;
  const MonoTime begin = async::steady_now();
  double longest = 0;
  DeliveryRef after;
  for (int chunks = 1;; ++chunks) {
    const MonoTime chunk = async::steady_now();
    const Receipt receipt = bench.commit({FreezeChunk{id, after, 2000}}, Lane::operate);
    longest = std::max(longest, since(chunk));
    after = receipt.freeze_next;
    if (!receipt.freeze_done) continue;
    fmt::print("freeze 100k in {} chunks: {:.3f} s, longest {:.4f} s\n", chunks, since(begin),
               longest);
    break;
  }
  const MonoTime counting = async::steady_now();
  (void)bench.run(bench.store().flows().counts());
  fmt::print("counts: {:.4f} s\n", since(counting));
  const MonoTime closing = async::steady_now();
  bench.reopen();
  fmt::print("reopen with 100k rows: {:.3f} s\n", since(closing));
  const MonoTime settling = async::steady_now();
  for (int i = 0; i < 500; ++i) {
    AddSettlements add{kFlow, kStream, at(i), {}};
    for (std::uint64_t seq = 1; seq <= 100; ++seq)
      add.settlements.push_back({static_cast<std::uint64_t>(i) * 100 + seq, 204, 900, 1});
    bench.commit({add, PutCursor{kFlow,
                                 {.floor = static_cast<std::uint64_t>(i) * 100 + 1,
                                  .mark = 1'000'000,
                                  .settled = {}}}});
  }
  fmt::print("settle 500 x 100: {:.3f} s\n", since(settling));
}

}  // namespace
}  // namespace weir::store::sqlite
