// SPDX-License-Identifier: Apache-2.0
// The store on SQLite: one data folder, one process, one storage thread that owns the only writing
// connection.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "base/time.h"
#include "ports/store.h"
#include "store/records/keyring.h"

namespace weir::store::sqlite {

class Space;

struct Options {
  std::string folder;
  async::Executor executor;  // of the I/O thread that calls the ports
  bool create = true;        // make the folder and an empty store if there is none
  // A steady clock, for measuring and for bounding groups; called on the storage thread. Null =
  // async::steady_now.
  std::function<MonoTime()> now;
  // Called once on the executor when the storage failed: acknowledge nothing more and leave the
  // process.
  std::function<void(const Error&)> on_failed;

  // Encrypts what is written. Null = a plain store, which an encrypted one cannot become again.
  std::shared_ptr<Keyring> keyring;

  std::uint64_t reserve_bytes = 16u << 20;              // given back to the disk when it is full
  std::uint64_t disk_free_min = 64u << 20;              // below it, ingest is refused
  std::uint64_t wal_bytes_max = 8u << 20;               // checkpoint when the log is this long
  Duration idle_after = std::chrono::milliseconds{50};  // without work: checkpoint what there is
  std::uint64_t group_bytes_max = 4u << 20;             // event bytes in one transaction
  Duration group_time_max = std::chrono::milliseconds{
      10};  // after it, no more operator and ingest batches join

  // For tests on a disk in memory: an SQLite VFS by name. Then the folder is only a name, there is
  // no lock file, and the space is what `space` says (null = boundless).
  std::string vfs;
  std::shared_ptr<Space> space;
};

// Takes the folder's lock, verifies the database, checkpoints the log into it and syncs both, so
// that whatever is visible is durable before the first acknowledgement (reference: the
// lost-acknowledgement hole). Errors: store_in_use, store_newer_format, store_older_format,
// store_corrupt, store_unreadable, store_setting_refused, store_full, store_failed; key_missing and
// key_wrong for an encrypted store without its master key.
//
// A damaged event record fails the read that begins with it (store_corrupt, naming it); reads
// before it end before it. A damaged delivery row is listed with what its columns tell, and the
// damage as its reason.
Result<std::unique_ptr<ports::Store>> open(Options options);

}  // namespace weir::store::sqlite
