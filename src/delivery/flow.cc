// SPDX-License-Identifier: Apache-2.0
#include "delivery/flow.h"

#include <algorithm>

#include "base/assert.h"
#include "base/failpoint.h"
#include "policy/deadline.h"
#include "policy/ordering_key.h"

namespace weir::delivery {
namespace {

constexpr std::size_t kLookUpsMax = 64;  // reads of one look for what has expired

}  // namespace

Flow::Flow(FlowSpec spec, FlowRecord record, std::uint64_t next_seq, policy::Filter filter,
           std::shared_ptr<ports::Handler> handler, Parts parts)
    : spec_(std::move(spec)),
      record_(std::move(record)),
      filter_(std::move(filter)),
      handler_(std::move(handler)),
      parts_(std::move(parts)),
      cursor_(record_.cursor, next_seq),
      keys_(record_.id),
      brake_(spec_.policy.dead_letter_brake),
      read_next_(cursor_.durable_mark()),
      next_seq_(next_seq) {}

void Flow::set_status(FlowStatus status, PauseCause cause, std::string reason, WallTime since) {
  about_to_pause_ = false;
  record_.status = status;
  record_.cause = cause;
  record_.reason = std::move(reason);
  record_.since = since;
  if (active()) {
    read_more();
    parts_.ready();
  }
}

void Flow::update(FlowSpec spec, policy::Filter filter, std::shared_ptr<ports::Handler> handler,
                  std::function<void()> ready) {
  spec_ = std::move(spec);
  filter_ = std::move(filter);
  handler_ = std::move(handler);
  parts_.ready = std::move(ready);
  brake_.update(spec_.policy.dead_letter_brake);
}

void Flow::set_recovered() {
  recovered_ = true;
  if (cursor_.dirty()) parts_.settler.touch(*this);
  read_more();
  parts_.ready();
}

void Flow::close() {
  closed_ = true;
  if (!recovered_) return;  // what the last process left is still to be looked at
  for (const Candidate& next : front_) {
    if (next.origin == Origin::hold) keys_.take_back(next.key);
  }
  for (const Candidate& next : put_off_) {
    if (next.origin == Origin::hold) keys_.take_back(next.key);
  }
  cursor_.close();
  parts_.settler.touch(*this);
}

void Flow::appended(const std::vector<StoredEvent>& events) {
  next_seq_ = std::max(next_seq_, events.back().position.seq + 1);
  if (may_read() && events.front().position.seq == read_next_) return take_in(events);
  read_more();
}

bool Flow::may_read() const {
  const bool full = read_next_ >= cursor_.floor() + kWindowMax ||
                    window_bytes_ >= kWindowBytesMax || window_.size() > kReadEvents;
  return recovered_ && active() && !reading_ && !stopping_ && !full;
}

void Flow::read_more() {
  if (!may_read() || read_next_ >= next_seq_) return;
  reading_ = true;
  parts_.tasks.spawn(read_ahead());
}

async::Task<> Flow::read_ahead() {
  auto events = co_await parts_.store.events().read(stream(), read_next_, kReadEvents, kReadBytes);
  reading_ = false;
  if (stopping_) co_return;
  if (!events.ok()) {
    parts_.on_error(events.error());
    co_return;
  }
  if (!events->empty()) take_in(*std::move(events));
}

void Flow::take_in(std::vector<StoredEvent> events) {
  for (StoredEvent& event : events) accept(std::move(event));
  want_mark();
  parts_.ready();
  read_more();
}

bool Flow::matches(const StoredEvent& stored, Candidate& candidate) {
  const auto event = decode_event(stored.record);
  WEIR_ASSERT(event.ok());  // the store verified the record's checksum
  if (!filter_.matches(*event)) return false;
  candidate.key = policy::ordering_key(*event, spec_);
  candidate.deadline = policy::event_deadline(spec_.policy.timeouts, *event, stored.recorded);
  return true;
}

void Flow::accept(StoredEvent stored) {
  const std::uint64_t seq = stored.position.seq;
  read_next_ = std::max(read_next_, seq + 1);
  if (cursor_.is_settled(seq)) return;
  Candidate candidate{.position = stored.position, .recorded = stored.recorded};
  if (!matches(stored, candidate)) {
    parts_.settler.settle(*this, Settlement{.seq = seq, .status = 0}, nullptr);
    return;
  }
  candidate.record = std::move(stored.record);
  const std::size_t bytes = candidate.record.size();
  switch (keys_.admit(candidate)) {
    case KeyGate::Admit::go:
      window_.push_back(std::move(candidate));
      window_bytes_ += bytes;
      break;
    case KeyGate::Admit::inLine: window_bytes_ += bytes; break;
    case KeyGate::Admit::held:
      cursor_.settle(seq);
      parts_.settler.touch(*this);
      break;
  }
}

void Flow::want_mark() {
  const std::uint64_t next = !front_.empty()    ? front_.front().position.seq
                             : !window_.empty() ? window_.front().position.seq
                                                : read_next_;
  cursor_.want_mark(std::max(next, cursor_.floor()) + lookahead_);
  // Early enough that the mark moves before dispatch reaches it.
  const bool near = next + lookahead_ / 2 >= cursor_.durable_mark();
  const bool moved = cursor_.wanted_mark() > cursor_.durable_mark();
  if (window() == 0 || !near || !moved || mark_asked_) return;
  mark_asked_ = true;
  parts_.settler.touch(*this);
}

void Flow::cursor_is_durable(const Cursor& cursor) {
  mark_asked_ = false;
  const std::uint64_t before = cursor_.durable_mark();
  cursor_.is_durable(cursor);
  if (cursor_.durable_mark() == before) return want_mark();
  const std::uint64_t most = spec_.idempotent ? kMarkAheadMax : kMarkAheadMin;
  lookahead_ = std::clamp<std::uint64_t>(4 * sent_since_mark_, kMarkAheadMin, most);
  sent_since_mark_ = 0;
  want_mark();
  parts_.ready();
}

bool Flow::has_ready() const {
  if (!recovered_ || !active() || stopping_) return false;
  if (!front_.empty()) {
    const Candidate& next = front_.front();
    if (next.origin != Origin::log || next.position.seq < cursor_.durable_mark()) return true;
  }
  return !window_.empty() && window_.front().position.seq < cursor_.durable_mark();
}

void Flow::note_full(WallTime now) {
  if (!is_full()) full_since_ = {};
  if (is_full() && full_since_ == WallTime{}) full_since_ = now;
}

Candidate Flow::take_ready() {
  WEIR_ASSERT(has_ready());
  const bool from_front = !front_.empty() && (front_.front().origin != Origin::log ||
                                              front_.front().position.seq < cursor_.durable_mark());
  std::deque<Candidate>& from = from_front ? front_ : window_;
  Candidate candidate = std::move(from.front());
  from.pop_front();
  window_bytes_ -= std::min(window_bytes_, candidate.record.size());
  ++sent_since_mark_;
  want_mark();
  read_more();
  return candidate;
}

void Flow::put_off(Candidate candidate) { put_off_.push_back(std::move(candidate)); }

void Flow::offer_next(std::optional<Candidate> next) {
  if (!next) return;
  if (next->origin == Origin::row) {
    const Due due{.due = {},
                  .ref = {id(), next->position},
                  .replay = next->replay,
                  .interruptions = next->interruptions,
                  .cost = next->cost,
                  .deadline = next->deadline};
    if (!next->first_call) {
      add_retry(due);
    } else if (next->replay && next->interruptions == 0) {
      add_replay(due);
    } else {
      add_resumed(due);
    }
  } else {
    front_.push_back(std::move(*next));
    want_mark();
  }
  parts_.ready();
}

void Flow::key_settled(const std::string& key) {
  if (key.empty()) return;
  offer_next(keys_.settled(key));
  if (keys_.is_to_drain(key) && keys_.may_drain_now(key)) drain_key(key);
}

void Flow::park(const std::string& key, Position holder) {
  const KeyGate::Joined joined = keys_.hold(key, holder);
  for (const std::uint64_t seq : joined.seqs) cursor_.settle(seq);
  window_bytes_ -= std::min(window_bytes_, joined.bytes);
  // Before the holder's own retry, which is told of the same commit later.
  if (joined.rows_wait) {
    parts_.settler.write(*this, {}, [this, key](bool durable) {
      if (durable) key_settled(key);
    });
  }
  read_more();
}

bool Flow::may_hold(const Event& event, std::uint64_t seq) const {
  if (spec_.ordering_key.empty()) return false;
  const Hold* hold = keys_.find_hold(policy::ordering_key(event, spec_));
  if (hold == nullptr) return false;
  const bool behind = hold->first != 0 && seq >= hold->first && seq <= hold->last;
  return behind || (hold->released && seq == hold->holder.seq);
}

void Flow::drain_key(const std::string& key) {
  if (key.empty() || to_rebuild_.contains(key) || being_rebuilt_.contains(key)) return;
  KeyGate::Drain drain = keys_.drain(key);
  if (drain.needs_rebuild) {
    to_rebuild_.insert(key);
    rebuild_more();
    return;
  }
  // The hold's move must be durable before the next event goes: it is what a restart goes by.
  parts_.settler.write(*this, {}, [this, next = std::move(drain.next)](bool durable) mutable {
    if (!durable) return;
    (void)WEIR_FAILPOINT("hold.moved");
    offer_next(std::move(next));
  });
}

void Flow::rebuild_more() {
  if (rebuilding_ || stopping_ || to_rebuild_.empty()) return;
  rebuilding_ = true;
  parts_.tasks.spawn(rebuild_holds());
}

void Flow::try_again() {
  read_more();
  rebuild_more();
  for (Candidate& candidate : std::exchange(put_off_, {})) offer_next(std::move(candidate));
  parts_.ready();
}

bool Flow::has_resumed() const {
  return !resumed_.empty() || (!suspects_.empty() && !suspect_in_flight_);
}

Due Flow::take_resumed() {
  WEIR_ASSERT(has_resumed());
  if (!resumed_.empty()) return resumed_.take_next();
  suspect_in_flight_ = true;
  return suspects_.take_next();
}

void Flow::resumed_ended(const Due& due) {
  if (due.interruptions >= 2) suspect_in_flight_ = false;
}

std::vector<Candidate> Flow::take_expired_events(WallTime now) {
  std::vector<Candidate> expired;
  std::size_t unknown = 0;
  const auto is_overdue = [&](const Candidate& next) {
    const bool known = next.origin == Origin::log || next.deadline != WallTime{};
    if (known) return policy::is_expired(next.deadline, now);
    return ++unknown <= kLookUpsMax;
  };
  for (std::deque<Candidate>* from : {&front_, &window_}) {
    std::deque<Candidate> rest;
    for (Candidate& next : *from) {
      if (is_overdue(next)) {
        window_bytes_ -= std::min(window_bytes_, next.record.size());
        expired.push_back(std::move(next));
      } else {
        rest.push_back(std::move(next));
      }
    }
    *from = std::move(rest);
  }
  if (!expired.empty()) read_more();
  return expired;
}

void Flow::take_back(Candidate candidate) {
  if (candidate.origin == Origin::hold) candidate.record.clear();  // read again when it goes
  if (candidate.deadline == WallTime{}) candidate.deadline = WallTime::max();  // known: none
  window_bytes_ += candidate.record.size();
  front_.push_back(std::move(candidate));
  parts_.ready();
}

std::vector<Due> Flow::take_expired_rows(WallTime now) {
  std::vector<Due> expired = retries_.take_expired(now);
  for (DueRows* rows : {&resumed_, &suspects_}) {
    for (Due& due : rows->take_expired(now)) expired.push_back(due);
  }
  return expired;
}

WallTime Flow::oldest_ready() const {
  if (!front_.empty() && front_.front().origin == Origin::log) return front_.front().recorded;
  return window_.empty() ? WallTime{} : window_.front().recorded;
}

}  // namespace weir::delivery
