// SPDX-License-Identifier: Apache-2.0
// Where an event with a given identity hash may be: a bounded table in memory, about 10 bytes per
// entry. It only proposes places: the caller compares the stored event before it calls anything a
// duplicate. It may propose places that were never written (their commit was rolled back), and
// forgets whole generations at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/time.h"

namespace weir::store {

struct DedupeLimits {
  Duration window = std::chrono::hours{24};
  std::uint64_t max_entries = 1'000'000;  // 0 = remember nothing
  bool operator==(const DedupeLimits&) const = default;
};

// One stream's table. Not thread safe.
class DedupeTable {
 public:
  static constexpr std::size_t kCandidatesMax = 16;  // more entries under one hash are not proposed
  static constexpr int kGenerations = 8;

  explicit DedupeTable(DedupeLimits limits) : limits_(limits) {}

  // Takes effect with the next add().
  void set_limits(DedupeLimits limits) { limits_ = limits; }
  const DedupeLimits& limits() const { return limits_; }

  // Newest first. The view is valid until the next call.
  const std::vector<std::uint64_t>& find(std::uint64_t hash);
  // Remembers an entry for at least the window, unless more than max_entries follow. `seq` and
  // `now` never decrease.
  void add(std::uint64_t hash, std::uint64_t seq, WallTime now);

  // Numbering goes on at `next_seq`: a commit was rolled back. Its entries may stay.
  void rewind(std::uint64_t next_seq);

  std::uint64_t size() const { return size_; }
  // Nothing below is remembered; 0 if the table is empty.
  std::uint64_t oldest_seq() const {
    return generations_.empty() ? 0 : generations_.front().first_seq;
  }
  std::size_t bytes() const;

  // What is kept of a hash, and all that persisted segments need: its upper 40 bits.
  static std::uint64_t fragment(std::uint64_t hash) { return hash >> 24; }
  static std::uint64_t from_fragment(std::uint64_t fragment) { return fragment << 24; }

 private:
  // Open addressing, linear probing; a slot holds 40 bits of hash and 24 bits of seq - first_seq +
  // 1; 0 = free.
  struct Generation {
    std::uint64_t first_seq = 0;
    WallTime first_at{};
    WallTime last_at{};
    std::uint64_t count = 0;
    std::vector<std::uint64_t> slots;
  };
  static std::size_t home(const Generation& generation, std::uint64_t slot);
  static void place(Generation& generation, std::uint64_t slot);
  static void resize(Generation& generation, std::size_t capacity);
  bool must_rotate(std::uint64_t seq, WallTime now) const;
  void rotate(std::uint64_t seq, WallTime now);
  void drop_oldest();
  std::uint64_t quota() const;

  DedupeLimits limits_;
  std::deque<Generation> generations_;  // oldest first
  std::uint64_t size_ = 0;
  std::vector<std::uint64_t> found_;
};

}  // namespace weir::store
