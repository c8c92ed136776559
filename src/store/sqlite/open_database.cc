// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/open_database.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <sqlite3.h>

#include "base/failpoint.h"
#include "base/seeded_bug.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/log_file.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/vfs_sync.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kQuickCheckPages =
    2048;  // larger databases are checked by `weir store check`

Error corrupt(std::string detail) {
  return Error{Code::store_corrupt, std::move(detail),
               "run `weir store check` and restore a backup"};
}

// While opening, a disk that does not answer means that the folder cannot be used, not that we
// failed half way.
Error at_open(Error error, const std::string& path) {
  if (error.code == Code::store_failed) error.code = Code::store_unreadable;
  error.detail = fmt::format("{}: {}", path, error.detail);
  return error;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The check names pages that could not be read beside those that are wrong; a disk that fails now
// and then has damaged nothing.
bool is_read_error(std::string_view problem) {
  constexpr std::string_view kCode = "error code=";
  const auto at = problem.find(kCode);
  if (at == problem.npos) return false;
  return (std::atoi(std::string(problem.substr(at + kCode.size())).c_str()) & 0xff) == SQLITE_IOERR;
}

// "ok", or the first problem, in one line.
Result<std::string> first_problem(Connection& db) {
  WEIR_TRY(Query query, db.query("PRAGMA quick_check(1)"));
  WEIR_TRY(const bool row, query.next());
  std::string problem = row ? std::string(query.bytes(0)) : "quick_check says nothing";
  std::ranges::replace(problem, '\n', ' ');
  return problem;
}

Error not_read(const std::string& problem) {
  return Error{Code::store_failed, "a page could not be read: " + problem,
               "check the disk, then start Weir again"};
}

Result<> quick_check(Connection& db) {
  WEIR_TRY(const std::int64_t pages, db.integer("PRAGMA page_count", 0));
  if (pages > kQuickCheckPages) return {};
  WEIR_TRY(const std::string problem, first_problem(db));
  if (problem == "ok") return {};
  if (is_read_error(problem)) return not_read(problem);
  // Of some pages it does not say that they could not be read: what is damaged stays so.
  WEIR_TRY(const std::string again, first_problem(db));
  if (again == "ok") return not_read(problem);
  return corrupt(problem);
}

// The records that every start needs; the others are verified when they are read.
Result<> verify_heads(Connection& db) {
  WEIR_TRY(const auto flows, list_flows(db));
  WEIR_TRY(const auto streams, list_streams(db));
  for (const StreamRecord& stream : streams) {
    if (stream.first_seq > stream.next_seq)
      return corrupt(fmt::format("the range of stream {} is reversed", stream.name));
  }
  return {};
}

// With the log emptied, every page must be in the file itself.
Result<> verify_size(Connection& db) {
  WEIR_TRY(const std::int64_t pages, db.integer("PRAGMA page_count", 0));
  sqlite3_file* file = nullptr;
  sqlite3_int64 size = 0;
  const bool asked = sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_FILE_POINTER,
                                          static_cast<void*>(&file)) == SQLITE_OK &&
                     file->pMethods->xFileSize(file, &size) == SQLITE_OK;
  if (!asked) return Error{Code::store_failed, "the size of the database file cannot be read", ""};
  if (size >= pages * kPageSize) return {};
  return corrupt(fmt::format("weir.db is cut short: {} of {} pages", size / kPageSize, pages));
}

// After a first read: then its head has been looked at.
Result<> verify_writable(Connection& db) {
  if (sqlite3_db_readonly(db.handle(), "main") == 0) return {};
  return Error{
      Code::store_unreadable, "weir.db can only be read",
      "check its owner and mode; if they are right its head is damaged, and a backup helps"};
}

Result<> verify_and_secure(Connection& db, const std::string& folder) {
  WEIR_CHECK(verify_tables(db));
  WEIR_CHECK(verify_writable(db));
  WEIR_CHECK(quick_check(db));
  WEIR_CHECK(verify_heads(db));
  (void)WEIR_FAILPOINT("store.open_verified");
  if (!WEIR_SEEDED_BUG("store.no_checkpoint_at_open")) WEIR_CHECK(checkpoint_at_open(db));
  WEIR_CHECK(verify_size(db));
  WEIR_CHECK(sync_database(db, folder));
  (void)WEIR_FAILPOINT("store.opened");
  return {};
}

Result<> check_files(const std::string& folder, const std::string& path) {
  std::error_code ignored;
  if (exists(path)) {
    if (fs::file_size(path, ignored) > 0) return {};
    return corrupt(fmt::format("{} is empty", path));
  }
  if (exists(path + "-wal") || exists(folder + "/reserve"))
    return corrupt(fmt::format("{} is missing", path));
  return {};
}

}  // namespace

Result<> create_database(const std::string& path, const std::string& folder,
                         std::uint64_t incarnation) {
  const std::string unfinished = path + ".new";
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    fs::remove(unfinished + suffix, ignored);
  {
    WEIR_TRY(Connection db, Connection::open(unfinished, "", Access::create));
    WEIR_CHECK(apply_settings(db, Access::create));
    WEIR_CHECK(create_tables(db, incarnation));
    WEIR_CHECK(checkpoint_at_open(db));
    WEIR_CHECK(sync_database(db, folder));
  }
  if (WEIR_FAILPOINT("store.before_create"))
    return Error{Code::store_failed, "failpoint store.before_create", ""};
  fs::rename(unfinished, path, ignored);
  if (ignored)
    return Error{Code::store_failed, fmt::format("rename to {}: {}", path, ignored.message()),
                 "check the disk"};
  return sync_folder(folder);
}

Result<Connection> open_folder_database(const std::string& folder, bool create) {
  const std::string path = folder + kDatabaseFile;
  WEIR_CHECK(check_files(folder, path));
  if (!exists(path)) {
    if (!create)
      return Error{Code::store_unreadable, fmt::format("there is no store in {}", folder), ""};
    const auto created = create_database(path, folder, 1);
    if (!created.ok()) return at_open(created.error(), path);
  }
  WEIR_CHECK(secure_log(path, ""));
  WEIR_TRY(Connection db, Connection::open(path, "", Access::write));
  auto ready = apply_settings(db, Access::write);
  if (ready.ok()) ready = verify_and_secure(db, folder);
  if (!ready.ok()) return at_open(ready.error(), path);
  return db;
}

Result<Connection> open_vfs_database(const std::string& folder, const std::string& vfs) {
  WEIR_CHECK(secure_log(folder + kDatabaseFile, vfs));
  WEIR_TRY(Connection db, Connection::open(folder + kDatabaseFile, vfs, Access::create));
  WEIR_CHECK(apply_settings(db, Access::create));
  WEIR_TRY(const std::int64_t tables, db.integer("SELECT count(*) FROM sqlite_schema", 0));
  if (tables == 0) WEIR_CHECK(create_tables(db, 1));
  WEIR_CHECK(verify_and_secure(db, folder));
  return db;
}

Result<Connection> open_reader(const std::string& folder, const std::string& vfs) {
  WEIR_TRY(Connection db, Connection::open(folder + kDatabaseFile, vfs, Access::read));
  WEIR_CHECK(apply_settings(db, Access::read));
  return db;
}

}  // namespace weir::store::sqlite
