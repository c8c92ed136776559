// SPDX-License-Identifier: Apache-2.0
#include "app/replay_plan_flags.h"

#include <CLI/CLI.hpp>

namespace weir::app {

void add_replay_plan_flags(CLI::App& command, ReplayPlanFlags& flags) {
  add_selection_flags(command, flags.selection);
  command.add_option("--rate", flags.rate, "first rate after the canary, per second")
      ->option_text("N");
  command.add_option("--max-rate", flags.max_rate, "highest rate, per second")->option_text("N");
  command.add_option("--ramp", flags.ramp, "factor for the rate after each step that went well")
      ->option_text("FACTOR");
  command.add_option("--step", flags.step, "length of a step")->option_text("DURATION");
  command.add_option("--concurrency", flags.concurrency, "deliveries on their way at a time")
      ->option_text("N");
  command.add_option("--canary", flags.canary, "so many go first, alone; 0 = none")
      ->option_text("N");
  command.add_option("--canary-hold", flags.canary_hold, "wait after the canary")
      ->option_text("DURATION");
  command
      .add_option("--failure-share", flags.failure_share, "stop when more than this fails again")
      ->option_text("PERCENT");
  command.add_flag("--dry-run", flags.dry_run, "only say what the plan would do");
}

std::string replay_plan_body(const ReplayPlanFlags& flags, const std::string& reason) {
  wire::JsonWriter json;
  json.begin_object();
  write_selection(json, flags.selection);
  if (flags.rate) json.field("ratePerSecond", *flags.rate);
  if (flags.max_rate) json.field("maxPerSecond", *flags.max_rate);
  if (flags.ramp) json.field("rampFactor", *flags.ramp);
  if (!flags.step.empty()) json.field("step", flags.step);
  if (flags.concurrency) json.field("concurrency", *flags.concurrency);
  if (flags.canary) json.field("canary", *flags.canary);
  if (!flags.canary_hold.empty()) json.field("canaryHold", flags.canary_hold);
  if (flags.failure_share) json.field("failureSharePercent", *flags.failure_share);
  if (!reason.empty()) json.field("reason", reason);
  if (flags.dry_run) json.field("dryRun", true);
  json.end_object();
  return std::move(json).take();
}

}  // namespace weir::app
