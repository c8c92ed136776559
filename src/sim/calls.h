// SPDX-License-Identifier: Apache-2.0
// The calls under way, by slot. A slot is used again; its generation tells the calls apart, so that
// a late answer finds nobody.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "policy/guardrails.h"
#include "sim/stage.h"

namespace weir::sim {

// One delivery between its arrival and its end.
struct Job {
  std::uint32_t event = 0;
  std::uint32_t member = 0;  // flow, by its place in the dispatcher
  std::uint32_t client = 0;  // of a closed load
  std::uint32_t attempts = 0;
  MonoTime arrived{};
  WallTime deadline{};
  WallTime due{};                                         // of a retry: not before
  Duration previous_delay{};                              // the last one
  policy::RetryCost cost = policy::RetryCost::transient;  // of the next retry
};

struct Call {
  std::uint32_t dispatcher = 0;
  std::uint32_t generation = 0;
  bool is_open = false;
  Job job;
  policy::Permit permit;
  MonoTime started{};
  MonoTime deadline{};
};

class Calls {
 public:
  // The slot; it has the generation that answers must name.
  std::uint32_t open(Call call) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(calls_.size()));
      calls_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    call.generation = calls_[slot].generation + 1;
    call.is_open = true;
    calls_[slot] = std::move(call);
    return slot;
  }
  const Call& at(std::uint32_t slot) const { return calls_[slot]; }
  bool is_open(std::uint32_t slot, std::uint32_t generation) const {
    return calls_[slot].is_open && calls_[slot].generation == generation;
  }
  Call close(std::uint32_t slot) {
    calls_[slot].is_open = false;
    free_.push_back(slot);
    return calls_[slot];
  }

 private:
  std::vector<Call> calls_;
  std::vector<std::uint32_t> free_;
};

}  // namespace weir::sim
