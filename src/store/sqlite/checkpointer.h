// SPDX-License-Identifier: Apache-2.0
// Moves the write-ahead log into the database file: when it is long, or when there is nothing else
// to do. Runs on the storage thread, on its connection: exactly one connection writes and
// checkpoints.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/sqlite/connection.h"

namespace weir::store::sqlite {

// At the start: everything in the log goes into the database file, both are synced, the log is
// emptied. Whatever was visible is durable afterwards, even if it came from a page cache that a
// failed sync had left behind. store_in_use if another process reads for too long; store_failed,
// store_full.
Result<> checkpoint_at_open(Connection& db);

class Checkpointer {
 public:
  // Watches the log of `db`, which must stay where it is.
  Checkpointer(Connection& db, std::uint64_t wal_bytes_max);

  // After a commit. Errors of the storage only; a reader in the way is none.
  Result<> after_commit();
  // Moves everything into the database and makes the log empty. False if a reader is in the way.
  Result<bool> truncate();
  // When nothing waits: a smaller log will do, and free pages are given back in small steps.
  Result<> when_idle();
  // There is something that when_idle() would do.
  bool wants_idle() const { return frames_ >= kIdleFrames || vacuum_pending_; }

 private:
  static constexpr int kIdleFrames = 64;
  static int on_commit(void* self, sqlite3* db, const char* name, int frames);
  Result<> checkpoint();
  Result<> give_back_pages();

  Connection& db_;
  int frames_max_;
  int frames_ = 0;  // in the log and not yet in the database file
  int next_ = 0;    // try again only when the log has grown to this
  bool vacuum_pending_ = false;
};

}  // namespace weir::store::sqlite
