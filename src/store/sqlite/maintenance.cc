// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <fmt/format.h>
#include <sqlite3.h>

#include "store/sqlite/apply.h"
#include "store/sqlite/check.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/lock_file.h"
#include "store/sqlite/open_database.h"
#include "store/sqlite/read_side.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/vfs_sync.h"

namespace weir::store::sqlite {
namespace {

namespace fs = std::filesystem;

constexpr int kPagesPerStep = 256;
constexpr int kBusyRetriesMax = 600;
constexpr int kBusyRestMillis = 50;

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// One snapshot for the whole copy: writes meanwhile neither restart it nor end up in it.
Result<> copy_pages(Connection& from, Connection& to,
                    const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  WEIR_CHECK(from.execute("BEGIN"));
  WEIR_TRY([[maybe_unused]] const std::int64_t pin, from.integer("SELECT count(*) FROM header", 0));
  sqlite3_backup* copy = sqlite3_backup_init(to.handle(), "main", from.handle(), "main");
  if (copy == nullptr) return error_of(to.handle());
  int busy = 0;
  for (;;) {
    const int code = sqlite3_backup_step(copy, kPagesPerStep);
    const auto total = static_cast<std::uint64_t>(sqlite3_backup_pagecount(copy));
    if (progress)
      progress(total - static_cast<std::uint64_t>(sqlite3_backup_remaining(copy)), total);
    if (code == SQLITE_OK) continue;
    const bool in_the_way = (code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED;
    if (!in_the_way || ++busy > kBusyRetriesMax) break;
    sqlite3_sleep(kBusyRestMillis);
  }
  if (sqlite3_backup_finish(copy) != SQLITE_OK) return error_of(to.handle());
  return from.execute("COMMIT");
}

void remove_database(const std::string& path) {
  std::error_code ignored;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(path + suffix, ignored);
}

Result<> rename_synced(const std::string& from, const std::string& to) {
  std::error_code failure;
  fs::rename(from, to, failure);
  if (failure) return Error{Code::store_failed, fmt::format("{}: {}", to, failure.message()), ""};
  return sync_folder(folder_of(to));
}

Result<> write_backup(const std::string& folder, const std::string& path,
                      const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  WEIR_TRY(Connection from, open_reader(folder, ""));
  WEIR_CHECK(verify_tables(from));
  WEIR_TRY(Connection to, Connection::open(path, "", Access::create));
  WEIR_CHECK(to.execute("PRAGMA synchronous=FULL"));
  WEIR_CHECK(copy_pages(from, to, progress));
  return sync_database(to, folder_of(path));
}

// What was taken back after the backup was made must not be good again: nobody has access, and no
// yes counts any more.
Result<> end_access(WriteSide& side, WallTime now) {
  WEIR_TRY(const auto tokens, list_tokens(side.db));
  for (AccessToken token : tokens) {
    if (token.revoked != WallTime{}) continue;
    token.revoked = now;
    WEIR_CHECK(put_token(side, {token}));
  }
  WEIR_TRY(const auto approvals, list_approvals(side.db));
  for (Approval approval : approvals) {
    if (approval.voided != WallTime{} || approval.used != WallTime{}) continue;
    approval.voided = now;
    ++approval.version;
    WEIR_CHECK(put_approval(side, {approval}));
  }
  return {};
}

// Opened like a store of its own, so that a file that is damaged or not ours is told before
// anything has its name.
Result<> prepare_restored(const std::string& path, const std::string& folder,
                          const AuditEntry& entry) {
  WEIR_TRY(Connection db, Connection::open(path, "", Access::write));
  WEIR_CHECK(apply_settings(db, Access::write));
  WEIR_CHECK(verify_tables(db));
  {
    WEIR_TRY(Query query, db.query("PRAGMA quick_check(1)"));
    WEIR_TRY(const bool row, query.next());
    if (!row || query.bytes(0) != "ok")
      return Error{Code::store_corrupt, "the backup is damaged", "use another one"};
  }
  WEIR_CHECK(db.execute("BEGIN IMMEDIATE"));
  WEIR_TRY(const std::uint64_t incarnation, read_incarnation(db));
  WEIR_CHECK(write_incarnation(db, incarnation + 1));
  WriteSide side(db, nullptr);
  WEIR_CHECK(end_access(side, entry.at));
  WEIR_CHECK(add_audit(side, {entry}));
  WEIR_CHECK(db.execute("COMMIT"));
  WEIR_CHECK(checkpoint_at_open(db));
  return sync_database(db, folder);
}

std::string text_of(const StreamRecord& stream) {
  return fmt::format("{}: {} events, {}..{}", stream.name, stream.next_seq - stream.first_seq,
                     stream.first_seq, stream.next_seq - 1);
}

std::string text_of(const FlowRecord& flow) {
  return fmt::format("{}: floor {}, mark {}, {}", flow.name, flow.cursor.floor, flow.cursor.mark,
                     to_text(flow.status));
}

}  // namespace

Result<FolderReport> info(const std::string& folder) {
  WEIR_TRY(Connection db, open_reader(folder, ""));
  WEIR_CHECK(db.execute("BEGIN"));
  WEIR_CHECK(verify_tables(db));
  FolderReport report;
  report.format = kFormat;
  WEIR_TRY(report.incarnation, read_incarnation(db));
  std::error_code ignored;
  for (const char* suffix : {"", "-wal"}) {
    const std::string path = folder + kDatabaseFile + suffix;
    if (fs::exists(path, ignored)) report.bytes += fs::file_size(path, ignored);
  }
  WEIR_TRY(const std::int64_t free_pages, db.integer("PRAGMA freelist_count", 0));
  report.free_bytes = static_cast<std::uint64_t>(free_pages) * kPageSize;
  WEIR_TRY(const auto streams, list_streams(db));
  for (const StreamRecord& stream : streams) report.streams.push_back(text_of(stream));
  WEIR_TRY(const auto flows, list_flows(db));
  for (const FlowRecord& flow : flows) report.flows.push_back(text_of(flow));
  WEIR_TRY(const auto counts, count_flows(db));
  for (const ports::FlowCounts& count : counts) {
    report.waiting += count.waiting;
    report.quarantined += count.quarantined;
  }
  return report;
}

Result<> backup(const std::string& folder, const std::string& file,
                const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) {
    return Error{Code::invalid_argument, fmt::format("{} exists", file),
                 "choose another file name"};
  }
  const std::string unfinished = file + ".part";
  remove_database(unfinished);
  Result<> done = write_backup(folder, unfinished, progress);
  if (done.ok()) done = rename_synced(unfinished, file);
  if (!done.ok()) remove_database(unfinished);
  return done;
}

Result<> restore(const std::string& file, const std::string& folder, const AuditEntry& entry) {
  std::error_code failure;
  if (!fs::is_regular_file(file, failure)) {
    return Error{Code::store_unreadable, fmt::format("{} is no file that can be read", file), ""};
  }
  fs::create_directories(folder, failure);
  WEIR_TRY(const LockFile lock, LockFile::take(folder + "/lock"));
  const std::string path = folder + kDatabaseFile;
  if (fs::exists(path, failure)) {
    return Error{Code::store_in_use, fmt::format("{} holds a store already", folder),
                 "restore into an empty folder"};
  }
  const std::string unfinished = path + ".new";
  remove_database(unfinished);
  fs::copy_file(file, unfinished, failure);
  if (failure)
    return Error{Code::store_failed, fmt::format("{}: {}", unfinished, failure.message()), ""};
  Result<> done = prepare_restored(unfinished, folder, entry);
  if (!done.ok()) {
    remove_database(unfinished);
    return Error{done.error().code, fmt::format("{}: {}", file, done.error().detail),
                 done.error().code == Code::store_corrupt ? "restore another backup" : ""};
  }
  done = rename_synced(unfinished, path);
  if (!done.ok()) remove_database(unfinished);
  return done;
}

}  // namespace weir::store::sqlite
