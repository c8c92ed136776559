// SPDX-License-Identifier: Apache-2.0
// What is to happen when, on the virtual clock: a heap, in which what comes first at one moment is
// what was asked for first. Nothing else decides the order of anything, so that a run repeats.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "base/time.h"

namespace weir::sim {

enum class Kind : std::uint8_t {
  arrival,      // a: flow
  burst,        // a: flow
  nextOf,       // a: flow, b: client
  answer,       // a: call, its generation and status
  timeout,      // a: call, its generation
  alarm,        // a: dispatcher
  served,       // a: server, b: worker, its generation
  hopAnswer,    // a: server, b: worker, generation and status
  hopTimeout,   // a: server, b: worker, generation
  faultBegins,  // a: fault
  faultEnds,    // a: fault
  sample,
};

// How a call ended, beside the statuses of HTTP.
inline constexpr std::uint16_t kRefused = 1;  // nobody listens
inline constexpr std::uint16_t kClosed = 2;   // broken off in the middle

struct Happening {
  MonoTime at{};
  std::uint64_t order = 0;
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  std::uint32_t generation = 0;
  std::uint16_t status = 0;
  Kind kind = Kind::sample;

  bool operator>(const Happening& other) const {
    return at != other.at ? at > other.at : order > other.order;
  }
};

class Happenings {
 public:
  void add(Happening happening) {
    happening.order = ++order_;
    heap_.push(happening);
  }
  bool empty() const { return heap_.empty(); }
  const Happening& next() const { return heap_.top(); }
  Happening take() {
    const Happening next = heap_.top();
    heap_.pop();
    return next;
  }

 private:
  std::priority_queue<Happening, std::vector<Happening>, std::greater<>> heap_;
  std::uint64_t order_ = 0;
};

}  // namespace weir::sim
