// SPDX-License-Identifier: Apache-2.0
// A sliding window over time, cut into equal slots: bounded memory however much happens in it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/time.h"

namespace weir::policy {

// Keeps the newest kCount slots. Time that runs backwards is counted into the newest slot.
template <class Slot, std::int64_t kCount>
class SlotRing {
 public:
  explicit SlotRing(Duration slot) : slot_(std::max(slot, Duration{1})) {}

  // Forgets what has become too old.
  void advance(MonoTime now) {
    const std::int64_t number = number_of(now);
    if (!started_) newest_ = number;
    started_ = true;
    const std::int64_t steps = std::min(number - newest_, kCount);
    for (std::int64_t i = 0; i < steps; ++i) ring_[index(number - i)] = Slot{};
    newest_ = std::max(newest_, number);
  }

  Slot& newest() { return ring_[index(newest_)]; }
  std::int64_t newest_number() const { return newest_; }

  // The slot that `at` fell into; nullptr once it has left the window.
  Slot* find(MonoTime at) {
    const std::int64_t number = number_of(at);
    const bool kept = started_ && number <= newest_ && number > newest_ - kCount;
    return kept ? &ring_[index(number)] : nullptr;
  }

  // visit(slot number, slot), for every slot of the window.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::int64_t n = newest_ - kCount + 1; n <= newest_; ++n) visit(n, ring_[index(n)]);
  }

  MonoTime start_of(std::int64_t number) const { return MonoTime{slot_ * number}; }
  Duration slot() const { return slot_; }
  void clear() { ring_ = {}; }

 private:
  std::int64_t number_of(MonoTime time) const {
    const std::int64_t micros = time.time_since_epoch().count();
    const std::int64_t quotient = micros / slot_.count();
    return micros % slot_.count() < 0 ? quotient - 1 : quotient;
  }
  static std::size_t index(std::int64_t number) {
    return static_cast<std::size_t>(((number % kCount) + kCount) % kCount);
  }

  Duration slot_;
  std::int64_t newest_ = 0;
  bool started_ = false;
  std::array<Slot, kCount> ring_{};
};

}  // namespace weir::policy
