// SPDX-License-Identifier: Apache-2.0
// What every driver of the delivery path works with. Owned by the engine, one I/O thread.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "async/clock.h"
#include "async/task_group.h"
#include "base/rng.h"
#include "delivery/settler.h"
#include "policy/classify.h"
#include "policy/redaction.h"
#include "policy/running_attempts.h"
#include "ports/decision_sink.h"
#include "ports/store.h"

namespace weir::delivery {

struct DeliveryParts {
  async::Executor executor;
  async::Clock& clock;
  async::TaskGroup& tasks;   // deliveries under way: a drain waits for them
  async::TaskGroup& alarms;  // sleepers: ended by Clock::cancel_sleeps()
  ports::Store& store;
  Settler& settler;
  Rng& rng;
  policy::ClassifyRules& rules;
  policy::RunningAttempts& running;
  const policy::Redactions& redactions;
  const std::vector<ports::DecisionSink*>& sinks;
  std::function<void(const Error&)>
      on_error;  // something could not be read; logged, tried again later
  std::function<std::string(StreamId)> stream_name;

  void tell(const ports::DecisionRecord& record) const {
    for (ports::DecisionSink* sink : sinks) sink->on_decision(record);
  }
};

}  // namespace weir::delivery
