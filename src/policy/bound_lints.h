// SPDX-License-Identifier: Apache-2.0
// Settings that contradict each other, or under which the worst case of policy/bound.h is bad. The
// ids are stable; docs/guide/bound.md has a row for each.
#pragma once

#include <string>
#include <vector>

#include "model/config_model.h"
#include "policy/bound.h"

namespace weir::policy {

// Where a setting stands: "retry.maxAttempts" of the policy of flow sync, or "@peak" of the flow
// itself. config/ finds the line.
struct SettingPlace {
  enum class Owner : std::uint8_t { flow, dependency } owner = Owner::dependency;
  std::string name;
  std::string setting;
  bool operator==(const SettingPlace&) const = default;
};

struct Finding {
  std::string id;  // "L3"
  SettingPlace at;
  std::vector<SettingPlace> others;  // what it contradicts
  std::string message;
  std::string hint;
  bool broken_bound = false;     // a declared bound does not hold
  bool only_if_written = false;  // a default that does no harm is not worth a word
  bool rejected = false;         // a policy concerned says bounds.enforce: reject
};

std::vector<Finding> lint_bounds(const Config& config, const Bound& bound);

}  // namespace weir::policy
