// SPDX-License-Identifier: Apache-2.0
// The process dies at every step of the store (failpoints): what was acknowledged is there
// afterwards.
#if defined(WEIR_FAILPOINTS)
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "base/failpoint.h"
#include "ports/testing/reference_scenario.h"
#include "ports/testing/store_content.h"
#include "store/memory/memory_store.h"
#include "store/sqlite/check.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;
using namespace ports::testing;
using testing::TempFolder;

constexpr int kCrashed = 137;
constexpr const char* kSteps[] = {
    "store.before_create", "store.open_verified",     "store.open_checkpoint", "store.opened",
    "store.before_begin",  "store.before_apply",      "store.before_commit",   "store.after_commit",
    "store.before_reply",  "store.before_checkpoint", "store.after_checkpoint"};

StoreFactory in(const TempFolder& folder) {
  return [&folder](async::Executor executor) {
    Options options{.folder = folder.path(), .executor = std::move(executor)};
    options.reserve_bytes = 1 << 16;
    options.disk_free_min = 1 << 16;
    options.wal_bytes_max = 96 << 10;
    auto store = open(std::move(options));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

// In a process of its own: runs the scenario until the failpoint ends it, and tells each
// acknowledgement with a byte.
[[noreturn]] void child(const TempFolder& folder, const std::string& failpoints, int tell) {
  if (!configure_failpoints(failpoints).ok()) _exit(3);
  {
    StoreBench bench(in(folder));
    for (const WriteBatch& batch : reference_scenario()) {
      if (!bench.try_commit(batch).ok()) _exit(4);
      if (write(tell, "+", 1) != 1) _exit(5);
    }
  }
  _exit(0);
}

struct Run {
  int exit_code = -1;
  std::size_t acknowledged = 0;
};

Run run_until_crash(const TempFolder& folder, const std::string& failpoints) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t pid = fork();
  if (pid == 0) child(folder, failpoints, ends[1]);
  close(ends[1]);
  Run run;
  char byte = 0;
  while (read(ends[0], &byte, 1) == 1) ++run.acknowledged;
  close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return run;
}

TEST_CASE("crash at every step of the store: everything acknowledged is there") {
  const std::vector<WriteBatch> batches = reference_scenario();
  const Oracle oracle([](async::Executor executor) { return memory::open(std::move(executor)); },
                      batches);
  int crashes = 0;
  for (const char* step : kSteps) {
    int passages = 0;
    for (int passage = 1;; passage += passage < 3 ? 1 : 4) {
      CAPTURE(std::string(step));
      CAPTURE(passage);
      TempFolder folder;
      const Run run = run_until_crash(folder, fmt::format("{}=crash@{}", step, passage));
      if (run.exit_code == 0) break;
      REQUIRE(run.exit_code == kCrashed);
      ++passages;
      ++crashes;
      StoreBench bench(in(folder));
      const std::string content = content_of(bench);
      const bool right = content == oracle.at_least(run.acknowledged) ||
                         content == oracle.at_most(run.acknowledged);
      if (!right) CHECK(content == oracle.at_least(run.acknowledged));
      CHECK(check(folder.path())->sound());
    }
    CAPTURE(std::string(step));
    CHECK(passages > 0);  // the failpoint is there
  }
  MESSAGE("crashes: ", crashes);
}

// The log is much longer than what a VFS writes at once.
TEST_CASE("a crash that leaves a long log: every acknowledged event is there") {
  TempFolder folder;
  constexpr int kBatches = 30;
  const pid_t pid = fork();
  if (pid == 0) {
    StoreBench bench([&](async::Executor executor) {
      Options options{.folder = folder.path(), .executor = std::move(executor)};
      options.wal_bytes_max = 256 << 20;
      return *open(std::move(options));
    });
    bench.register_names();
    for (int i = 0; i < kBatches; ++i) bench.append(1 + 100 * i, 100 + 100 * i);
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  CHECK(std::filesystem::file_size(folder.path() + "/weir.db-wal") > (1 << 19));
  StoreBench bench(in(folder));
  CHECK(bench.run(bench.store().events().read(kStream, 1, 10'000, 1 << 30))->size() ==
        100 * kBatches);
  CHECK(check(folder.path())->sound());
}

TEST_CASE("a failed commit stops the store, and says so once") {
  TempFolder folder;
  int told = 0;
  StoreBench bench([&](async::Executor executor) {
    Options options{.folder = folder.path(), .executor = std::move(executor)};
    options.on_failed = [&](const Error& error) {
      CHECK(error.code == Code::store_failed);
      ++told;
    };
    return *open(std::move(options));
  });
  bench.register_names();
  REQUIRE(configure_failpoints("store.before_commit=fail@1").ok());
  for (int i = 0; i < 3; ++i) {
    const auto refused = bench.try_commit({.mutations = {PutMeta{"k", "v"}}});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == Code::store_failed);
  }
  bench.wait([&] { return told > 0; });
  CHECK(told == 1);
  CHECK(*bench.run(bench.store().flows().meta("k")) == std::nullopt);  // reading goes on
  REQUIRE(configure_failpoints("").ok());
}

}  // namespace
}  // namespace weir::store::sqlite
#endif
