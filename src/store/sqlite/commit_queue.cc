// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/commit_queue.h"

#include <algorithm>
#include <iterator>
#include <ranges>

namespace weir::store::sqlite {
namespace {

std::size_t event_bytes(const ports::WriteBatch& batch) {
  std::size_t bytes = 0;
  for (const ports::Mutation& mutation : batch.mutations) {
    const auto* append = std::get_if<ports::AppendEvents>(&mutation);
    if (append == nullptr) continue;
    for (const ports::NewEvent& event : append->events) bytes += event.record.size();
  }
  return bytes;
}

std::size_t lane_of(const PendingBatch& batch) {
  return static_cast<std::size_t>(batch.batch.lane);
}

}  // namespace

void CommitQueue::push(ports::WriteBatch batch, async::Completion<Result<ports::Receipt>> done) {
  PendingBatch pending{std::move(batch), std::move(done)};
  pending.event_bytes = event_bytes(pending.batch);
  pending_bytes_.fetch_add(pending.event_bytes, std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    lanes_[lane_of(pending)].push_back(std::move(pending));
  }
  wake_.notify_one();
}

void CommitQueue::ask(Question question) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(question));
  }
  wake_.notify_one();
}

void CommitQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
}

bool CommitQueue::has_work() const {
  return stopping_ || !questions_.empty() ||
         std::ranges::any_of(lanes_, [](const auto& lane) { return !lane.empty(); });
}

MonoTime CommitQueue::first_to_go(MonoTime now, MonoTime otherwise) {
  if (stopping_ || !questions_.empty()) return now;
  for (auto& lane : lanes_) {
    for (PendingBatch& pending : lane) {
      if (pending.latest == MonoTime{}) pending.latest = now + pending.batch.patience;
      otherwise = std::min(otherwise, pending.latest);
    }
  }
  return std::max(otherwise, now);
}

Intake CommitQueue::take(Duration patience, std::size_t event_bytes_max,
                         const std::function<MonoTime()>& now) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [this] { return has_work(); });
  while (has_work()) {
    const MonoTime at = now();
    const MonoTime first = first_to_go(at, at + patience);
    if (first <= at) break;
    wake_.wait_for(lock, first - at);
  }
  Intake intake;
  intake.questions = std::exchange(questions_, {});
  auto& ingest = lanes_[static_cast<std::size_t>(ports::Lane::ingest)];
  for (auto& lane : lanes_) {
    if (&lane == &ingest) continue;
    std::ranges::move(lane, std::back_inserter(intake.batches));
    lane.clear();
  }
  std::size_t bytes = 0;
  while (!ingest.empty() && (bytes == 0 || bytes + ingest.front().event_bytes <= event_bytes_max)) {
    bytes += ingest.front().event_bytes + 1;
    intake.batches.push_back(std::move(ingest.front()));
    ingest.pop_front();
  }
  intake.stopping = stopping_;
  return intake;
}

void CommitQueue::rest(Duration patience) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, patience, [this] { return stopping_; });
}

bool CommitQueue::drained() const {
  const std::lock_guard lock(mutex_);
  return stopping_ && questions_.empty() &&
         std::ranges::all_of(lanes_, [](const auto& lane) { return lane.empty(); });
}

void CommitQueue::put_back(std::deque<PendingBatch> batches) {
  const std::lock_guard lock(mutex_);
  for (PendingBatch& batch : std::views::reverse(batches)) {
    lanes_[lane_of(batch)].push_front(std::move(batch));
  }
}

}  // namespace weir::store::sqlite
