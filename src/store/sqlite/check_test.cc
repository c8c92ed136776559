// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/check.h"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "ports/testing/store_content.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;
using namespace ports;
using namespace ports::testing;
using testing::TempFolder;

StoreFactory in(const std::string& folder) {
  return [folder](async::Executor executor) {
    Options options{.folder = folder, .executor = std::move(executor)};
    options.reserve_bytes = 1 << 16;
    options.disk_free_min = 1 << 16;
    auto store = open(std::move(options));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

const AuditEntry kRestored{.actor = "local:ann", .action = "store.restore", .target = "here"};

void fill(StoreBench& bench) {
  bench.register_names();
  bench.append(1, 300);
  for (std::uint64_t seq = 2; seq <= 40; seq += 2) {
    bench.commit(
        {PutDelivery{delivery(seq, DeliveryState::quarantined)}, KeepEvent{ref(seq)},
         join(seq, "aaaa", at(1)),
         PutHold{{.flow = kFlow, .key = "k", .holder = place(seq), .first = 1, .count = 3}},
         AddAudit{{.action = "x"}}});
  }
  const ReplayId id = bench.commit({CreateReplay{replay({.flow = "ship"}, at(9000))}}).replay;
  bench.commit({FreezeChunk{id, {}, 10},
                AddSettlements{kFlow, kStream, at(1), {{21, 204, 1, 1}, {23, 204, 1, 1}}},
                PutMeta{"k", "v"}, TrimStream{kStream, 20, {}}});
}

void edit(const std::string& folder, const char* sql) {
  auto db = Connection::open(folder + "/weir.db", "", Access::write);
  REQUIRE(db.ok());
  const auto done = db->execute(sql);
  if (!done.ok()) FAIL(to_text(done.error()));
}

TEST_CASE("check: a sound store is sound, also while it is open") {
  TempFolder folder;
  StoreBench bench(in(folder.path()));
  fill(bench);
  const auto report = check(folder.path());
  REQUIRE(report.ok());
  for (const std::string& problem : report->problems) FAIL_CHECK(problem);
  CHECK(report->sound());
  CHECK(report->events == 281);
  CHECK(report->kept_events == 20);
  CHECK(report->deliveries == 20);
  CHECK(report->settlements == 2);
  CHECK(report->groups == 1);
  CHECK(report->replay_items == 10);
  CHECK(bench.append(301, 301)[0].status == AppendStatus::stored);
}

TEST_CASE("check: every kind of damage is found") {
  TempFolder folder;
  {
    StoreBench bench(in(folder.path()));
    fill(bench);
  }
  const char* const damages[] = {
      "UPDATE events SET record = substr(record, 1, 25) || x'00' || substr(record, 27)",
      "UPDATE events SET pos = pos + 5000 WHERE (pos & 0xFFFFFFFF) = 60",
      "DELETE FROM kept_events WHERE (pos & 0xFFFFFFFF) = 4",
      "UPDATE kept_events SET record = x'' WHERE (pos & 0xFFFFFFFF) = 4",
      "UPDATE deliveries SET record = x'01' WHERE (pos & 0xFFFFFFFF) = 4",
      "UPDATE deliveries SET state = 2 WHERE (pos & 0xFFFFFFFF) = 4",
      "UPDATE deliveries SET group_id = 77 WHERE (pos & 0xFFFFFFFF) = 4",
      "DELETE FROM deliveries WHERE (pos & 0xFFFFFFFF) = 4",
      "UPDATE settlements SET record = x'01'",
      "UPDATE settlements SET max_seq = 99",
      "UPDATE holds SET record = x'01'",
      "UPDATE groups SET record = x'01'",
      "DELETE FROM groups",
      "UPDATE replays SET record = x'01'",
      "UPDATE replays SET state = 3",
      "DELETE FROM replay_items WHERE (pos & 0xFFFFFFFF) = 4",
      "DELETE FROM replays",
      "UPDATE audit SET record = x'01' WHERE number = 3",
      "DELETE FROM audit WHERE number = 3",
      "DELETE FROM audit WHERE number = 20",
      "DELETE FROM audit",
      "UPDATE audit SET number = 21 WHERE number = 20",
      "DELETE FROM meta WHERE CAST(key AS TEXT) = 'audit.head'",
      "UPDATE flows SET cursor = x'01'",
      "UPDATE flows SET record = x'01'",
      "UPDATE streams SET record = x'01'",
      "UPDATE streams SET first_seq = 200",
      "UPDATE meta SET record = x'01'",
      "DELETE FROM streams",
  };
  for (const char* damage : damages) {
    CAPTURE(std::string(damage));
    TempFolder copy;
    fs::copy_file(folder.path() + "/weir.db", copy.path() + "/weir.db");
    CHECK(check(copy.path())->sound());
    edit(copy.path(), damage);
    const auto report = check(copy.path());
    REQUIRE(report.ok());
    CHECK(!report->sound());
    CHECK(report->problems.size() <= kProblemsMax);
  }
}

TEST_CASE("check: the list of problems is bounded, their number is not") {
  TempFolder folder;
  {
    StoreBench bench(in(folder.path()));
    fill(bench);
  }
  edit(folder.path(), "UPDATE events SET record = x'01'");
  const auto report = check(folder.path());
  CHECK(report->problems.size() == kProblemsMax);
  CHECK(report->problems_total == 281);
}

TEST_CASE("check: what is no store at all") {
  TempFolder folder;
  CHECK(check(folder.path()).error().code == Code::store_unreadable);
  std::ofstream(folder.path() + "/weir.db") << std::string(20'000, 'x');
  CHECK(check(folder.path()).error().code == Code::store_corrupt);
}

TEST_CASE("info tells what is there") {
  TempFolder folder;
  StoreBench bench(in(folder.path()));
  fill(bench);
  const auto report = info(folder.path());
  REQUIRE(report.ok());
  CHECK(report->format == kFormat);
  CHECK(report->incarnation == 1);
  CHECK(report->bytes > 100'000);
  CHECK(report->streams == std::vector<std::string>{"orders: 281 events, 20..300"});
  CHECK(report->flows == std::vector<std::string>{"ship: floor 1, mark 1, active"});
  CHECK(report->quarantined == 20);
}

TEST_CASE("backup and restore: the same content, one incarnation later") {
  TempFolder folder;
  TempFolder elsewhere;
  const std::string file = elsewhere.path() + "/copy.db";
  const std::string restored = elsewhere.path() + "/restored";
  StoreBench bench(in(folder.path()));
  fill(bench);
  const std::string before = content_of(bench);
  std::uint64_t calls = 0;
  const auto done = backup(folder.path(), file, [&](std::uint64_t pages, std::uint64_t total) {
    CHECK(pages <= total);
    if (++calls == 1) bench.append(400, 420);  // the store goes on meanwhile
  });
  if (!done.ok()) FAIL(to_text(done.error()));
  CHECK(calls > 0);
  CHECK(backup(folder.path(), file, nullptr).error().code == Code::invalid_argument);
  REQUIRE(restore(file, restored, kRestored).ok());
  CHECK(check(restored)->sound());
  CHECK(info(restored)->incarnation == 2);
  {
    StoreBench again(in(restored));
    std::string content = content_of(again);
    const std::string line = "audit 21 store.restore here\n";
    REQUIRE(content.find(line) != std::string::npos);
    CHECK(content.erase(content.find(line), line.size()) == before);
    CHECK(again.append(301, 301)[0].seq == 301);
  }
  CHECK(restore(file, restored, kRestored).error().code == Code::store_in_use);
  CHECK(restore(file, folder.path(), kRestored).error().code == Code::store_in_use);
}

TEST_CASE("restore refuses what is no sound backup, and leaves nothing behind") {
  TempFolder folder;
  const std::string file = folder.path() + "/file";
  CHECK(restore(file, folder.path() + "/data", kRestored).error().code == Code::store_unreadable);
  std::ofstream(file) << std::string(50'000, 'x');
  CHECK(restore(file, folder.path() + "/data", kRestored).error().code == Code::store_corrupt);
  CHECK(!fs::exists(folder.path() + "/data/weir.db"));
  CHECK(!fs::exists(folder.path() + "/data/weir.db.new"));
}

}  // namespace
}  // namespace weir::store::sqlite
