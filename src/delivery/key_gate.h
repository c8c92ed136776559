// SPDX-License-Identifier: Apache-2.0
// Ordering keys of one flow: one delivery in flight per key, in commit order, and a failing key
// holds itself. Pure: decides who goes next; the flow does the reading, sending and writing.
//
//   free --admit--> busy --settled--> free, or the next in line becomes busy
//                   busy --failed---> held by the failed delivery (durable), everything in line
//                   joins the hold
//   held --holder settled--> draining: the events behind it go one by one, each as the new holder
//   draining --last one settled--> free
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "delivery/candidate.h"
#include "model/delivery.h"

namespace weir::delivery {

// Seqs remembered per hold; beyond that (and after a restart) they are found again by reading the
// log.
inline constexpr std::size_t kBehindMax = 1024;

class KeyGate {
 public:
  explicit KeyGate(FlowId flow) : flow_(flow) {}

  enum class Admit : std::uint8_t { go, inLine, held };
  // A candidate read from the log. `go`: the key is busy with it now, dispatch it. `inLine`: kept
  // until the one before it is settled. `held`: it belongs to the key's hold now, whose record is
  // dirty. Candidates without a key always go.
  Admit admit(Candidate& candidate);
  // A row of this key wants to be dispatched (a due retry, a replay, an interruption). False: the
  // key is busy with another delivery, and the row stands in line by its place in the stream; it
  // will come back from settled().
  bool admit_row(const Candidate& candidate);

  // The delivery that made the key busy was settled, durably. Returns the next one in line, now
  // busy with it: a row is dispatched anew, and admit_row() lets that one in.
  [[nodiscard]] std::optional<Candidate> settled(const std::string& key);
  // The key that a row which came back from settled() is to have; settled() gives it to the next if
  // the row is not dispatched after all.
  std::optional<std::string> reserved_for(Position position) const;
  // The delivery at `holder` failed or was interrupted and holds its key from now on. What stood in
  // line, rows apart, joins the hold, whose record is dirty.
  struct Joined {
    std::vector<std::uint64_t> seqs;  // to be marked settled in the cursor
    std::size_t bytes = 0;            // of records let go
    bool rows_wait = false;           // call settled() once the holder's row is durable
  };
  [[nodiscard]] Joined hold(const std::string& key, Position holder);

  // The holder was settled. Moves the hold on to the next event behind it: the candidate to
  // dispatch (origin hold), nullopt if the key is free again, or needs_rebuild() if the next seq is
  // not known.
  struct Drain {
    std::optional<Candidate> next;
    bool needs_rebuild = false;
  };
  Drain drain(const std::string& key);
  // As drain(), when somebody else settled the holder: while another delivery of the key is on its
  // way, the hold waits for that one to end, and is_to_drain() says so then. Else the key is busy
  // with draining from now on.
  bool may_drain_now(const std::string& key);
  bool is_to_drain(std::string_view key) const;
  // Answers needs_rebuild: the events of this key behind the hold, in order, complete up to
  // `known_until`.
  void rebuilt(const std::string& key, const std::set<std::uint64_t>& seqs,
               std::uint64_t known_until);

  // The events behind the hold are known up to here (inclusive).
  std::uint64_t known_until(std::string_view key) const;

  // Undoes the last drain() of a key whose next event was not sent and will not be: at the next
  // start its hold has no holder and goes on with that event.
  void take_back(const std::string& key);

  void load(const Hold& hold);  // at start
  const Hold* find_hold(std::string_view key) const;
  std::vector<Hold> all_holds() const;
  bool is_held_by(std::string_view key, Position holder) const;
  bool key_is_busy(std::string_view key) const;
  std::size_t in_line() const { return in_line_; }
  std::uint64_t held_count() const { return held_count_; }
  // The seq of the oldest event behind a hold, or on its way from there.
  std::optional<std::uint64_t> oldest_held() const;

  // Holds to write (value) or to drop (count of drops) since the last call.
  struct Changes {
    std::vector<Hold> put;
    std::vector<std::string> drop;
  };
  Changes take_changes();
  bool dirty() const { return !dirty_.empty(); }

 private:
  struct State {
    bool busy = false;                 // something of this key is on its way
    std::optional<Position> reserved;  // the row that it is busy with is still to be dispatched
    std::deque<Candidate> line;        // waiting for busy to end
    std::optional<Hold> held;          // durable
    bool to_drain = false;             // its holder is settled, the key is busy
    std::deque<std::uint64_t> behind;  // seqs of the hold, complete from held->first to known_until
    std::uint64_t known_until = 0;     // inclusive
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  void join(State& state, std::uint64_t seq);
  void mark_dirty(const std::string& key) { dirty_.insert_or_assign(key, true); }

  FlowId flow_;
  std::unordered_map<std::string, State, Hash, std::equal_to<>> keys_;
  std::unordered_map<std::string, bool> dirty_;
  std::size_t in_line_ = 0;
  std::uint64_t held_count_ = 0;  // events behind all holds
};

}  // namespace weir::delivery
