// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/read_thread.h"

namespace weir::store::sqlite {

ReadThread::ReadThread(Connection db, std::shared_ptr<Keyring> ring)
    : side_(std::move(db), std::move(ring)), thread_([this] { run(); }) {}

ReadThread::~ReadThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void ReadThread::push(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
}

void ReadThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job(side_);
    job = nullptr;
    lock.lock();
  }
}

}  // namespace weir::store::sqlite
