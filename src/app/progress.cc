// SPDX-License-Identifier: Apache-2.0
#include "app/progress.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "app/cells.h"
#include "app/exit_codes.h"
#include "app/table.h"
#include "base/text.h"

namespace weir::app {
namespace {

constexpr std::size_t kBarMax = 30;
constexpr Duration kLineEvery = std::chrono::seconds(10);

std::string trouble(const ReplayProgress& progress) {
  std::string text;
  if (progress.failed_again > 0)
    text += fmt::format("{} failed again", grouped(progress.failed_again));
  if (progress.in_doubt > 0)
    text += fmt::format("{}{} in doubt", text.empty() ? "" : ", ", grouped(progress.in_doubt));
  return text;
}

std::string time_left(const ReplayProgress& progress, std::string_view before) {
  constexpr double kMost = 1e9;
  if (progress.left < 0 || progress.left > kMost || progress.is_at_rest()) return "";
  const auto left = Duration{static_cast<std::int64_t>(std::ceil(progress.left) * 1e6)};
  return fmt::format("{}about {} left", before, to_text(left));
}

}  // namespace

bool ReplayProgress::is_over() const { return state == "completed" || state == "aborted"; }
bool ReplayProgress::is_at_rest() const {
  const bool waited = state == "planned" && !waits && !state_reason.empty();
  return is_over() || state == "stopped" || state == "paused" || waited;
}

namespace {

std::string checked_by(wire::Json replay) {
  const auto checks = member_at(replay, "checks");
  if (!checks || checks->size() == 0) return "";
  std::string worst = "yes";
  for (const wire::Json check : *checks) {
    const std::string verdict = text_at(check, "verdict");
    if (verdict == "failed") return "no";
    if (verdict != "successful") worst = "unknown";
  }
  return worst;
}

double number_in(wire::Json object, std::string_view name) {
  const auto member = member_at(object, name);
  return member && member->is(wire::JsonType::number) ? member->number() : 0;
}

std::vector<ReplayProgress::Stop> stops_in(wire::Json replay) {
  std::vector<ReplayProgress::Stop> stops;
  const auto found = member_at(replay, "stops");
  if (!found || !found->is(wire::JsonType::array)) return stops;
  for (const wire::Json stop : *found) {
    stops.push_back(
        {shown_at(stop, "condition"), number_in(stop, "value"), number_in(stop, "limit")});
  }
  return stops;
}

}  // namespace

ReplayProgress read_progress(wire::Json replay) {
  const auto rate = member_at(replay, "ratePerSecond");
  const auto left = member_at(replay, "secondsLeft");
  return {.replay = shown_at(replay, "replay"),
          .state = shown_at(replay, "state"),
          .state_reason = shown_at(replay, "stateReason"),
          .waits = member_at(replay, "waitsUntil").has_value(),
          .planned = count_at(replay, "counts.planned"),
          .sent = count_at(replay, "counts.sent"),
          .succeeded = count_at(replay, "counts.succeeded"),
          .failed_again = count_at(replay, "counts.failedAgain"),
          .skipped = count_at(replay, "counts.skipped"),
          .in_doubt = count_at(replay, "counts.inDoubt"),
          .rate = rate && rate->is(wire::JsonType::number) ? rate->number() : 0,
          .left = left && left->is(wire::JsonType::number) ? left->number() : -1,
          .joined = count_at(replay, "joinedSince"),
          .checked = checked_by(replay),
          .stops = stops_in(replay)};
}

std::string progress_bar(const ReplayProgress& progress, std::size_t width) {
  const double share = progress.planned == 0
                           ? 1.0
                           : std::min(1.0, static_cast<double>(progress.settled()) /
                                               static_cast<double>(progress.planned));
  std::string text = fmt::format("{}/{}  {:.0f} %  {}", grouped(progress.settled()),
                                 grouped(progress.planned), share * 100, progress.state);
  if (progress.rate > 0 && !progress.is_at_rest()) text += fmt::format("  {:.3g}/s", progress.rate);
  text += time_left(progress, "  ");
  if (const std::string bad = trouble(progress); !bad.empty()) text += "  " + bad;
  const std::size_t used = text_width(text) + 3;  // brackets and a blank
  const std::size_t room = width > used ? std::min(kBarMax, width - used) : 0;
  if (room < 5) return cut_to(text, std::max<std::size_t>(width, 1));
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(room));
  return fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(room - filled, '-'), text);
}

std::string progress_line(const ReplayProgress& progress) {
  if (progress.waits) return fmt::format("{} {}", progress.replay, progress.state_reason);
  std::string text = fmt::format("{} {}: {} of {} settled", progress.replay, progress.state,
                                 grouped(progress.settled()), grouped(progress.planned));
  if (progress.rate > 0 && !progress.is_at_rest()) text += fmt::format(", {:.3g}/s", progress.rate);
  text += time_left(progress, ", ") + "; " + report_line(progress);
  if (const std::string limits = limits_line(progress); !limits.empty()) text += "; " + limits;
  return text;
}

std::string limits_line(const ReplayProgress& progress) {
  std::string text = progress.checked.empty() ? "" : "checks " + progress.checked;
  std::string stops;
  for (const ReplayProgress::Stop& stop : progress.stops) {
    stops += fmt::format("{}{} {:.3g} of {:.3g}", stops.empty() ? "" : ", ", stop.condition,
                         stop.value, stop.limit);
  }
  if (!stops.empty()) text += fmt::format("{}stops: {}", text.empty() ? "" : "; ", stops);
  return text;
}

std::string progress_block(const ReplayProgress& progress, std::size_t width) {
  std::string text = progress_bar(progress, width);
  for (const std::string& line : {report_line(progress), limits_line(progress)}) {
    if (!line.empty()) text += "\n" + cut_to(line, std::max<std::size_t>(width, 1));
  }
  return text;
}

std::string report_line(const ReplayProgress& progress) {
  return fmt::format("sent {} / succeeded {} / failed again {} / skipped {} / in doubt {}",
                     grouped(progress.sent), grouped(progress.succeeded),
                     grouped(progress.failed_again), grouped(progress.skipped),
                     grouped(progress.in_doubt));
}

int exit_of(const ReplayProgress& progress) {
  if (progress.state == "stopped" || progress.state == "planned") return kExitStopped;
  if (progress.state == "aborted") return kExitFailed;
  if (progress.failed_again + progress.in_doubt > 0) return kExitPartial;
  return kExitOk;
}

bool LineSchedule::due(const ReplayProgress& progress, MonoTime now) {
  if (last_ && progress.state == state_ && now - *last_ < kLineEvery) return false;
  state_ = progress.state;
  last_ = now;
  return true;
}

}  // namespace weir::app
