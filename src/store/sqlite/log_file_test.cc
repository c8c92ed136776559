// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/log_file.h"

#include <doctest/doctest.h>

#include "store/sqlite/connection.h"
#include "store/sqlite/testing/fault_vfs.h"

namespace weir::store::sqlite {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kFrame = 24 + kPage;

// The log of ten commits of one small row each, as SQLite wrote it.
std::string log_of_ten_commits() {
  testing::FaultVfs vfs;
  auto db = Connection::open("/t.db", vfs.name(), Access::create);
  REQUIRE(db.ok());
  REQUIRE(db->execute("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(x "
                      "INTEGER PRIMARY KEY)")
              .ok());
  for (int i = 1; i <= 10; ++i) REQUIRE(db->run("INSERT INTO t VALUES(?1)", i).ok());
  return std::string(vfs.disk().read("/t.db-wal", 0, 10 << 20));
}

TEST_CASE("log: a whole one and every torn tail are fine") {
  const std::string log = log_of_ten_commits();
  REQUIRE(log.size() > 11 * kFrame);
  CHECK(find_log_damage(log, kPage) == std::nullopt);
  for (std::size_t size = 0; size < log.size(); size += 97)
    CHECK(find_log_damage(log.substr(0, size), kPage) == std::nullopt);
}

TEST_CASE("log: one unsynced transaction at the end may be broken") {
  std::string log = log_of_ten_commits();
  log[log.size() - 50] ^= 1;
  CHECK(find_log_damage(log, kPage) == std::nullopt);
}

TEST_CASE("log: a flipped bit with acknowledged commits behind it is damage") {
  const std::string log = log_of_ten_commits();
  const std::size_t end = log.size() - 3 * kFrame;
  for (std::size_t at = 0; at < end; at += at < 200 ? 1 : 211) {
    CAPTURE(at);
    std::string damaged = log;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    CHECK(find_log_damage(damaged, kPage).has_value());
  }
}

TEST_CASE("log: opening refuses damage and leaves the file as it is") {
  testing::FaultVfs vfs;
  {
    auto db = Connection::open("/t.db", vfs.name(), Access::create);
    REQUIRE(db->execute("PRAGMA page_size=8192; PRAGMA journal_mode=WAL; PRAGMA "
                        "wal_autocheckpoint=0; CREATE TABLE t(x INTEGER PRIMARY KEY)")
                .ok());
    for (int i = 1; i <= 10; ++i) REQUIRE(db->run("INSERT INTO t VALUES(?1)", i).ok());
    vfs.disk().cut_at(vfs.disk().operations() + 1);  // no checkpoint at the close
  }
  vfs.disk().restart();
  CHECK(secure_log("/t.db", vfs.name()).ok());
  vfs.disk().flip("/t.db-wal", 5000);
  const auto refused = secure_log("/t.db", vfs.name());
  REQUIRE(!refused.ok());
  CHECK(refused.error().code == Code::store_corrupt);
  CHECK(secure_log("/none.db", vfs.name()).ok());
  CHECK(secure_log("/t.db", "no-such-vfs").error().code == Code::store_unreadable);
}

}  // namespace
}  // namespace weir::store::sqlite
