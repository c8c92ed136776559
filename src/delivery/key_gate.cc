// SPDX-License-Identifier: Apache-2.0
#include "delivery/key_gate.h"

#include <algorithm>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::delivery {
namespace {

// By the range: the count is for people.
bool has_behind(const Hold& hold) { return hold.first != 0 && hold.first <= hold.last; }

}  // namespace

KeyGate::Admit KeyGate::admit(Candidate& candidate) {
  if (candidate.key.empty()) return Admit::go;
  State& state = keys_[candidate.key];
  if (state.held && !WEIR_SEEDED_BUG("keys.hold_ignored")) {
    join(state, candidate.position.seq);
    mark_dirty(candidate.key);
    return Admit::held;
  }
  if (state.busy) {
    state.line.push_back(std::move(candidate));
    ++in_line_;
    return Admit::inLine;
  }
  state.busy = true;
  return Admit::go;
}

bool KeyGate::admit_row(const Candidate& candidate) {
  if (candidate.key.empty()) return true;
  State& state = keys_[candidate.key];
  if (state.reserved == candidate.position) {
    state.reserved.reset();
    return true;
  }
  if (state.busy) {
    const auto later = std::ranges::find_if(state.line, [&](const Candidate& waiting) {
      return candidate.position < waiting.position;
    });
    state.line.insert(later, candidate);
    ++in_line_;
    return false;
  }
  state.busy = true;
  return true;
}

std::optional<Candidate> KeyGate::settled(const std::string& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return std::nullopt;
  State& state = found->second;
  state.busy = false;
  state.reserved.reset();
  if (!state.line.empty()) {
    Candidate next = std::move(state.line.front());
    state.line.pop_front();
    --in_line_;
    state.busy = true;
    if (next.origin == Origin::row) state.reserved = next.position;
    return next;
  }
  if (!state.held) keys_.erase(found);
  return std::nullopt;
}

std::optional<std::string> KeyGate::reserved_for(Position position) const {
  for (const auto& [key, state] : keys_) {
    if (state.reserved == position) return key;
  }
  return std::nullopt;
}

KeyGate::Joined KeyGate::hold(const std::string& key, Position holder) {
  Joined joined;
  if (key.empty()) return joined;
  State& state = keys_[key];
  state.busy = false;
  mark_dirty(key);
  if (!state.held) {
    state.held = Hold{.flow = flow_, .key = key, .holder = holder};
    state.behind.clear();
    state.known_until = holder.seq;
  }
  // A delivery that is run again, long after its place, does not take the key from the one that
  // holds it: what stands behind that one must not go before it is settled.
  const Hold& held = *state.held;
  const bool keeps = !held.released && !state.to_drain && held.holder.seq > holder.seq;
  state.to_drain = false;
  if (!keeps || WEIR_SEEDED_BUG("keys.replay_takes_hold")) state.held->holder = holder;
  state.held->released = false;
  std::deque<Candidate> rows;
  for (Candidate& waiting : state.line) {
    if (waiting.origin == Origin::row) {
      rows.push_back(std::move(waiting));
      continue;
    }
    joined.seqs.push_back(waiting.position.seq);
    joined.bytes += waiting.record.size();
    join(state, waiting.position.seq);
    --in_line_;
  }
  state.line = std::move(rows);
  joined.rows_wait = !state.line.empty();
  state.busy = joined.rows_wait;  // nobody goes before those in line
  return joined;
}

void KeyGate::join(State& state, std::uint64_t seq) {
  Hold& hold = *state.held;
  const bool alone = !has_behind(hold);
  const std::uint64_t known_before = alone ? seq - 1 : hold.last;
  if (alone) hold.first = seq;
  hold.last = seq;
  ++hold.count;
  ++held_count_;
  // The list stays a complete prefix: once one seq is left out, all later ones are.
  if (state.known_until >= known_before || alone) {
    if (state.behind.size() >= kBehindMax) return;
    state.behind.push_back(seq);
    state.known_until = seq;
  }
}

KeyGate::Drain KeyGate::drain(const std::string& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.held) return {};
  State& state = found->second;
  Hold& hold = *state.held;
  mark_dirty(key);
  if (state.behind.empty() && has_behind(hold) && state.known_until < hold.last)
    return {.needs_rebuild = true};
  state.to_drain = false;
  if (state.behind.empty()) {
    held_count_ -= hold.count;
    state.held.reset();
    return {.next = settled(key)};
  }
  const std::uint64_t seq = state.behind.front();
  state.behind.pop_front();
  held_count_ -= hold.count > 0;
  hold.count -= std::min<std::uint64_t>(hold.count, 1);
  hold.holder.seq = seq;
  hold.first = seq + 1;
  hold.released = true;
  state.busy = true;
  return {.next = Candidate{.position = hold.holder, .origin = Origin::hold, .key = key}};
}

bool KeyGate::may_drain_now(const std::string& key) {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.held) return false;
  found->second.to_drain = found->second.busy;
  return !std::exchange(found->second.busy, true);
}

bool KeyGate::is_to_drain(std::string_view key) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.to_drain && !found->second.busy;
}

void KeyGate::rebuilt(const std::string& key, const std::set<std::uint64_t>& seqs,
                      std::uint64_t known_until) {
  const auto found = keys_.find(key);
  if (found == keys_.end() || !found->second.held) return;
  State& state = found->second;
  for (const std::uint64_t seq : seqs) {
    if (seq > state.known_until && seq <= state.held->last) state.behind.push_back(seq);
  }
  state.known_until = std::max(state.known_until, known_until);
}

std::uint64_t KeyGate::known_until(std::string_view key) const {
  const auto found = keys_.find(key);
  return found == keys_.end() ? 0 : found->second.known_until;
}

void KeyGate::take_back(const std::string& key) {
  const auto found = keys_.find(key);
  WEIR_ASSERT(found != keys_.end() && found->second.held && found->second.held->released);
  Hold& hold = *found->second.held;
  const bool alone = !has_behind(hold);
  hold.first = hold.holder.seq;
  if (alone) hold.last = hold.first;
  ++hold.count;
  ++held_count_;
  hold.holder.seq = 0;
  hold.released = false;
  mark_dirty(key);
}

void KeyGate::load(const Hold& hold) {
  State& state = keys_[hold.key];
  if (state.held) held_count_ -= state.held->count;
  held_count_ += hold.count;
  state.held = hold;
  state.known_until = hold.holder.seq;
}

const Hold* KeyGate::find_hold(std::string_view key) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.held ? &*found->second.held : nullptr;
}

std::vector<Hold> KeyGate::all_holds() const {
  std::vector<Hold> holds;
  for (const auto& [key, state] : keys_) {
    if (state.held) holds.push_back(*state.held);
  }
  return holds;
}

bool KeyGate::is_held_by(std::string_view key, Position holder) const {
  const Hold* hold = find_hold(key);
  return hold != nullptr && hold->holder == holder;
}

bool KeyGate::key_is_busy(std::string_view key) const {
  const auto found = keys_.find(key);
  return found != keys_.end() && found->second.busy;
}

std::optional<std::uint64_t> KeyGate::oldest_held() const {
  std::optional<std::uint64_t> oldest;
  const auto see = [&](std::uint64_t seq) { oldest = std::min(oldest.value_or(seq), seq); };
  for (const auto& [key, state] : keys_) {
    if (!state.held) continue;
    if (state.held->released && state.busy) {
      see(state.held->holder.seq);
    } else if (!state.behind.empty()) {
      see(state.behind.front());
    } else if (state.held->count > 0) {
      see(state.held->first);
    }
  }
  return oldest;
}

KeyGate::Changes KeyGate::take_changes() {
  Changes changes;
  for (const auto& [key, dirty] : dirty_) {
    if (const Hold* hold = find_hold(key)) {
      changes.put.push_back(*hold);
    } else {
      changes.drop.push_back(key);
    }
  }
  dirty_.clear();
  return changes;
}

}  // namespace weir::delivery
