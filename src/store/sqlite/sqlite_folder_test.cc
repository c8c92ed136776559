// SPDX-License-Identifier: Apache-2.0
// Opening a data folder: what is refused, and with which words.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ports/testing/store_content.h"
#include "store/sqlite/check.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "store/sqlite/testing/temp_folder.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;
using namespace ports;
using namespace ports::testing;
using testing::TempFolder;

Options options_of(const TempFolder& folder, async::Executor executor) {
  Options options{.folder = folder.path(), .executor = std::move(executor)};
  options.reserve_bytes = 1 << 16;
  options.disk_free_min = 1 << 16;
  return options;
}

StoreFactory store_in(const TempFolder& folder) {
  return [&folder](async::Executor executor) {
    auto store = open(options_of(folder, std::move(executor)));
    if (!store.ok()) FAIL(to_text(store.error()));
    return *std::move(store);
  };
}

// A closed store with a stream, 50 events, a quarantined delivery and a settlement.
void fill(const TempFolder& folder) {
  StoreBench bench(store_in(folder));
  bench.register_names();
  bench.append(1, 50);
  bench.commit({PutDelivery{delivery(3, DeliveryState::quarantined)}, KeepEvent{ref(3)},
                join(3, "aaaa", at(1)),
                AddSettlements{kFlow, kStream, at(1), {{1, 204, 1, 1}, {2, 204, 1, 1}}}});
}

Error refusal(const TempFolder& folder) {
  auto store = open(options_of(folder, async::Executor()));
  REQUIRE(!store.ok());
  return store.error();
}

void edit(const TempFolder& folder, const char* sql) {
  auto db = Connection::open(folder.path() + "/weir.db", "", Access::write);
  REQUIRE(db.ok());
  const auto done = db->execute(sql);
  if (!done.ok()) FAIL(to_text(done.error()));
}

std::string database(const TempFolder& folder) { return folder.path() + "/weir.db"; }

// Opens again after something was done to the closed folder.
TEST_CASE("data folder: what was written is there after a restart") {
  TempFolder folder;
  StoreBench bench(store_in(folder));
  bench.register_names();
  bench.append(1, 5000, at(10));
  bench.commit({TrimStream{kStream, 900, {}},
                PutCursor{kFlow, {.floor = 4, .mark = 90, .settled = {{5, 9}}}}});
  bench.commit({PutDelivery{delivery(3, DeliveryState::quarantined)}, join(3, "aaaa", at(1))});
  const std::string before = content_of(bench);
  bench.reopen();
  CHECK(content_of(bench) == before);
  SUBCASE("duplicates are still known, from segments and from the tail") {
    CHECK(bench.append(1000, 1000, at(10))[0].status == AppendStatus::duplicate);
    CHECK(bench.append(4999, 4999, at(10))[0].status == AppendStatus::duplicate);
    CHECK(*bench.run(bench.store().events().find(kStream, "/test", "e1234")) == place(1234));
    CHECK(bench.append(899, 899, at(10))[0].seq == 5001);
  }
  SUBCASE("numbers go on after everything was trimmed") {
    bench.commit({TrimStream{kStream, 5001, {}}});
    bench.reopen();
    CHECK(bench.append(6000, 6000, at(11))[0].seq == 5001);
  }
  SUBCASE("recorded times do not run backwards over a restart") {
    CHECK(bench.append(6000, 6000, at(3))[0].seq == 5001);
    CHECK((*bench.run(bench.store().events().read(kStream, 5001, 1, 1)))[0].recorded == at(10));
  }
}

TEST_CASE("data folder: a second opener is refused, naming the first") {
  TempFolder folder;
  StoreBench bench(store_in(folder));
  const Error error = refusal(folder);
  CHECK(error.code == Code::store_in_use);
  CHECK(error.detail.find(fmt::format("process {}", getpid())) != std::string::npos);
}

TEST_CASE("data folder: not made if that is not wanted") {
  TempFolder folder;
  Options options = options_of(folder, async::Executor());
  options.create = false;
  CHECK(open(options).error().code == Code::store_unreadable);
  options.folder += "/missing";
  CHECK(open(options).error().code == Code::store_unreadable);
}

TEST_CASE("data folder: a folder that is a file") {
  TempFolder folder;
  std::ofstream(folder.path() + "/file") << "x";
  Options options = options_of(folder, async::Executor());
  options.folder += "/file";
  CHECK(open(options).error().code == Code::store_unreadable);
}

TEST_CASE("data folder: a newer format is refused in clear words") {
  TempFolder folder;
  fill(folder);
  edit(folder, fmt::format("PRAGMA user_version={}", kFormat + 1).c_str());
  const Error error = refusal(folder);
  CHECK(error.code == Code::store_newer_format);
  CHECK(error.detail.find(fmt::format("format {}", kFormat + 1)) != std::string::npos);
}

TEST_CASE("data folder: an older format is refused in clear words") {
  TempFolder folder;
  fill(folder);
  edit(folder, "PRAGMA user_version=1");
  const Error error = refusal(folder);
  CHECK(error.code == Code::store_older_format);
  CHECK(error.detail.find("format 1") != std::string::npos);
}

TEST_CASE("data folder: a store never starts empty where there was one") {
  TempFolder folder;
  fill(folder);
  SUBCASE("the database is missing") { fs::remove(database(folder)); }
  SUBCASE("the database is empty") { fs::resize_file(database(folder), 0); }
  SUBCASE("the database is cut") { fs::resize_file(database(folder), 3 * kPageSize); }
  SUBCASE("the database is cut within a page") {
    fs::resize_file(database(folder), 3 * kPageSize + 100);
  }
  SUBCASE("the database is something else") {
    std::ofstream(database(folder)) << std::string(100'000, 'x');
  }
  SUBCASE("the database is another program's") { edit(folder, "PRAGMA application_id=77"); }
  SUBCASE("a table is missing") { edit(folder, "DROP TABLE holds"); }
  SUBCASE("the header is missing") { edit(folder, "DELETE FROM header"); }
  SUBCASE("a flow's record is damaged") { edit(folder, "UPDATE flows SET record = x'0011223344'"); }
  SUBCASE("a cursor is damaged") { edit(folder, "UPDATE flows SET cursor = substr(cursor, 1, 6)"); }
  SUBCASE("a stream's record is damaged") { edit(folder, "UPDATE streams SET record = x''"); }
  CHECK(refusal(folder).code == Code::store_corrupt);
}

void overwrite(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
}

TEST_CASE("data folder: a zeroed page anywhere is refused or found, and never crashes") {
  TempFolder source;
  fill(source);
  const std::uint64_t pages = fs::file_size(database(source)) / kPageSize;
  REQUIRE(pages > 15);
  for (std::uint64_t page = 0; page < pages; ++page) {
    CAPTURE(page);
    TempFolder folder;
    fs::copy_file(database(source), database(folder));
    overwrite(database(folder), page * kPageSize, std::string(kPageSize, '\0'));
    auto store = open(options_of(folder, async::Executor()));
    if (store.ok()) {
      store->reset();
      const auto report = check(folder.path());
      REQUIRE(report.ok());
      const bool unused_page = report->sound();
      CHECK((page == 1 || unused_page || report->problems_total > 0));
    } else {
      CHECK(store.error().code == Code::store_corrupt);
    }
  }
}

TEST_CASE("a damaged event is reported by its place, and the others are served") {
  TempFolder folder;
  fill(folder);
  edit(folder, "UPDATE events SET record = substr(record, 1, 30) WHERE (pos & 0xFFFFFFFFFF) = 7");
  StoreBench bench(store_in(folder));
  EventLog& log = bench.store().events();
  const auto before = bench.run(log.read(kStream, 1, 100, 1 << 20));
  REQUIRE(before.ok());
  CHECK(before->size() == 6);
  const auto damaged = bench.run(log.read(kStream, 7, 100, 1 << 20));
  REQUIRE(!damaged.ok());
  CHECK(damaged.error().code == Code::store_corrupt);
  CHECK(damaged.error().detail.find("1#7") != std::string::npos);
  CHECK(bench.run(log.read(kStream, 8, 100, 1 << 20))->size() == 43);
  CHECK(bench.run(log.fetch({ref(6), ref(8)}))->size() == 2);
  CHECK(!bench.run(log.fetch({ref(6), ref(7)})).ok());
  CHECK(bench.append(51, 51)[0].status == AppendStatus::stored);
  CHECK(bench.append(7, 7)[0].status ==
        AppendStatus::stored);  // cannot be compared any more: stored again, not lost
  CHECK(check(folder.path())->problems.at(0).find("1#7") != std::string::npos);
}

TEST_CASE("a damaged delivery keeps its row, without its history") {
  TempFolder folder;
  fill(folder);
  edit(folder, "UPDATE deliveries SET record = x'00'");
  StoreBench bench(store_in(folder));
  const auto row = *bench.run(bench.store().deliveries().get(ref(3)));
  REQUIRE(row.has_value());
  CHECK(row->state == DeliveryState::quarantined);
  CHECK(row->key == "k3");
  CHECK(row->history.empty());
  CHECK(row->reason.find("damaged") != std::string::npos);
  CHECK(!check(folder.path())->sound());
}

TEST_CASE("a damaged group fails the batch that needs it, not the store") {
  TempFolder folder;
  fill(folder);
  edit(folder, "UPDATE groups SET record = x'00'");
  StoreBench bench(store_in(folder));
  const auto joined = bench.try_commit(
      {.mutations = {PutDelivery{delivery(9, DeliveryState::quarantined)},
                     join(9, "aaaa", at(2))}});
  REQUIRE(!joined.ok());
  CHECK(joined.error().code == Code::store_corrupt);
  CHECK(!bench.run(bench.store().deliveries().get(ref(9)))->has_value());
  CHECK(bench.append(51, 51)[0].status == AppendStatus::stored);
}

}  // namespace
}  // namespace weir::store::sqlite
