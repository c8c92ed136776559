// SPDX-License-Identifier: Apache-2.0
// One call of the handler under a deadline, with trace context, idempotency key and attempt number.
#pragma once

#include <string>

#include "async/task.h"
#include "delivery/delivery_parts.h"
#include "delivery/flow.h"
#include "model/decision.h"
#include "model/event.h"
#include "model/outcome.h"

namespace weir::delivery {

struct Attempt {
  const Event& event;
  Position position;
  std::uint32_t number = 1;
  ReplayId replay;
  const ReplayTerms* terms = nullptr;       // of a replay
  std::uint32_t revision = kFirstRevision;  // of the event
  Duration timeout;
  async::Burst* burst = nullptr;
};

struct Attempted {
  Outcome outcome;
  Classification classification;
  WallTime started{};
  std::string trace_id;
};

// Never fails: whatever happens is an Outcome, and the table says what it means.
async::Task<Attempted> run_attempt(DeliveryParts& parts, Flow& flow, const Attempt& attempt);

}  // namespace weir::delivery
