// SPDX-License-Identifier: Apache-2.0
// The user's code, behind one call. HTTP now; other kinds later.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/burst.h"
#include "async/task.h"
#include "base/time.h"
#include "model/event.h"
#include "model/outcome.h"

namespace weir::ports {

// Everything a call carries beside the event. Views are valid until invoke() completes.
struct Invocation {
  const Event& event;
  std::string_view flow;
  std::string_view idempotency_key;  // 32 hex digits, stable over attempts and replays
  std::string_view traceparent;      // a new span per attempt, the event's trace continued
  std::string_view tracestate;
  std::uint32_t attempt = 1;
  std::string_view replay;     // replay id text, or empty
  std::uint32_t revision = 1;  // of the event; 1 = as it came
  std::string_view first_key;  // the idempotency key of revision 1
  std::string_view token;      // for the effect gateway; empty: the flow has no effects
  // Sent beside the handler's own; nullptr = none.
  const std::vector<std::pair<std::string, std::string>>* headers = nullptr;
  Duration timeout;               // told to the handler as a duration
  MonoTime deadline;              // give up then
  async::Burst* burst = nullptr;  // calls that begin together are sent when it is over
};

// One handler endpoint of one flow. invoke() never fails: whatever happens is an Outcome, a timeout
// too. Calls may overlap up to the dependency's concurrency cap. Used on the I/O thread that owns
// the dependency.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual async::Task<Outcome> invoke(const Invocation& invocation) = 0;
};

}  // namespace weir::ports
