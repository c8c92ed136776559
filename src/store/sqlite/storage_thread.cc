// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/storage_thread.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <sqlite3.h>

#include "base/failpoint.h"
#include "base/seeded_bug.h"

namespace weir::store::sqlite {
namespace {

using namespace ports;

constexpr Duration kSpaceCheckEvery = std::chrono::seconds{1};
constexpr Duration kStallRest = std::chrono::milliseconds{200};
constexpr Duration kEraseRest = std::chrono::milliseconds{200};  // a reader was in the way
constexpr Duration kLongTime = std::chrono::hours{1};

Error injected(const char* name) {
  return Error{Code::store_failed, std::string("failpoint ") + name, ""};
}

Error full_error() {
  return Error{Code::store_full, "the disk of the data folder is full",
               "free some space; ingest goes on by itself"};
}

// A store with data keys is never served without them, and one that is given a key is encrypted
// from the first record on.
Result<> prepare_keys(WriteSide& side) {
  WEIR_CHECK(side.keys.verify());
  if (!side.keys.on()) return {};
  WEIR_CHECK(side.db.execute("BEGIN IMMEDIATE"));
  Result<> made = side.keys.ensure_store_key();
  WEIR_CHECK(side.db.execute(made.ok() ? "COMMIT" : "ROLLBACK"));
  return made;
}

}  // namespace

Result<std::unique_ptr<StorageThread>> StorageThread::start(Options options, Connection db) {
  std::unique_ptr<StorageThread> self(new StorageThread(std::move(options), std::move(db)));
  WEIR_CHECK(prepare_keys(self->side_));
  WEIR_CHECK(load(self->side_, false));
  if (self->options_.space) self->options_.space->hold_reserve();
  self->thread_ = std::thread([thread = self.get()] { thread->run(); });
  return self;
}

StorageThread::StorageThread(Options options, Connection db)
    : options_(std::move(options)),
      db_(std::move(db)),
      checkpointer_(db_, options_.wal_bytes_max) {}

StorageThread::~StorageThread() {
  if (thread_.joinable()) {
    queue_.stop();
    thread_.join();
  }
  // After a failure nothing more is written: what the next open finds and checkpoints is what
  // counts.
  if (failed_) sqlite3_db_config(db_.handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

void StorageThread::describe(StoreStatus& info) const {
  times_.describe(info);
  info.full = full_.load(std::memory_order_relaxed);
}

void StorageThread::run() {
  for (;;) {
    Intake intake = queue_.take(patience(), options_.group_bytes_max, options_.now);
    const bool stopping = intake.stopping;
    tick(std::move(intake));
    if (stopping && queue_.drained()) return;
    if (stalled_) queue_.rest(kStallRest);
  }
}

Duration StorageThread::patience() const {
  if (!failed_ && erasing_) return options_.idle_after;
  if (!failed_ && checkpointer_.wants_idle()) return options_.idle_after;
  return full_ ? kSpaceCheckEvery : kLongTime;
}

void StorageThread::tick(Intake intake) {
  const bool idle = intake.batches.empty() && intake.questions.empty();
  for (Question& question : intake.questions) question(side_);
  watch_space();
  const bool stuck_at_end = intake.stopping && stalled_;
  if (failed_) {
    answer_all(std::move(intake.batches), *failed_);
  } else if (stuck_at_end) {
    answer_all(std::move(intake.batches), full_error());
  } else {
    write(std::move(intake.batches));
  }
  erase_log();
  send_answers();
  maintain(idle);
}

void StorageThread::write(Batches batches) {
  if (full_) refuse_ingest(batches);
  while (!batches.empty()) {
    Attempt result = attempt(batches);
    if (!result.error || WEIR_SEEDED_BUG("store.ack_of_failed_commit"))
      return settle(std::move(result), std::move(batches));
    if (result.culprit) {
      const auto bad = batches.begin() + static_cast<std::ptrdiff_t>(*result.culprit);
      answer(std::move(*bad), *result.error);
      batches.erase(bad);
    } else if (result.error->code == Code::store_full) {
      if (!make_room(batches)) return queue_.put_back(std::move(batches));
    } else {
      fail(*result.error);
      return answer_all(std::move(batches), *failed_);
    }
  }
}

// Either everything taken is durable, or nothing of it is in the database or in memory.
StorageThread::Attempt StorageThread::attempt(const Batches& batches) {
  Attempt attempt;
  attempt.receipts.resize(batches.size());
  const auto done = apply_all(batches, attempt);
  if (done.ok()) {
    stalled_ = false;
    return attempt;
  }
  attempt.error = done.error();
  if (db_.in_transaction()) (void)db_.execute("ROLLBACK").ok();
  if (attempt.error->code == Code::store_failed) return attempt;
  const auto reloaded = load(side_, true);
  if (!reloaded.ok()) {
    attempt.error = Error{Code::store_failed, reloaded.error().detail, ""};
    attempt.culprit.reset();
  }
  return attempt;
}

Result<> StorageThread::apply_all(const Batches& batches, Attempt& attempt) {
  if (WEIR_FAILPOINT("store.before_begin")) return injected("store.before_begin");
  const MonoTime begun = options_.now();
  bool served[3] = {false, false, false};
  side_.keys.begin();
  WEIR_CHECK(db_.execute("BEGIN IMMEDIATE"));
  for (std::size_t i = 0; i < batches.size(); ++i) {
    const WriteBatch& batch = batches[i].batch;
    bool& lane_served = served[static_cast<std::size_t>(batch.lane)];
    const bool may_wait = batch.lane != Lane::settle && lane_served;
    if (may_wait && options_.now() - begun > options_.group_time_max) continue;
    if (WEIR_FAILPOINT("store.before_apply")) return injected("store.before_apply");
    auto receipt = apply_batch(side_, batch);
    lane_served = true;
    if (!receipt.ok() && is_fatal(receipt.error())) {
      if (is_damage(receipt.error())) attempt.culprit = i;
      return std::move(receipt).error();
    }
    attempt.receipts[i] = std::move(receipt);
  }
  const MonoTime applied = options_.now();
  WEIR_CHECK(commit());
  times_.record(options_.now() - applied, batches.size());
  return {};
}

Result<> StorageThread::commit() {
  if (WEIR_FAILPOINT("store.before_commit")) return injected("store.before_commit");
  if (WEIR_FAILPOINT("store.full")) return full_error();
  WEIR_CHECK(db_.execute("COMMIT"));
  if (WEIR_FAILPOINT("store.after_commit")) return injected("store.after_commit");
  return {};
}

void StorageThread::settle(Attempt attempt, Batches batches) {
  Batches late;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (auto& receipt = attempt.receipts[i]) {
      if (receipt->ok()) hand_back(batches[i].batch, **receipt);
      answer(std::move(batches[i]), *std::move(receipt));
    } else {
      late.push_back(std::move(batches[i]));
    }
  }
  if (!late.empty()) queue_.put_back(std::move(late));
}

// The first time the disk is full: ingest is refused and the reserve given up, so that the rest can
// go on. If that is not enough either, the rest waits.
bool StorageThread::make_room(Batches& batches) {
  stalled_ = full_ && !(options_.space && options_.space->has_reserve());
  full_ = true;
  if (options_.space) options_.space->release_reserve();
  refuse_ingest(batches);
  return !stalled_;
}

void StorageThread::refuse_ingest(Batches& batches) {
  Batches rest;
  for (PendingBatch& batch : batches) {
    if (batch.batch.lane == Lane::ingest) {
      answer(std::move(batch), full_error());
    } else {
      rest.push_back(std::move(batch));
    }
  }
  batches = std::move(rest);
}

void StorageThread::watch_space() {
  const MonoTime now = options_.now();
  if (now - space_checked_ < kSpaceCheckEvery) return;
  space_checked_ = now;
  if (!options_.space) {
    full_ = false;
    return;
  }
  const bool low = options_.space->free_bytes() < options_.disk_free_min;
  full_ = low || !options_.space->hold_reserve();
}

// Once an erasure is committed: readers remember no data keys, and the log goes. A reader in the
// way only delays that.
void StorageThread::erase_log() {
  if (std::exchange(side_.log_must_go, false)) {
    if (side_.keys.on()) side_.keys.ring()->note_destroyed();
    erasing_ = true;
    next_erasing_ = MonoTime{};
  }
  const MonoTime now = options_.now();
  if (!erasing_ || failed_ || stalled_ || now < next_erasing_) return;
  next_erasing_ = now + kEraseRest;
  const auto done = checkpointer_.truncate();
  if (!done.ok()) return fail(done.error());
  erasing_ = !*done;
}

// After the answers: a checkpoint that fails takes back no commit.
void StorageThread::maintain(bool idle) {
  if (failed_) return;
  const auto done = idle && !full_ ? checkpointer_.when_idle() : checkpointer_.after_commit();
  if (done.ok()) return;
  if (done.error().code == Code::store_full) {
    full_ = true;
    if (options_.space) options_.space->release_reserve();
  } else {
    fail(done.error());
  }
}

void StorageThread::fail(const Error& error) {
  failed_ = Error{Code::store_failed, error.detail, "check the disk, then start Weir again"};
  if (!options_.on_failed) return;
  boost::asio::post(options_.executor,
                    [tell = options_.on_failed, failure = *failed_] { tell(failure); });
}

void StorageThread::answer(PendingBatch batch, Result<Receipt> receipt) {
  queue_.finished(batch);
  answers_.push_back({std::move(batch.done), std::move(receipt)});
}

void StorageThread::answer_all(Batches batches, const Error& error) {
  for (PendingBatch& batch : batches) answer(std::move(batch), error);
}

void StorageThread::send_answers() {
  if (answers_.empty()) return;
  (void)WEIR_FAILPOINT("store.before_reply");
  boost::asio::post(options_.executor, [answers = std::exchange(answers_, {})]() mutable {
    for (Answer& answer : answers) answer.done.resume_here(std::move(answer.receipt));
  });
}

}  // namespace weir::store::sqlite
