// SPDX-License-Identifier: Apache-2.0
// Where a flow stands, in memory: which events are settled, and how far may be sent. Pure.
#pragma once

#include <cstdint>
#include <map>

#include "model/flow_state.h"

namespace weir::delivery {

// Settled events above the floor are ranges in a map; at most kWindowMax seqs lie between floor and
// read position, so the map is small.
class CursorTracker {
 public:
  // The mark may have run ahead of the stream, whose next event will be `next_seq`: what is
  // appended from now on was not sent before.
  CursorTracker(const Cursor& cursor, std::uint64_t next_seq);

  // Settled, filtered, or owned by a row or a hold from now on. Settling twice is harmless.
  void settle(std::uint64_t seq);
  bool is_settled(std::uint64_t seq) const;
  std::uint64_t floor() const { return floor_; }
  // What the store knows: retention goes by it.
  std::uint64_t durable_floor() const { return durable_floor_; }

  // Nothing at or above the mark may be sent. The wanted mark becomes the durable one when its
  // commit is done.
  std::uint64_t durable_mark() const { return durable_mark_; }
  std::uint64_t wanted_mark() const { return wanted_mark_; }
  void want_mark(std::uint64_t mark);
  void is_durable(const Cursor& snapshot);
  // Everything that was sent is settled: the snapshots from now on say that nothing else was, so
  // that the next start counts no interruption.
  void close();

  // Something changed since the last snapshot() that a commit should carry.
  bool dirty() const { return dirty_; }
  Cursor snapshot();

 private:
  std::uint64_t floor_;
  std::uint64_t durable_floor_;
  std::uint64_t durable_mark_;
  std::uint64_t wanted_mark_;
  std::map<std::uint64_t, std::uint64_t>
      settled_;  // first -> last (exclusive), disjoint, above the floor
  bool dirty_ = false;
  bool closed_ = false;
};

}  // namespace weir::delivery
