// SPDX-License-Identifier: Apache-2.0
// Rows of one flow that wait to be dispatched, the earliest due first.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "model/position.h"
#include "policy/retry_tokens.h"

namespace weir::delivery {

struct Due {
  WallTime due;
  DeliveryRef ref;
  ReplayId replay;
  std::uint32_t interruptions = 0;
  policy::RetryCost cost = policy::RetryCost::transient;
  WallTime deadline{};  // of the event; epoch zero = none, or not known here
  // By what it is, not by what is known of it: a row that is told of twice is one.
  std::tuple<WallTime, DeliveryRef, ReplayId> id() const { return {due, ref, replay}; }
  auto operator<=>(const Due& other) const { return id() <=> other.id(); }
  bool operator==(const Due& other) const { return id() == other.id(); }
};

class DueRows {
 public:
  // Few enough for one turn of the I/O thread, many enough to come round 100,000 rows in seconds.
  static constexpr std::size_t kLookMax = 1024;

  void add(const Due& due) { rows_.insert(due); }
  bool empty() const { return rows_.empty(); }
  std::size_t size() const { return rows_.size(); }
  const Due& next() const { return *rows_.begin(); }  // only if not empty
  Due take_next() { return rows_.extract(rows_.begin()).value(); }
  // Looks at the next kLookMax rows, round and round, and takes out those whose deadline is
  // reached.
  std::vector<Due> take_expired(WallTime now);

 private:
  std::set<Due> rows_;
  std::optional<Due> looked_at_;  // the last one; nullopt = begin at the first
};

}  // namespace weir::delivery
