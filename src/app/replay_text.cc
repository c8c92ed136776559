// SPDX-License-Identifier: Apache-2.0
#include "app/replay_text.h"

#include <fmt/format.h>

#include "app/cells.h"
#include "app/progress.h"
#include "base/text.h"

namespace weir::app {
namespace {

using wire::Json;

double number_at(Json object, std::string_view path) {
  const auto member = member_at(object, path);
  return member && member->is(wire::JsonType::number) ? member->number() : 0;
}

std::string duration_text(double seconds) {
  constexpr double kMax = 1e9;
  if (!(seconds >= 0) || seconds > kMax) return "?";
  return to_text(std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds)));
}

std::string rate_text(Json plan) {
  const double start = number_at(plan, "rate.startPerSecond");
  const double max = number_at(plan, "rate.maxPerSecond");
  std::string text = fmt::format("{:.4g}/s", start);
  if (max > start) {
    text += fmt::format(", x {:.3g} every {} up to {:.4g}/s", number_at(plan, "rate.rampFactor"),
                        duration_text(number_at(plan, "rate.stepSeconds")), max);
  }
  return text + fmt::format(", at most {} at a time", grouped(count_at(plan, "rate.concurrency")));
}

std::string canary_text(Json plan) {
  const std::uint64_t count = count_at(plan, "canary.count");
  if (count == 0) return "none";
  return fmt::format("{} first, then {} to see", grouped(count),
                     duration_text(number_at(plan, "canary.holdSeconds")));
}

std::string stop_text(Json plan) {
  std::string text = fmt::format("more than {:.3g} % fail again",
                                 number_at(plan, "stop.failureSharePercent"));
  if (flag_at(plan, "stop.onBreakerOpen")) text += ", or the breaker opens";
  const std::uint64_t same = count_at(plan, "stop.sameFingerprint");
  if (same > 0) text += fmt::format(", or {} fail just as before", grouped(same));
  return text;
}

std::string selection_text(Json plan) {
  const auto selection = member_at(plan, "selection");
  if (!selection) return "";
  std::string text;
  for (const Json member : *selection) {
    const std::string name = printable(member.key());
    const std::string value = name == "ids" ? grouped(member.size())
                                            : cell(*selection, name, CellKind::text, {});
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
  return text;
}

std::string line(std::string_view label, std::string_view value) {
  return value.empty() ? "" : fmt::format("{:<12}{}\n", label, value);
}

}  // namespace

std::string plan_text(Json replay) {
  const auto plan = member_at(replay, "plan");
  if (!plan) return "";
  const std::string id = text_at(replay, "replay");
  const bool exists = !id.empty() && id != "r0";  // a dry run has none
  const std::uint64_t planned = count_at(replay, "counts.planned");
  std::string text;
  if (exists)
    text += line("replay",
                 fmt::format("{}, {}", printable(id), printable(text_at(replay, "state"))));
  text += line("deliveries", grouped(planned)) + line("selected by", selection_text(*plan));
  text += line("reason", printable(text_at(*plan, "reason")));
  text += line("canary", canary_text(*plan)) + line("rate", rate_text(*plan)) +
          line("stops when", stop_text(*plan));
  text += line("takes about", fmt::format("{}, with a peak of {:.3g}/s",
                                          duration_text(number_at(replay, "estimate.seconds")),
                                          number_at(replay, "estimate.peakPerSecond")));
  return text;
}

std::string report_text(Json replay, WallTime now) {
  const ReplayProgress progress = read_progress(replay);
  std::string text = fmt::format("{} {}", progress.replay, progress.state);
  if (!progress.state_reason.empty()) text += ": " + progress.state_reason;
  text += "\n";
  const auto started = parse_rfc3339(text_at(replay, "startedAt"));
  const auto finished = parse_rfc3339(text_at(replay, "finishedAt"));
  if (started && *started <= now) {
    text += fmt::format("started {}", ago(*started, now));
    if (finished && *finished >= *started)
      text += fmt::format(", took {}", to_text(*finished - *started));
    if (!finished && !progress.is_at_rest())
      text += fmt::format(", running for {}", to_text(now - *started));
    text += "\n";
  }
  if (progress.planned > progress.sent + progress.skipped) {
    text += fmt::format("{} of {} not sent\n",
                        grouped(progress.planned - progress.sent - progress.skipped),
                        counted(progress.planned, "delivery"));
  }
  return text + report_line(progress) + "\n";
}

}  // namespace weir::app
