// SPDX-License-Identifier: Apache-2.0
#include "store/records/dedupe_table.h"

#include <algorithm>
#include <ranges>

#include "base/assert.h"
#include "base/seeded_bug.h"

namespace weir::store {
namespace {

constexpr std::uint64_t kOffsetMask = (1ull << 24) - 1;
constexpr std::size_t kSmallest = 64;

}  // namespace

std::size_t DedupeTable::home(const Generation& generation, std::uint64_t slot) {
  return static_cast<std::size_t>(((slot >> 32) * generation.slots.size()) >> 32);
}

void DedupeTable::place(Generation& generation, std::uint64_t slot) {
  std::size_t at = home(generation, slot);
  while (generation.slots[at] != 0) at = at + 1 == generation.slots.size() ? 0 : at + 1;
  generation.slots[at] = slot;
}

void DedupeTable::resize(Generation& generation, std::size_t capacity) {
  const std::vector<std::uint64_t> old = std::exchange(generation.slots,
                                                       std::vector<std::uint64_t>(capacity));
  for (const std::uint64_t slot : old) {
    if (slot != 0) place(generation, slot);
  }
}

const std::vector<std::uint64_t>& DedupeTable::find(std::uint64_t hash) {
  found_.clear();
  const std::uint64_t wanted = hash & ~kOffsetMask;
  for (const Generation& generation : std::views::reverse(generations_)) {
    const std::size_t before = found_.size();
    std::size_t at = home(generation, wanted);
    while (generation.slots[at] != 0 && found_.size() < kCandidatesMax) {
      const std::uint64_t slot = generation.slots[at];
      if ((slot & ~kOffsetMask) == wanted)
        found_.push_back(generation.first_seq + (slot & kOffsetMask) -
                         (WEIR_SEEDED_BUG("dedupe.off_by_one") ? 0 : 1));
      at = at + 1 == generation.slots.size() ? 0 : at + 1;
    }
    std::ranges::sort(found_.begin() + static_cast<std::ptrdiff_t>(before), found_.end(),
                      std::greater{});
  }
  return found_;
}

void DedupeTable::add(std::uint64_t hash, std::uint64_t seq, WallTime now) {
  if (limits_.max_entries == 0) {
    generations_.clear();
    size_ = 0;
    return;
  }
  if (must_rotate(seq, now)) rotate(seq, now);
  Generation& current = generations_.back();
  WEIR_ASSERT(seq >= current.first_seq);
  if ((current.count + 1) * 4 > current.slots.size() * 3) resize(current, current.slots.size() * 2);
  place(current, (hash & ~kOffsetMask) | (seq - current.first_seq + 1));
  current.last_at = std::max(current.last_at, now);
  ++current.count;
  ++size_;
}

std::uint64_t DedupeTable::quota() const {
  return std::max<std::uint64_t>(1, limits_.max_entries / kGenerations);
}

bool DedupeTable::must_rotate(std::uint64_t seq, WallTime now) const {
  if (generations_.empty()) return true;
  const Generation& current = generations_.back();
  return current.count >= quota() || seq - current.first_seq + 1 > kOffsetMask ||
         now - current.first_at >= limits_.window / kGenerations;
}

// Dropping before the new generation fills keeps the sum within max_entries at every moment.
void DedupeTable::rotate(std::uint64_t seq, WallTime now) {
  if (!generations_.empty()) {
    Generation& full = generations_.back();
    resize(full, full.count + full.count / 6 + 1);
  }
  const auto useless = [&](const Generation& oldest) {
    return oldest.last_at + limits_.window <= now || size_ + quota() > limits_.max_entries;
  };
  while (!generations_.empty() && useless(generations_.front())) drop_oldest();
  generations_.push_back({.first_seq = seq, .first_at = now, .last_at = now});
  generations_.back().slots.resize(kSmallest);
}

void DedupeTable::rewind(std::uint64_t next_seq) {
  while (!generations_.empty() && generations_.back().first_seq >= next_seq) {
    size_ -= generations_.back().count;
    generations_.pop_back();
  }
}

void DedupeTable::drop_oldest() {
  size_ -= generations_.front().count;
  generations_.pop_front();
}

std::size_t DedupeTable::bytes() const {
  std::size_t total = 0;
  for (const Generation& generation : generations_)
    total += generation.slots.capacity() * sizeof(std::uint64_t);
  return total;
}

}  // namespace weir::store
