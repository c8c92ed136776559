// SPDX-License-Identifier: Apache-2.0
// When the events of a flow come. Open loads only: a closed one sends when the last event ended.
#pragma once

#include <optional>

#include "sim/scenario.h"
#include "sim/stage.h"

namespace weir::sim {

class OpenLoad {
 public:
  // `load` outlives this one.
  explicit OpenLoad(const Load& load) : load_(load) {}

  // The moment of the next event after `now`; nullopt = none. Bursts come on top.
  std::optional<MonoTime> next(MonoTime now, Rng& rng);
  // Events per second at this moment, bursts averaged.
  double rate(MonoTime now) const;
  // What a spike makes of the load; spikes multiply.
  void times(double factor) { factor_ *= factor; }
  double factor() const { return factor_; }

 private:
  double shape(MonoTime now) const;

  const Load& load_;
  double factor_ = 1;
  std::size_t recorded_ = 0;
};

}  // namespace weir::sim
