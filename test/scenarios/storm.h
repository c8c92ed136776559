// SPDX-License-Identifier: Apache-2.0
// The retry storm of Bronson et al., "Metastable Failures in Distributed Systems" (HotOS'21),
// section 2.1, on a virtual clock: Poisson arrivals, clients that time out and send again at once,
// one FIFO server that finishes abandoned work too, and an outage whose sends are buffered and all
// arrive at its end. The clients' retries go through policy::RetryBudget.
#pragma once

#include <cstdint>
#include <optional>

#include "model/policy_spec.h"

namespace weir::scenarios {

struct Storm {
  double offered = 280;   // events per second
  double capacity = 300;  // of the server, deterministic
  double timeout = 1;     // seconds, of one attempt
  std::uint32_t retries = 1;
  RetryConstraintSpec budget;  // a refused retry is given up, as in the paper
  double warm_up = 20;
  double outage = 10;
  double watched = 200;  // seconds after the outage
};

// No budget at all is a budget that nothing exhausts.
RetryConstraintSpec without_budget();

struct StormResult {
  // From the end of the outage until 5 s of goodput >= 0.9 of what is offered begin; absent =
  // never.
  std::optional<double> recovered;
  double late_goodput = 0;        // events per second, in the last 20 s
  double late_amplification = 0;  // sends per event, in the last 20 s
};

StormResult run(const Storm& storm, std::uint64_t seed);

}  // namespace weir::scenarios
