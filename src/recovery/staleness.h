// SPDX-License-Identifier: Apache-2.0
// Which deliveries of a run are too old to be delivered: their event's expirytime has passed, or a
// newer event of their ordering key has been delivered since.
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/task.h"
#include "model/replay.h"
#include "ports/store.h"
#include "recovery/live.h"

namespace weir::recovery {

struct StaleDelivery {
  DeliveryRef ref;
  bool expired = false;  // else superseded
  std::string reason;    // "its expirytime 2026-11-21T14:00:00Z has passed"
};

struct StaleLook {
  std::vector<StaleDelivery> stale;
  std::map<DeliveryRef, WallTime> expiries;  // of those that expire and are not stale, if minded
};

// Of one run. Reads the log once, from its first member on, and remembers the newest event of each
// key: at most kKeysMax keys, later ones supersede nothing.
class StaleCheck {
 public:
  static constexpr std::size_t kKeysMax = 1'000'000;

  StaleCheck(ports::Store& store, const Live& live, Staleness rules)
      : store_(&store), live_(&live), rules_(rules) {}

  // The stale ones among `rows`, which come in (flow, position) order over the life of a run.
  async::Task<Result<StaleLook>> look(std::vector<Delivery> rows, WallTime now);

 private:
  struct Newest {
    std::uint64_t next = 0;  // read up to here
    std::unordered_map<std::string, std::uint64_t> seq_of;
  };
  async::Task<Result<>> read_on(FlowId flow, std::uint64_t first);
  async::Task<Result<std::optional<Position>>> newer_of(Delivery row);

  ports::Store* store_;
  const Live* live_;
  Staleness rules_;
  std::map<FlowId, Newest> newest_;
  std::size_t keys_ = 0;  // of all flows
};

}  // namespace weir::recovery
