// SPDX-License-Identifier: Apache-2.0
// The thread that owns the only writing and checkpointing connection: takes everything queued,
// writes it as one transaction, and answers all of it with one post after the commit is durable.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include "ports/store.h"
#include "store/sqlite/checkpointer.h"
#include "store/sqlite/commit_queue.h"
#include "store/sqlite/commit_times.h"
#include "store/sqlite/space.h"
#include "store/sqlite/sqlite_store.h"

namespace weir::store::sqlite {

class StorageThread {
 public:
  // `db` was opened and verified; `options.now` is set. Takes over what the database holds;
  // store_corrupt, store_failed.
  static Result<std::unique_ptr<StorageThread>> start(Options options, Connection db);
  // Commits what was accepted, then ends the thread and closes the connection.
  ~StorageThread();
  StorageThread(const StorageThread&) = delete;
  StorageThread& operator=(const StorageThread&) = delete;

  CommitQueue& queue() { return queue_; }
  // Fills the figures of commits and space. Any thread.
  void describe(ports::StoreStatus& info) const;

 private:
  StorageThread(Options options, Connection db);
  using Batches = std::deque<PendingBatch>;
  struct Answer {
    async::Completion<Result<ports::Receipt>> done;
    Result<ports::Receipt> receipt;
  };
  // How one attempt to write a group ended.
  struct Attempt {
    std::optional<Error> error;          // of the transaction, which is rolled back then
    std::optional<std::size_t> culprit;  // the batch that met damage: the others can do without it
    std::vector<std::optional<Result<ports::Receipt>>>
        receipts;  // per batch; none if it was too late for this group
  };

  void run();
  void tick(Intake intake);
  void write(Batches batches);
  Attempt attempt(const Batches& batches);
  Result<> apply_all(const Batches& batches, Attempt& attempt);
  Result<> commit();
  void settle(Attempt attempt, Batches batches);
  bool make_room(Batches& batches);
  void refuse_ingest(Batches& batches);
  void watch_space();
  void erase_log();
  void maintain(bool idle);
  void fail(const Error& error);
  void answer(PendingBatch batch, Result<ports::Receipt> receipt);
  void answer_all(Batches batches, const Error& error);
  void send_answers();
  Duration patience() const;

  Options options_;
  Connection db_;
  WriteSide side_{db_, options_.keyring};
  Checkpointer checkpointer_;
  CommitQueue queue_;
  CommitTimes times_;
  std::vector<Answer> answers_;  // of the present group, sent together
  std::optional<Error> failed_;
  std::atomic<bool> full_{false};
  bool erasing_ = false;  // the log may still have what was erased
  MonoTime next_erasing_{};
  bool stalled_ = false;  // not even the reserve was enough: batches wait in the queue
  MonoTime space_checked_{};
  std::thread thread_;
};

}  // namespace weir::store::sqlite
