// SPDX-License-Identifier: Apache-2.0
// One flow while it runs: reads its stream ahead, filters, keeps keys in order, and offers what may
// be sent now.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "async/task_group.h"
#include "delivery/candidate.h"
#include "delivery/cursor_tracker.h"
#include "delivery/due_rows.h"
#include "delivery/key_gate.h"
#include "delivery/settler.h"
#include "model/config_model.h"
#include "policy/dead_letter_brake.h"
#include "policy/filter.h"
#include "ports/handler.h"
#include "ports/store.h"

namespace weir::delivery {

// Bounds of what a flow keeps in memory.
inline constexpr std::uint64_t kWindowMax = 8192;  // seqs between the floor and the read position
inline constexpr std::size_t kWindowBytesMax = 8 * 1024 *
                                               1024;  // event bytes read and not yet sent
inline constexpr std::size_t kReadEvents = 512;
inline constexpr std::size_t kReadBytes = 1024 * 1024;
// How far the dispatch mark runs ahead of what is sent, and of what is in the stream: enough that
// it seldom needs a commit of its own, little enough that a crash counts few events as interrupted
// that were never sent. A flow that is not idempotent keeps to the minimum: there each of those
// ends in quarantine, in doubt.
inline constexpr std::uint64_t kMarkAheadMin = 32;
inline constexpr std::uint64_t kMarkAheadMax = 2048;

class Flow {
 public:
  struct Parts {
    async::TaskGroup& tasks;
    ports::Store& store;
    Settler& settler;
    std::function<void()> ready;  // there may be something to dispatch
    std::function<void(const Error&)>
        on_error;  // a read failed: the flow stops reading until the next wake
  };
  // `next_seq` of its stream: what is appended from now on was not sent by anybody.
  Flow(FlowSpec spec, FlowRecord record, std::uint64_t next_seq, policy::Filter filter,
       std::shared_ptr<ports::Handler> handler, Parts parts);

  FlowId id() const { return record_.id; }
  StreamId stream() const { return record_.stream; }
  const FlowSpec& spec() const { return spec_; }
  const FlowRecord& record() const { return record_; }
  CursorTracker& cursor() { return cursor_; }
  const CursorTracker& cursor() const { return cursor_; }
  KeyGate& keys() { return keys_; }
  std::optional<std::uint64_t> oldest_held() const { return keys_.oldest_held(); }
  const Hold* find_hold(std::string_view key) const { return keys_.find_hold(key); }
  std::shared_ptr<ports::Handler> handler() const {
    return handler_;
  }  // a call keeps its handler over a reload
  const policy::Filter& filter() const { return filter_; }
  bool active() const { return record_.status == FlowStatus::active; }
  void set_status(FlowStatus status, PauseCause cause, std::string reason, WallTime since);
  // False once it is decided that the flow pauses, also while that is not durable yet.
  bool may_dispatch() const { return active() && !about_to_pause_; }
  void stop_dispatching() { about_to_pause_ = true; }
  // Counts what ended live; its driver pauses the flow when it trips.
  policy::DeadLetterBrake& brake() { return brake_; }
  const policy::DeadLetterBrake& brake() const { return brake_; }
  // A reload changed the rules; position and keys stay.
  void update(FlowSpec spec, policy::Filter filter, std::shared_ptr<ports::Handler> handler,
              std::function<void()> ready);
  void set_record_name(std::string name) { record_.name = std::move(name); }
  // Reading starts once what the last process left is known.
  bool recovered() const { return recovered_; }
  void set_recovered();
  void stop_reading() { stopping_ = true; }
  void go_on_reading(std::uint64_t next_seq) {
    next_seq_ = std::max(next_seq_, next_seq);
    stopping_ = false;
  }
  // Nothing is being sent or read.
  std::size_t calls() const { return calls_; }  // under way
  bool is_quiet() const { return calls_ == 0 && !reading_ && !rebuilding_; }
  // When quiet, and everything decided is durable: what was not sent until now never was. Nothing
  // may be done with the flow afterwards.
  void close();
  bool is_closed() const { return closed_; }

  // One delivery under way; ends with its scope.
  class Call {
   public:
    explicit Call(Flow& flow) : flow_(flow) { ++flow_.calls_; }
    ~Call() { --flow_.calls_; }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    Flow& flow_;
  };

  // --- first attempts ---
  // Events that are new in the stream, in order. A flow that has read all before them takes them
  // as they are; another will come to them by reading.
  void appended(const std::vector<StoredEvent>& events);
  // So many wait for a retry that nothing new is begun (retry.maxWaiting), and since when.
  bool is_full() const { return retries_.size() >= spec_.policy.retry.max_waiting; }
  void note_full(WallTime now);
  WallTime full_since() const { return full_since_; }  // epoch zero = it is not
  bool has_ready() const;                              // something may be sent at once
  Candidate take_ready();                              // only if has_ready()
  // A taken candidate, or a row, that could not be read: try_again() offers it anew.
  void put_off(Candidate candidate);
  void cursor_is_durable(const Cursor& cursor);
  // Admits or parks events of one read, in order (public for recovery of interrupted ones and for
  // tests).
  void accept(StoredEvent event);

  // --- rows ---
  // Tries again what a failed read left undone.
  void try_again();
  void wake() { parts_.ready(); }  // something became due outside of dispatch
  void add_retry(const Due& due) { retries_.add(due); }
  void add_replay(const Due& due) { replays_.add(due); }
  void add_resumed(const Due& due) { (due.interruptions < 2 ? resumed_ : suspects_).add(due); }
  DueRows& retries() { return retries_; }  // failed before
  DueRows& replays() { return replays_; }  // released by a replay, not yet called in this round
  // Interrupted before. Those interrupted twice or more go one at a time, so that the next crash
  // blames the right one.
  bool has_resumed() const;
  Due take_resumed();
  void resumed_ended(const Due& due);

  // --- deadlines ---
  // What was not admitted in time, taken out: a bounded part per call. The next of a hold is among
  // it if its deadline is not known yet; what a replay has just released is not: it is looked at
  // when it is admitted.
  std::vector<Candidate> take_expired_events(WallTime now);
  void take_back(Candidate candidate);  // one that has more time
  std::vector<Due> take_expired_rows(WallTime now);

  // --- keys ---
  // The delivery at `holder` holds its key from now on; what stood in line is held behind it.
  void park(const std::string& key, Position holder);
  // The delivery of this key is settled, durably: lets the next one in line go.
  void key_settled(const std::string& key);
  // A row that was due is not any more: whoever stands behind it goes.
  void row_is_gone(Position position) {
    if (const auto key = keys_.reserved_for(position)) key_settled(*key);
  }
  // Whether the event lies behind a hold of its key, or is the one that a released hold is at.
  bool may_hold(const Event& event, std::uint64_t seq) const;
  // The holder is settled, durably: moves the hold on.
  void drain_key(const std::string& key);

  std::size_t window() const { return window_.size() + front_.size(); }
  std::uint64_t next_seq() const { return next_seq_; }
  std::uint64_t read_next() const { return read_next_; }
  WallTime oldest_ready()
      const;  // recorded time of the oldest event read and not sent; epoch zero if none

 private:
  bool may_read() const;
  void read_more();
  void take_in(std::vector<StoredEvent> events);
  void want_mark();
  async::Task<> read_ahead();
  void rebuild_more();
  async::Task<> rebuild_holds();
  using Behind = std::map<std::string, std::set<std::uint64_t>, std::less<>>;
  async::Task<bool> leave_out_known(std::set<std::uint64_t>& seqs);
  async::Task<bool> scan_for_holds(Behind& found, std::uint64_t first, std::uint64_t last);
  bool matches(const StoredEvent& event, Candidate& candidate);
  void offer_next(std::optional<Candidate> next);

  FlowSpec spec_;
  FlowRecord record_;
  policy::Filter filter_;
  std::shared_ptr<ports::Handler> handler_;
  Parts parts_;
  CursorTracker cursor_;
  KeyGate keys_;
  policy::DeadLetterBrake brake_;
  std::deque<Candidate> window_;  // read from the log, free to go, in order
  std::deque<Candidate> front_;   // next of their keys: before the window
  std::vector<Candidate> put_off_;
  DueRows retries_;
  DueRows replays_;
  DueRows resumed_;
  DueRows suspects_;
  bool suspect_in_flight_ = false;
  bool about_to_pause_ = false;
  std::set<std::string, std::less<>> to_rebuild_;
  std::set<std::string, std::less<>> being_rebuilt_;
  std::size_t window_bytes_ = 0;
  std::uint64_t read_next_;
  std::uint64_t next_seq_;  // of the stream, as far as told
  std::uint64_t sent_since_mark_ = 0;
  std::uint64_t lookahead_ = kMarkAheadMin;
  bool mark_asked_ = false;  // a commit with a new mark is on its way
  WallTime full_since_{};
  std::size_t calls_ = 0;
  bool closed_ = false;
  bool recovered_ = false;
  bool reading_ = false;
  bool rebuilding_ = false;
  bool stopping_ = false;
};

}  // namespace weir::delivery
