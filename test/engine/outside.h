// SPDX-License-Identifier: Apache-2.0
// The world behind the edges of a process: the services that handlers are, the dependencies that
// effects reach, and whoever listens. It outlives every process.
#pragma once

#include <string>

#include "effects/wired.h"
#include "policy/plan_check.h"
#include "ports/decision_sink.h"
#include "ports/handler.h"

namespace weir::engine_test {

class Outside {
 public:
  virtual ~Outside() = default;
  // A call of the handler of `flow`. Never fails: whatever happens is an Outcome.
  virtual async::Task<Outcome> call(std::string flow, const ports::Invocation& invocation) = 0;
  virtual async::Task<Outcome> effect(effects::Send send) = 0;
  virtual async::Task<Result<policy::ProbeAnswer>> probe(Duration patience) = 0;
  virtual void on_decision(const ports::DecisionRecord& record) = 0;
};

}  // namespace weir::engine_test
