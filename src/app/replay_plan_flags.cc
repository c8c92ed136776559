// SPDX-License-Identifier: Apache-2.0
#include "app/replay_plan_flags.h"

#include <fstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace weir::app {
namespace {
constexpr std::size_t kPlanFileMax = 1024 * 1024;
}  // namespace

void add_replay_plan_flags(CLI::App& command, ReplayPlanFlags& flags) {
  add_selection_flags(command, flags.selection);
  command.add_option("--rate", flags.rate, "first rate after the canary, per second")
      ->option_text("N");
  command.add_option("--max-rate", flags.max_rate, "highest rate, per second")->option_text("N");
  command.add_option("--ramp", flags.ramp, "factor for the rate after each step that went well")
      ->option_text("FACTOR");
  command
      .add_option("--rates", flags.rates,
                  "these rates per second, a step each, instead of the three above: 5,20,100")
      ->delimiter(',')
      ->option_text("N,N,...");
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
  command
      .add_option("--share", flags.share,
                  "with the live traffic, at most so much of what the dependency can take")
      ->option_text("PERCENT");
  command.add_option("--canary-share", flags.canary_share, "so many of them go first, alone")
      ->option_text("PERCENT");
  command.add_option("--attempts", flags.attempts, "instead of what the flow's policy says")
      ->option_text("N");
  command
      .add_option("--expired", flags.expired, "whose expirytime has passed: skip, ask or replay")
      ->option_text("WHAT");
  command
      .add_option("--superseded", flags.superseded,
                  "older than a delivered event of the same key: skip, ask or replay")
      ->option_text("WHAT");
  command.add_flag("--delivered", flags.delivered,
                   "run delivered events of a flow again, instead of quarantined ones");
  command.add_option("--file", flags.file, "the whole plan, in YAML or JSON")->option_text("FILE");
  command.add_flag("--dry-run", flags.dry_run, "only say what the plan would do");
}

std::string replay_plan_document(const ReplayPlanFlags& flags, const std::string& reason) {
  wire::JsonWriter json;
  json.begin_object().key("selection").begin_object();
  write_selection(json, flags.selection);
  if (flags.delivered) json.field("delivered", true);
  json.end_object();
  if (flags.rate || flags.max_rate || flags.ramp || !flags.rates.empty() || !flags.step.empty() ||
      flags.concurrency || flags.share) {
    json.key("rate").begin_object();
    if (flags.rate) json.field("start", fmt::format("{}/s", *flags.rate));
    if (flags.max_rate) json.field("max", fmt::format("{}/s", *flags.max_rate));
    if (flags.ramp) json.field("factor", *flags.ramp);
    if (!flags.rates.empty()) json.key("steps").begin_array();
    for (const double rate : flags.rates) json.value(fmt::format("{}/s", rate));
    if (!flags.rates.empty()) json.end_array();
    if (!flags.step.empty()) json.field("step", flags.step);
    if (flags.concurrency) json.field("concurrency", *flags.concurrency);
    if (flags.share) json.field("share", *flags.share);
    json.end_object();
  }
  if (flags.canary || flags.canary_share || !flags.canary_hold.empty()) {
    json.key("canary").begin_object();
    if (flags.canary) json.field("count", *flags.canary);
    if (flags.canary_share) json.field("share", *flags.canary_share);
    if (!flags.canary_hold.empty()) json.field("hold", flags.canary_hold);
    json.end_object();
  }
  if (flags.failure_share)
    json.key("stop").begin_object().field("failureShare", *flags.failure_share).end_object();
  if (!flags.expired.empty() || !flags.superseded.empty()) {
    json.key("staleness").begin_object();
    if (!flags.expired.empty()) json.field("expired", flags.expired);
    if (!flags.superseded.empty()) json.field("superseded", flags.superseded);
    json.end_object();
  }
  if (flags.attempts) json.field("attempts", *flags.attempts);
  if (!reason.empty()) json.field("reason", reason);
  json.end_object();
  return std::move(json).take();
}

Result<std::string> read_plan_file(const std::string& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    return Error{Code::usage, fmt::format("'{}' cannot be read", printable(name)),
                 "--file FILE reads a plan in YAML or JSON"};
  }
  std::string text(kPlanFileMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kPlanFileMax) {
    return Error{Code::usage,
                 fmt::format("'{}' is larger than {} bytes", printable(name), kPlanFileMax), ""};
  }
  return text;
}

bool ReplayPlanFlags::has_settings() const {
  return !selection.empty() || rate || max_rate || ramp || !rates.empty() || !step.empty() ||
         concurrency || canary || !canary_hold.empty() || failure_share || share || canary_share ||
         attempts || !expired.empty() || !superseded.empty() || delivered;
}

}  // namespace weir::app
