// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/connection.h"

#include <fmt/format.h>
#include <sqlite3.h>

namespace weir::store::sqlite {
namespace {

// Only a check or a backup by another process can be in the way, and only of the checkpoint at the
// start.
constexpr int kBusyTimeoutMillis = 5000;

}  // namespace

Error error_of(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  std::string detail = fmt::format("{} (SQLite {})", sqlite3_errmsg(db), code);
  switch (code & 0xFF) {
    case SQLITE_FULL: return {Code::store_full, std::move(detail), "free some disk space"};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::store_corrupt, std::move(detail),
              "run `weir store check` and restore a backup"};
    default:
      return {Code::store_failed, std::move(detail), "check the disk, then start Weir again"};
  }
}

Query::~Query() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

void Query::bind(int parameter, std::int64_t value) {
  sqlite3_bind_int64(statement_, parameter, value);
}

void Query::bind(int parameter, std::string_view bytes) {
  // An empty view may have no address, and that would be NULL.
  const char* address = bytes.empty() ? "" : bytes.data();
  sqlite3_bind_blob64(statement_, parameter, address, bytes.size(), SQLITE_TRANSIENT);
}

void Query::bind_in_place(int parameter, std::string_view bytes) {
  const char* address = bytes.empty() ? "" : bytes.data();
  sqlite3_bind_blob64(statement_, parameter, address, bytes.size(), SQLITE_STATIC);
}

Result<bool> Query::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return error_of(sqlite3_db_handle(statement_));
}

std::int64_t Query::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::bytes(int column) const {
  const auto* address = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  return {address, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Query::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<Connection> Connection::open(const std::string& path, const std::string& vfs,
                                    Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (access == Access::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, vfs.empty() ? nullptr : vfs.c_str());
  Connection connection(db);
  if (code != SQLITE_OK) {
    const char* reason = db == nullptr ? "out of memory" : sqlite3_errmsg(db);
    return Error{Code::store_unreadable, fmt::format("{}: {}", path, reason),
                 "check the path and its permissions"};
  }
  if (access == Access::read) sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  connection.set_patient(true);
  return connection;
}

Connection::Connection(Connection&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), statements_(std::move(other.statements_)) {
  other.statements_.clear();
}

Connection::~Connection() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(db_);
}

Result<> Connection::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return error_of(db_);
  return {};
}

Result<Query> Connection::prepared(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                                        nullptr);
    if (code != SQLITE_OK) return error_of(db_);
  }
  return Query(statement);
}

Result<std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)>> Connection::prepare(
    const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.c_str(), static_cast<int>(sql.size()), &statement, nullptr) !=
      SQLITE_OK) {
    return error_of(db_);
  }
  return std::unique_ptr<sqlite3_stmt, void (*)(sqlite3_stmt*)>(
      statement, [](sqlite3_stmt* s) { sqlite3_finalize(s); });
}

void Connection::set_patient(bool patient) {
  sqlite3_busy_timeout(db_, patient ? kBusyTimeoutMillis : 0);
}

std::int64_t Connection::changes() const { return sqlite3_changes64(db_); }

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

}  // namespace weir::store::sqlite
