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
  const std::string start = shown_at(plan, "rate.start");
  const std::string max = shown_at(plan, "rate.max");
  std::string text = start;
  const auto steps = member_at(plan, "rate.steps");
  if (steps && steps->is(wire::JsonType::array)) {
    for (const Json step : *steps)
      text += fmt::format("{}{}", text.empty() ? "" : ", then ", printable(step.string()));
    text += fmt::format(", {} each", shown_at(plan, "rate.step"));
  } else if (max != start) {
    text += fmt::format(", x {:.3g} every {} up to {}", number_at(plan, "rate.factor"),
                        shown_at(plan, "rate.step"), max);
  }
  const double share = number_at(plan, "rate.share");
  if (share > 0) text += fmt::format(", within {:.3g} % of the dependency's limit", share);
  return text + fmt::format(", at most {} at a time", grouped(count_at(plan, "rate.concurrency")));
}

std::string canary_text(Json plan) {
  const double share = number_at(plan, "canary.share");
  if (share > 0)
    return fmt::format("{:.3g} % first, then {} to see", share, shown_at(plan, "canary.hold"));
  const std::uint64_t count = count_at(plan, "canary.count");
  if (count == 0) return "none";
  return fmt::format("{} first, then {} to see", grouped(count), shown_at(plan, "canary.hold"));
}

// What is done instead of stopping, if it is something else.
std::string action_text(Json plan, std::string_view condition) {
  const std::string then = shown_at(plan, fmt::format("stop.{}.then", condition));
  return then.empty() || then == "stop" ? "" : fmt::format(" ({})", then);
}

std::string stop_text(Json plan) {
  std::vector<std::string> parts;
  const auto add = [&](std::string_view condition, std::string text) {
    parts.push_back(text + action_text(plan, condition));
  };
  const double share = number_at(plan, "stop.failureShare.limit");
  if (share > 0) add("failureShare", fmt::format("more than {:.3g} % fail again", share));
  if (const auto breaker = member_at(plan, "stop.breakerOpen");
      breaker && breaker->is(wire::JsonType::object))
    add("breakerOpen", "the breaker opens");
  const double same = number_at(plan, "stop.sameFingerprint.limit");
  if (same > 0) add("sameFingerprint", fmt::format("{:.0f} fail just as before", same));
  const auto timed = [&](std::string_view condition, std::string_view words) {
    const std::string limit = shown_at(plan, fmt::format("stop.{}.limit", condition));
    if (!limit.empty() && limit != "0s") add(condition, fmt::format("{} {}", words, limit));
  };
  timed("latency", "95 % take longer than");
  timed("liveLag", "live events wait for");
  timed("duration", "it takes longer than");
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", or ") + part;
  return text.empty() ? "never by itself" : text;
}

// What the plan asks of its calls beyond what the flow does anyway.
std::string terms_text(Json plan) {
  std::string text;
  const auto add = [&text](std::string_view part) {
    text += fmt::format("{}{}", text.empty() ? "" : ", ", part);
  };
  const std::uint64_t attempts = count_at(plan, "attempts");
  if (attempts > 0) add(counted(attempts, "attempt") + " at most");
  if (text_at(plan, "headers.trace") == "new") add("a trace of its own");
  const auto strip = member_at(plan, "headers.strip");
  if (strip && strip->size() > 0)
    add(fmt::format("without {}", counted(strip->size(), "attribute")));
  const auto set = member_at(plan, "headers.set");
  if (set && set->size() > 0) add(fmt::format("with {}", counted(set->size(), "header")));
  return text;
}

std::string staleness_text(Json plan) {
  std::string text;
  for (const auto& [member, words] : {std::pair{"expired", "expirytime passed"},
                                      std::pair{"superseded", "newer one of the key delivered"}}) {
    const std::string rule = text_at(plan, fmt::format("staleness.{}", member));
    if (rule.empty() || rule == "replay") continue;
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", words, printable(rule));
  }
  return text;
}

std::string verify_text(Json plan) {
  std::string text;
  if (flag_at(plan, "verify.nothingReturned")) text = "nothing comes back";
  if (const auto checks = member_at(plan, "verify.checks"); checks && checks->size() > 0) {
    text += fmt::format("{}{}", text.empty() ? "" : " and ", counted(checks->size(), "check"));
  }
  if (text.empty()) return "";
  std::string when;
  const auto add = [&](std::string_view flag, std::string_view words) {
    if (flag_at(plan, flag)) when += fmt::format("{}{}", when.empty() ? "" : ", ", words);
  };
  add("verify.afterCanary", "after the canary");
  add("verify.eachStep", "each step");
  add("verify.atEnd", "at the end");
  return fmt::format("{}: {}", text, when.empty() ? "never" : when);
}

// "  yes  breaker of tracker closed for 5m: it has been for 7 min 3 s"
std::string checks_text(Json replay) {
  const auto checks = member_at(replay, "checks");
  if (!checks || checks->size() == 0) return "";
  std::string text;
  for (const Json check : *checks) {
    const std::string verdict = text_at(check, "verdict");
    const std::string_view word = verdict == "successful" ? "yes"
                                  : verdict == "failed"   ? "no"
                                                          : "unknown";
    text += fmt::format("{:<12}{:<8}{} ({})\n", text.empty() ? "checks" : "", word,
                        shown_at(check, "check"), shown_at(check, "detail"));
  }
  return text;
}

std::string stops_text(Json replay) {
  const auto stops = member_at(replay, "stops");
  if (!stops || stops->size() == 0) return "";
  std::string text;
  for (const Json stop : *stops) {
    text += fmt::format("{:<12}{:<18}{:>8.4g} of {:.4g}\n", text.empty() ? "limits" : "",
                        shown_at(stop, "condition"), number_at(stop, "value"),
                        number_at(stop, "limit"));
  }
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

std::string parts_text(Json replay) {
  const std::uint64_t stale = count_at(replay, "counts.stale");
  const std::uint64_t discarded = count_at(replay, "counts.discarded");
  std::string text;
  if (stale > 0) text = fmt::format("of those skipped, {} were too old\n", grouped(stale));
  if (discarded > 0) {
    text += fmt::format("of those that failed again, {} were given up: discarded\n",
                        grouped(discarded));
  }
  return text;
}

std::string result_text(Json replay) {
  const std::string result = text_at(replay, "result");
  return result.empty() ? "" : fmt::format("result: {}\n", printable(result));
}

}  // namespace

std::string plan_text(Json replay, std::optional<Json> forecast) {
  const auto plan = member_at(replay, "plan");
  if (!plan) return "";
  const std::string id = text_at(replay, "replay");
  const bool exists = !id.empty() && id != "r0";  // a dry run has none
  const std::uint64_t planned = count_at(replay, "counts.planned");
  std::string text;
  if (exists)
    text += line("replay", fmt::format("{}, {}", printable(id), shown_at(replay, "state")));
  text += line("deliveries", grouped(planned)) + line("selected by", selection_text(*plan));
  const std::uint64_t edited = count_at(replay, "edited");
  if (edited > 0) {
    text += line("edited",
                 fmt::format("{} of their events; `weir event revisions EVENT` tells what",
                             grouped(edited)));
  }
  text += line("reason", shown_at(*plan, "reason"));
  text += line("canary", canary_text(*plan)) + line("rate", rate_text(*plan)) +
          line("verified by", verify_text(*plan)) + line("stops when", stop_text(*plan));
  text += line("each", terms_text(*plan)) + line("too old", staleness_text(*plan));
  const std::string state = text_at(replay, "state");
  if (state == "planned" || state == "planning") text += checks_text(replay);  // else in the report
  const Json counted_by = forecast.value_or(replay);
  text += line("takes about", fmt::format("{}, with a peak of {:.3g}/s",
                                          duration_text(number_at(counted_by, "estimate.seconds")),
                                          number_at(counted_by, "estimate.peakPerSecond")));
  text += line("plan", shown_at(replay, "hash").substr(0, kShownDigest));
  const std::string why = shown_at(replay, "approval.why");
  if (why.empty()) return text;
  const std::string request = shown_at(replay, "approval.request");
  return text +
         line("approval",
              fmt::format("needs one: {}{}", why,
                          request.empty() ? ""
                                          : fmt::format("; {} is {}", request,
                                                        shown_at(replay, "approval.state"))));
}

namespace {

std::string cost_text(Json forecast) {
  double cost = 0;
  if (const auto loads = member_at(forecast, "loads")) {
    for (const Json load : *loads) cost += number_at(load, "cost");
  }
  return cost > 0 ? line("cost", fmt::format("{:.4g} without retries", cost)) : "";
}

// What the ledger would say to the effects of the handlers that are called again.
std::string effects_text(Json forecast) {
  const auto effects = member_at(forecast, "effects");
  if (!effects) return "";
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {
      {"answered", "happened: they are answered from the ledger"},
      {"sent", "did not happen: they are sent"},
      {"repeated", "in doubt: they are sent again under their key"},
      {"asked", "in doubt: their dependency is asked first"},
      {"held", "in doubt: they are refused until somebody says what happened"}};
  std::string text;
  for (const auto& [member, says] : kParts) {
    const std::uint64_t count = count_at(*effects, member);
    if (count == 0) continue;
    text += line(text.empty() ? "effects" : "", fmt::format("{} {}", grouped(count), says));
  }
  return text;
}

// The rate over time, where it changes.
std::string steps_text(Json from, std::string_view member) {
  const auto steps = member_at(from, member);
  if (!steps || steps->size() < 2) return "";
  std::string text;
  std::size_t shown = 0;
  for (const Json step : *steps) {
    if (++shown > 6) return text + ", ...";
    text += fmt::format("{}{:.3g}/s from {}", text.empty() ? "" : ", ",
                        number_at(step, "perSecond"),
                        duration_text(number_at(step, "fromSeconds")));
  }
  return text;
}

// Of the whole run, or where it calls several dependencies of each: they may come one by one.
std::string load_over_time_text(Json forecast) {
  const auto loads = member_at(forecast, "loads");
  if (!loads || loads->size() < 2) return line("over time", steps_text(forecast, "estimate.steps"));
  std::string text;
  for (const Json load : *loads) {
    text += line(text.empty() ? "over time" : "",
                 fmt::format("{}: {}", shown_at(load, "dependency"), steps_text(load, "steps")));
  }
  return text;
}

}  // namespace

std::string forecast_text(Json forecast) {
  std::string text;
  if (const auto groups = member_at(forecast, "groups")) {
    for (const Json group : *groups) {
      text += fmt::format("{:<12}{:>8}  {:.8}  {}\n", text.empty() ? "groups" : "",
                          grouped(count_at(group, "deliveries")), shown_at(group, "group"),
                          shown_at(group, "title"));
    }
  }
  if (const auto loads = member_at(forecast, "loads")) {
    bool first = true;
    for (const Json load : *loads) {
      const double limit = number_at(load, "limitPerSecond");
      text += line(
          std::exchange(first, false) ? "load" : "",
          fmt::format(
              "{}: {:.3g}/s live and up to {:.3g}/s replayed, {}", shown_at(load, "dependency"),
              number_at(load, "livePerSecond"), number_at(load, "peakPerSecond"),
              limit > 0 ? fmt::format("of {:.4g}/s", limit) : std::string("no limit is known")));
    }
  }
  text += load_over_time_text(forecast);
  text += line("calls", fmt::format("{}, and retries; one takes about {}",
                                    grouped(count_at(forecast, "deliveries")),
                                    duration_text(number_at(forecast, "attemptSeconds"))));
  text += cost_text(forecast);
  if (flag_at(forecast, "repeats"))
    text += line("repeats", "all of them were delivered before: each call is made once more");
  const std::uint64_t rejected = count_at(forecast, "rejected");
  const std::uint64_t old = count_at(forecast, "tooOld");
  const std::string looked = fmt::format(" of the {} looked at",
                                         grouped(count_at(forecast, "lookedAt")));
  if (rejected > 0)
    text += line("filtered",
                 grouped(rejected) + looked + " would not pass the filter of their flow today");
  if (old > 0) text += line("too old", grouped(old) + looked);
  const std::uint64_t doubt = count_at(forecast, "inDoubt");
  if (doubt > 0) text += line("in doubt", grouped(doubt) + ": they may have been applied already");
  text += effects_text(forecast);
  const std::uint64_t gone = count_at(forecast, "withoutFlow");
  if (gone > 0) text += line("no flow", grouped(gone) + ": their flow has left the configuration");
  return text;
}

std::string report_text(Json replay, WallTime now) {
  const ReplayProgress progress = read_progress(replay);
  std::string text = fmt::format("{} {}", progress.replay, progress.state);
  if (!progress.state_reason.empty()) text += ": " + progress.state_reason;
  text += "\n";
  const std::string waits = text_at(replay, "waitsUntil");
  if (!waits.empty())
    text += fmt::format("it starts by itself when its preconditions hold, until {}\n",
                        printable(waits));
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
  if (progress.joined > 0) {
    text += fmt::format(
        "{} came into quarantine since the plan was made: they are not part of it\n",
        grouped(progress.joined));
  }
  return text + report_line(progress) + "\n" + parts_text(replay) + result_text(replay) +
         checks_text(replay) + stops_text(replay);
}

}  // namespace weir::app
