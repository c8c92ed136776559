// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/checkpointer.h"

#include <algorithm>

#include <sqlite3.h>

#include "base/failpoint.h"
#include "store/sqlite/schema.h"

namespace weir::store::sqlite {
namespace {

constexpr int kFrameBytes = kPageSize + 24;
constexpr int kRetryFrames = 256;          // after a checkpoint that a reader kept from its end
constexpr std::int64_t kVacuumPages = 64;  // given back in one step
constexpr std::int64_t kFreePagesMin = 1024;

}  // namespace

Result<> checkpoint_at_open(Connection& db) {
  if (WEIR_FAILPOINT("store.open_checkpoint"))
    return Error{Code::store_failed, "failpoint store.open_checkpoint", ""};
  WEIR_TRY(Query query, db.query("PRAGMA wal_checkpoint(TRUNCATE)"));
  WEIR_TRY(const bool row, query.next());
  const bool complete = row && query.integer(0) == 0 && query.integer(1) == query.integer(2);
  if (complete) return {};
  return Error{Code::store_in_use,
               "the log cannot be checkpointed: another process reads the store",
               "wait for the check or backup to end, then start again"};
}

Checkpointer::Checkpointer(Connection& db, std::uint64_t wal_bytes_max)
    : db_(db),
      frames_max_(std::max(1, static_cast<int>(wal_bytes_max / kFrameBytes))),
      next_(frames_max_) {
  sqlite3_wal_hook(db.handle(), &on_commit, this);
}

int Checkpointer::on_commit(void* self, sqlite3*, const char*, int frames) {
  static_cast<Checkpointer*>(self)->frames_ = frames;
  return SQLITE_OK;
}

Result<> Checkpointer::after_commit() { return frames_ >= next_ ? checkpoint() : Result<>(); }

Result<> Checkpointer::when_idle() {
  if (frames_ >= kIdleFrames) return checkpoint();
  return give_back_pages();
}

Result<> Checkpointer::checkpoint() {
  if (WEIR_FAILPOINT("store.before_checkpoint"))
    return Error{Code::store_failed, "failpoint store.before_checkpoint", ""};
  int logged = 0;
  int moved = 0;
  const int code = sqlite3_wal_checkpoint_v2(db_.handle(), "main", SQLITE_CHECKPOINT_PASSIVE,
                                             &logged, &moved);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return error_of(db_.handle());
  (void)WEIR_FAILPOINT("store.after_checkpoint");
  const bool complete = code == SQLITE_OK && logged == moved;
  next_ = complete ? frames_max_ : frames_ + kRetryFrames;
  if (complete) frames_ = 0;
  vacuum_pending_ = complete;
  return {};
}

Result<bool> Checkpointer::truncate() {
  db_.set_patient(false);  // a backup may take minutes: nothing waits for it
  const int code = sqlite3_wal_checkpoint_v2(db_.handle(), "main", SQLITE_CHECKPOINT_TRUNCATE,
                                             nullptr, nullptr);
  db_.set_patient(true);
  if ((code & 0xFF) == SQLITE_BUSY) return false;
  if (code != SQLITE_OK) return error_of(db_.handle());
  frames_ = 0;
  next_ = frames_max_;
  return true;
}

// Pages freed by retention are used again for new events; only a store that has become much smaller
// gives them back.
Result<> Checkpointer::give_back_pages() {
  vacuum_pending_ = false;
  WEIR_TRY(const std::int64_t free_pages, db_.integer("PRAGMA freelist_count", 0));
  WEIR_TRY(const std::int64_t pages, db_.integer("PRAGMA page_count", 0));
  if (free_pages < kFreePagesMin || free_pages < pages / 4) return {};
  static_assert(kVacuumPages == 64, "the number stands in SQL");
  WEIR_CHECK(db_.execute("PRAGMA incremental_vacuum(64)"));
  vacuum_pending_ = true;
  return {};
}

}  // namespace weir::store::sqlite
