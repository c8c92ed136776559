// SPDX-License-Identifier: Apache-2.0
// The options of `weir replay plan`, and the body that they become. Numbers and durations are
// checked by the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/selection_flags.h"

namespace weir::app {

struct ReplayPlanFlags {
  SelectionFlags selection;
  std::optional<double> rate;  // per second, after the canary
  std::optional<double> max_rate;
  std::optional<double> ramp;  // factor per step
  std::vector<double> rates;
  std::string step;
  std::optional<unsigned> concurrency;
  std::optional<unsigned> canary;
  std::string canary_hold;
  std::optional<double> failure_share;  // percent
  std::optional<double> share;          // percent of the dependency's limit
  std::optional<double> canary_share;   // percent of the deliveries
  std::optional<unsigned> attempts;
  std::string expired;     // skip, ask
  std::string superseded;  // skip, ask
  bool delivered = false;
  std::string file;  // instead of all the others
  bool dry_run = false;

  bool has_settings() const;
};

void add_replay_plan_flags(CLI::App& command, ReplayPlanFlags& flags);
// A plan document of what was given.
std::string replay_plan_document(const ReplayPlanFlags& flags, const std::string& reason);
// Errors: usage.
Result<std::string> read_plan_file(const std::string& name);

}  // namespace weir::app
