// SPDX-License-Identifier: Apache-2.0
// Who wants to hear about decisions: telemetry, a running replay. Told after the decision is
// durable; of an event that was done at its first attempt, when its settling has been queued.
#pragma once

#include <string_view>

#include "model/decision.h"
#include "model/delivery.h"
#include "model/outcome.h"

namespace weir::ports {

struct DecisionRecord {
  DeliveryRef ref;
  std::string_view flow;
  std::string_view dependency;
  std::string_view event_type;
  std::string_view event_id;
  std::string_view trace_id;  // 32 hex digits, or empty
  std::uint32_t attempt = 0;  // 0 = no attempt was made (deferral, expiry, interruption)
  ReplayId replay;
  const Outcome* outcome = nullptr;  // nullptr if no attempt was made
  const Decision* decision = nullptr;
  // What Weir added to a first attempt, from admission until its settling was queued, without the
  // time the handler was waited for. Of deliveries that no commit interrupts; otherwise 0.
  Duration added{};
  std::string_view group;  // hash, for quarantines
};

class DecisionSink {
 public:
  virtual ~DecisionSink() = default;
  virtual void on_decision(const DecisionRecord& record) = 0;
};

}  // namespace weir::ports
