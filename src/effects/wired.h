// SPDX-License-Identifier: Apache-2.0
// What the gateway needs of the running delivery side and of the network, asked through functions:
// effects and delivery never include each other. All on the I/O thread.
#pragma once

#include <functional>
#include <string_view>

#include "async/task.h"
#include "model/config_model.h"
#include "model/outcome.h"
#include "policy/guardrails.h"

namespace weir::effects {

// Views must live until the call returns.
struct Send {
  const DependencySpec& dependency;
  std::string_view method;
  std::string_view target;   // origin form, below the dependency's URL
  std::string_view headers;  // complete lines, the dependency's own included
  std::string_view body;
  MonoTime deadline;
};

struct Wired {
  // nullptr: not in the configuration. Valid until the next co_await.
  std::function<const FlowSpec*(FlowId)> flow;
  std::function<const DependencySpec*(std::string_view name)> dependency;
  // Of one that has left the configuration, too, as long as calls may be under way.
  std::function<policy::Guardrails*(std::string_view dependency)> guardrails;
  // A call has ended: something else may be admitted.
  std::function<void(std::string_view dependency)> released;
  // One call, whole answers included. Never fails: whatever happens is an Outcome.
  std::function<async::Task<Outcome>(Send)> send;
};

}  // namespace weir::effects
