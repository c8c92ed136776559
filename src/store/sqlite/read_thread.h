// SPDX-License-Identifier: Apache-2.0
// A thread with a read-only connection that answers questions one after the other. It never
// checkpoints.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "async/completion.h"
#include "store/sqlite/read_side.h"

namespace weir::store::sqlite {

class ReadThread {
 public:
  ReadThread(Connection db, std::shared_ptr<Keyring> ring);
  // Answers what was asked, then ends.
  ~ReadThread();
  ReadThread(const ReadThread&) = delete;
  ReadThread& operator=(const ReadThread&) = delete;

  // The answer of question(ReadSide&), which runs in one read transaction on this thread.
  template <class T, class Ask>
  async::Task<Result<T>> ask(Ask question) {
    co_return co_await async::complete_with<Result<T>>(
        [this, question = std::move(question)](async::Completion<Result<T>> done) mutable {
          push([question = std::move(question), done = std::move(done)](ReadSide& side) mutable {
            done(in_transaction<T>(side, question));
          });
        });
  }

 private:
  using Job = std::move_only_function<void(ReadSide&)>;

  template <class T, class Ask>
  static Result<T> in_transaction(ReadSide& side, Ask& question) {
    WEIR_CHECK(side.db.execute("BEGIN"));
    Result<T> answer = question(side);
    const Result<> ended = side.db.execute("COMMIT");
    if (answer.ok() && !ended.ok()) return ended.error();
    return answer;
  }
  void push(Job job);
  void run();

  ReadSide side_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace weir::store::sqlite
