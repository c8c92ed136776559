// SPDX-License-Identifier: Apache-2.0
// What waits for the storage thread: batches in three lanes, and questions. The only state that two
// threads share.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

#include "async/completion.h"
#include "base/time.h"
#include "ports/write_batch.h"
#include "store/sqlite/write_side.h"

namespace weir::store::sqlite {

struct PendingBatch {
  ports::WriteBatch batch;
  async::Completion<Result<ports::Receipt>> done;
  std::size_t event_bytes = 0;
  MonoTime latest{};  // it waits for company until then; zero = not looked at yet
};

using Question = std::move_only_function<void(WriteSide&)>;

// What one wake-up of the storage thread finds, in the order of the lanes.
struct Intake {
  std::deque<PendingBatch> batches;
  std::vector<Question> questions;
  bool stopping = false;  // stop() was called; batches may still be queued
};

class CommitQueue {
 public:
  // Any thread.
  void push(ports::WriteBatch batch, async::Completion<Result<ports::Receipt>> done);
  void ask(Question question);
  void stop();
  std::size_t pending_bytes() const { return pending_bytes_.load(std::memory_order_relaxed); }

  // The storage thread, whose clock is `now`. Waits for work that is not itself patient, at most
  // `patience`; takes all settling and operator
  // batches, and ingest batches up to event_bytes_max (at least one).
  Intake take(Duration patience, std::size_t event_bytes_max, const std::function<MonoTime()>& now);
  // Waits, whatever is queued, until stop() or the end of `patience`.
  void rest(Duration patience);
  // After stop(): nothing is queued any more.
  bool drained() const;
  // Puts batches that did not get their turn back to where they came from.
  void put_back(std::deque<PendingBatch> batches);
  // The batch is answered, or about to be.
  void finished(const PendingBatch& batch) {
    pending_bytes_.fetch_sub(batch.event_bytes, std::memory_order_relaxed);
  }

 private:
  bool has_work() const;
  // When the first of those that wait for company must go, which has come if it is `now`.
  MonoTime first_to_go(MonoTime now, MonoTime otherwise);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::array<std::deque<PendingBatch>, 3> lanes_;
  std::vector<Question> questions_;
  bool stopping_ = false;
  std::atomic<std::size_t> pending_bytes_{0};
};

}  // namespace weir::store::sqlite
