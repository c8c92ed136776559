// SPDX-License-Identifier: Apache-2.0
#include "plain_table.h"

#include <cerrno>
#include <filesystem>

#include <sqlite3.h>

#include "options.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::bench {
namespace {

using store::sqlite::Access;
using store::sqlite::Connection;

void check(const Result<>& result) {
  errno = 0;
  if (!result.ok()) fail(to_text(result.error()));
}

Connection open_new(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  auto opened = Connection::open(path, "", Access::create);
  if (!opened.ok()) fail(to_text(opened.error()));
  check(store::sqlite::apply_settings(*opened, Access::create));
  return std::move(*opened);
}

}  // namespace

struct PlainTable::Impl {
  explicit Impl(const std::string& path)
      : db(open_new(path)), checkpointer(db, store::sqlite::Options{}.wal_bytes_max) {
    check(db.execute("CREATE TABLE plain(pos INTEGER PRIMARY KEY, record BLOB NOT NULL)"));
    insert = prepare("INSERT INTO plain(pos, record) VALUES(?1, ?2)");
    erase = prepare("DELETE FROM plain WHERE pos >= ?1 AND pos < ?2");
  }
  ~Impl() {
    sqlite3_finalize(insert);
    sqlite3_finalize(erase);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db.handle(), sql, -1, &statement, nullptr) != SQLITE_OK)
      fail(sqlite3_errmsg(db.handle()));
    return statement;
  }
  void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) fail(sqlite3_errmsg(db.handle()));
    sqlite3_reset(statement);
  }

  Connection db;
  store::sqlite::Checkpointer checkpointer;
  sqlite3_stmt* insert = nullptr;
  sqlite3_stmt* erase = nullptr;
};

PlainTable::PlainTable(const std::string& folder)
    : impl_(std::make_unique<Impl>(folder + "/plain.db")) {}
PlainTable::~PlainTable() = default;

void PlainTable::insert(std::int64_t first, std::int64_t count, std::string_view bytes) {
  check(impl_->db.execute("BEGIN IMMEDIATE"));
  for (std::int64_t row = first; row < first + count; ++row) {
    sqlite3_bind_int64(impl_->insert, 1, row);
    sqlite3_bind_blob(impl_->insert, 2, bytes.data(), static_cast<int>(bytes.size()),
                      SQLITE_STATIC);
    impl_->step(impl_->insert);
  }
  commit();
}

void PlainTable::erase(std::int64_t first, std::int64_t count) {
  check(impl_->db.execute("BEGIN IMMEDIATE"));
  sqlite3_bind_int64(impl_->erase, 1, first);
  sqlite3_bind_int64(impl_->erase, 2, first + count);
  impl_->step(impl_->erase);
  commit();
}

void PlainTable::commit() {
  check(impl_->db.execute("COMMIT"));
  check(impl_->checkpointer.after_commit());
}

}  // namespace weir::bench
