// SPDX-License-Identifier: Apache-2.0
// What changes in a serving Weir, as lines of the log: one per transition.
#pragma once

#include <string_view>
#include <vector>

#include "async/task.h"
#include "model/flow_state.h"
#include "policy/breaker.h"
#include "ports/store.h"
#include "telemetry/log.h"

namespace weir::app {

// `path` is empty for the breaker of the whole dependency.
void log_transition(telemetry::Log& log, WallTime at, std::string_view dependency,
                    std::string_view path, const policy::Breaker::Transition& transition);
// What operators and rules did, oldest first. Deliveries settled together are one line with a
// count.
void log_actions(telemetry::Log& log, const std::vector<AuditEntry>& entries);

// Follows the audit of a store: whatever changes a flow, a replay or the quarantine is there.
class AuditTail {
 public:
  AuditTail(ports::RecoveryTable& table, telemetry::Log& log) : table_(table), log_(log) {}
  // What was there before is not told.
  async::Task<> start();
  async::Task<> tell();

 private:
  ports::RecoveryTable& table_;
  telemetry::Log& log_;
  std::uint64_t told_ = 0;
};

}  // namespace weir::app
