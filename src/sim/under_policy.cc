// SPDX-License-Identifier: Apache-2.0
#include "sim/under_policy.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace weir::sim {
namespace {

template <class Plan>
Result<const Plan*> named(const std::vector<Plan>& plans, const std::string& name,
                          std::string_view kind) {
  std::vector<std::string> names;
  for (const Plan& plan : plans) {
    if (plan.spec.name == name) return &plan;
    names.push_back(plan.spec.name);
  }
  return Error{Code::usage, fmt::format("the other side has no {} '{}'", kind, printable(name)),
               did_you_mean(name, names)};
}

}  // namespace

Result<Scenario> under_policy(const Scenario& scenario, const Scenario& other) {
  Scenario changed = scenario;
  changed.policy = other.policy;
  changed.failure_modes = other.failure_modes;
  for (FlowPlan& flow : changed.flows) {
    WEIR_TRY(const FlowPlan* from, named(other.flows, flow.spec.name, "load or flow"));
    flow.spec.policy = from->spec.policy;
    flow.gives_up = from->gives_up;
  }
  for (DependencyPlan& dependency : changed.dependencies) {
    WEIR_TRY(const DependencyPlan* from,
             named(other.dependencies, dependency.spec.name, "dependency"));
    dependency.spec.policy = from->spec.policy;
    dependency.spec.capacity_per_second = from->spec.capacity_per_second;
    dependency.instances = from->instances;
  }
  return changed;
}

}  // namespace weir::sim
