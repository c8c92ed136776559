// SPDX-License-Identifier: Apache-2.0
#include "delivery/cursor_tracker.h"

#include <algorithm>
#include <iterator>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::delivery {

CursorTracker::CursorTracker(const Cursor& cursor, std::uint64_t next_seq)
    : floor_(cursor.floor),
      durable_floor_(cursor.floor),
      durable_mark_(std::max(cursor.floor, std::min(cursor.mark, next_seq))),
      wanted_mark_(durable_mark_),
      dirty_(durable_mark_ != cursor.mark) {
  WEIR_ASSERT(cursor.floor <= cursor.mark);
  for (const SeqRange& range : cursor.settled) settled_.emplace(range.first, range.last);
}

bool CursorTracker::is_settled(std::uint64_t seq) const {
  if (seq < floor_ + WEIR_SEEDED_BUG("cursor.floor_off_by_one")) return true;
  const auto after = settled_.upper_bound(seq);
  return after != settled_.begin() && seq < std::prev(after)->second;
}

void CursorTracker::settle(std::uint64_t seq) {
  if (is_settled(seq)) return;
  dirty_ = true;
  std::uint64_t first = seq;
  std::uint64_t last = seq + 1;
  const auto after = settled_.upper_bound(seq);
  if (after != settled_.end() && after->first == last) last = after->second;
  if (after != settled_.begin() && std::prev(after)->second == first)
    first = std::prev(after)->first;
  if (last != seq + 1) settled_.erase(after);
  if (first == floor_ || WEIR_SEEDED_BUG("cursor.floor_skips_open")) {
    settled_.erase(first);
    floor_ = last;
    return;
  }
  settled_[first] = last;
}

void CursorTracker::want_mark(std::uint64_t mark) {
  if (mark <= wanted_mark_) return;
  wanted_mark_ = mark;
  if (WEIR_SEEDED_BUG("cursor.mark_before_commit")) durable_mark_ = mark;
  dirty_ = true;
}

void CursorTracker::is_durable(const Cursor& snapshot) {
  durable_floor_ = std::max(durable_floor_, snapshot.floor);
  durable_mark_ = std::max(durable_mark_, snapshot.mark);
}

void CursorTracker::close() { closed_ = dirty_ = true; }

Cursor CursorTracker::snapshot() {
  dirty_ = false;
  Cursor cursor;
  cursor.floor = floor_;
  // What was settled without being sent (filtered, held) may lie above the wanted mark.
  const std::uint64_t settled_end = settled_.empty() ? floor_ : settled_.rbegin()->second;
  wanted_mark_ = std::max({wanted_mark_, floor_, settled_end});
  cursor.mark = closed_ ? floor_ : wanted_mark_;
  cursor.settled.reserve(settled_.size());
  for (const auto& [first, last] : settled_) cursor.settled.push_back({first, last});
  return cursor;
}

}  // namespace weir::delivery
