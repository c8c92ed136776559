// SPDX-License-Identifier: Apache-2.0
// Something that could be dispatched: an event on its first way, or a delivery that has a row.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"
#include "model/position.h"
#include "policy/retry_tokens.h"

namespace weir::delivery {

enum class Origin : std::uint8_t {
  log,   // read from the stream, never attempted
  hold,  // was held behind its key and is next now, never attempted
  row,   // has a row: a due retry, an interruption, or released by a replay
};

struct Candidate {
  Position position;
  Origin origin = Origin::log;
  std::string key;                  // ordering key, empty = unordered
  std::string record;               // the event, for origin log; otherwise loaded when dispatched
  WallTime recorded{};              // for origin log
  WallTime deadline{};              // of the event, as far as known; epoch zero = none
  ReplayId replay;                  // for origin row
  bool first_call = true;           // no attempt in this round yet: not charged to the retry budget
  std::uint32_t interruptions = 0;  // for origin row
  policy::RetryCost cost = policy::RetryCost::transient;  // for origin row
};

}  // namespace weir::delivery
