// SPDX-License-Identifier: Apache-2.0
#include "config/replay_plan_document.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/reader.h"

namespace weir::config {
namespace {

constexpr YamlLimits kLimits{.bytes = 1024 * 1024, .depth = 40, .nodes = 20'000};
constexpr Duration kProbePatience = std::chrono::seconds{2};
constexpr Duration kProbePatienceMax = std::chrono::seconds{10};
constexpr std::initializer_list<std::string_view> kActions = {"stop", "pause", "slow"};

struct StopName {
  std::string_view name;
  StopRule StopConditions::* rule;
  bool is_duration;
};
constexpr StopName kStopNames[] = {{"failureShare", &StopConditions::failure_share, false},
                                   {"sameFingerprint", &StopConditions::same_fingerprint, false},
                                   {"latency", &StopConditions::latency, true},
                                   {"liveLag", &StopConditions::live_lag, true},
                                   {"duration", &StopConditions::duration, true}};

void read_time(MapReader& map, std::string_view key, WallTime now, std::optional<WallTime>& into) {
  std::string text;
  map.text(key, text);
  if (text.empty() && map.node().find(key) == nullptr) return;
  if (const auto time = parse_rfc3339(text)) {
    into = std::chrono::floor<std::chrono::milliseconds>(*time);
    return;
  }
  if (const auto ago = parse_duration(text)) {
    into = std::chrono::floor<std::chrono::milliseconds>(now - *ago);  // as it is shown
    return;
  }
  map.problem(key, fmt::format("'{}' is neither a time nor a duration", text),
              "for example 2026-11-21T14:00:00Z, or 15m for fifteen minutes ago");
}

void read_mark(MapReader& map, Mark& into) {
  std::string text;
  map.text("mark", text);
  if (text.empty()) return;
  const auto mark = parse_mark(text);
  if (mark) into = *mark;
  if (!mark)
    map.problem("mark", fmt::format("unknown mark '{}'", text), "archived, exhausted or inDoubt");
}

void read_selection(MapReader map, WallTime now, Selection& into) {
  map.text("group", into.group);
  map.text("flow", into.flow);
  std::string failure;
  map.text("class", failure);
  if (!failure.empty()) {
    into.failure = parse_failure_class(failure);
    std::vector<std::string> known;
    for (int i = 0; i < kFailureClassCount; ++i)
      known.emplace_back(weir::to_text(static_cast<FailureClass>(i)));
    if (!into.failure)
      map.problem("class", fmt::format("unknown class '{}'", failure),
                  did_you_mean(failure, known));
  }
  read_time(map, "since", now, into.since);
  read_time(map, "until", now, into.until);
  if (const YamlNode* where = map.take("where")) into.where = to_json(*where);
  map.name("dependency", into.dependency);
  map.text("key", into.key);
  map.text("type", into.type);
  map.count("status", into.status, 100, 599);
  read_mark(map, into.mark);
  map.flag("delivered", into.delivered);
  map.strings("ids", into.ids);
  // A condition that got lost on the way must not widen the selection.
  for (const std::string_view name :
       {"group", "flow", "class", "dependency", "key", "type", "mark"}) {
    const YamlNode* node = map.node().find(name);
    if (node != nullptr && node->text.empty())
      map.problem(name, fmt::format("'{}' is empty", name));
  }
  if (into.ids.empty() && map.node().find("ids") != nullptr) map.problem("ids", "'ids' is empty");
  map.finish();
}

void read_day_time(MapReader& map, std::string_view key, Duration& into) {
  if (!map.required(key)) return;
  std::string text;
  map.text(key, text);
  const auto time = parse_rfc3339(fmt::format("1970-01-01T{}:00Z", text));
  if (time && text.size() == 5) {
    into = *time - WallTime{};
    return;
  }
  map.problem(key, fmt::format("'{}' is no time of the day", text),
              "for example \"22:00\", in UTC");
}

void read_patience(MapReader& map, PlanCheck& into) {
  into.duration = kProbePatience;
  map.duration("timeout", into.duration, std::chrono::milliseconds{1});
  if (into.duration > kProbePatienceMax)
    map.problem("timeout",
                fmt::format("'timeout' must be at most {}", weir::to_text(kProbePatienceMax)));
}

void read_http(MapReader& map, PlanCheck& into) {
  into.kind = CheckKind::http;
  if (map.required("url")) map.text("url", into.subject);
  map.count("status", into.status, 100, 599);
  read_patience(map, into);
  if (auto header = map.map("header")) {
    if (header->required("name")) header->text("name", into.header);
    if (header->required("value")) header->text("value", into.value);
    header->finish();
  }
}

void read_prometheus(MapReader& map, PlanCheck& into) {
  into.kind = CheckKind::prometheus;
  if (map.required("url")) map.text("url", into.subject);
  if (map.required("query")) map.text("query", into.query);
  if (map.required("below")) map.number("below", into.below, -1e300, 1e300);
  read_patience(map, into);
}

// One of the members says of which kind it is.
void read_check(MapReader map, bool precondition, std::vector<PlanCheck>& into) {
  PlanCheck check;
  const bool one = map.node().members.size() == 1 &&
                   map.node().members.front().value.kind != YamlNode::Kind::null;
  if (!one) {
    map.report().add(map.file(), map.node(), "a check is a map of one kind",
                     precondition
                         ? "breakerClosed, flow, timeWindow, noneInDoubt, http or prometheus"
                         : "http or prometheus");
    return;
  }
  if (precondition) {
    if (auto breaker = map.map("breakerClosed")) {
      if (breaker->required("dependency")) breaker->name("dependency", check.subject);
      breaker->duration("for", check.duration);
      breaker->finish();
    }
    if (auto flow = map.map("flow")) {
      check.kind = CheckKind::flowStatus;
      if (flow->required("name")) flow->name("name", check.subject);
      int is = 0;
      if (flow->required("is")) flow->choice("is", {"active", "paused"}, is);
      check.paused = is == 1;
      flow->finish();
    }
    if (auto window = map.map("timeWindow")) {
      check.kind = CheckKind::timeWindow;
      read_day_time(*window, "from", check.from);
      read_day_time(*window, "until", check.until);
      window->finish();
    }
    bool none_in_doubt = false;
    map.flag("noneInDoubt", none_in_doubt);
    if (none_in_doubt) check.kind = CheckKind::noneInDoubt;
    if (!none_in_doubt && map.node().find("noneInDoubt") != nullptr)
      map.problem("noneInDoubt", "'noneInDoubt' is true, or is left out");
  }
  if (auto http = map.map("http")) {
    read_http(*http, check);
    http->finish();
  }
  if (auto prometheus = map.map("prometheus")) {
    read_prometheus(*prometheus, check);
    prometheus->finish();
  }
  map.finish();
  into.push_back(std::move(check));
}

void read_checks(MapReader& map, std::string_view key, bool precondition,
                 std::vector<PlanCheck>& into) {
  const YamlNode* list = map.take(key);
  if (list == nullptr) return;
  if (list->kind != YamlNode::Kind::list)
    return map.problem(key, fmt::format("'{}' must be a list", key));
  if (list->items.size() > kChecksMax)
    return map.problem(key, fmt::format("at most {} checks", kChecksMax));
  for (const YamlNode& item : list->items) {
    read_check(MapReader(map.report(), map.file(), item, fmt::format("a check of '{}'", key)),
               precondition, into);
  }
}

// Rates one by one, which say all that start, max and factor would.
void read_steps(MapReader& map, RatePlan& into) {
  map.rates("steps", into.steps, kRateStepsMax);
  if (into.steps.empty()) return;
  for (const std::string_view other : {"start", "max", "factor"}) {
    if (map.node().find(other) != nullptr)
      return map.problem(other, fmt::format("'steps' are the rates: leave '{}' out", other));
  }
  if (!std::ranges::is_sorted(into.steps, std::less_equal<>()))
    return map.problem("steps", "each of 'steps' must be above the one before");
  into.start_per_second = into.steps.front();
  into.max_per_second = into.steps.back();
}

void read_rate(MapReader map, RatePlan& into) {
  map.rate("start", into.start_per_second);
  into.max_per_second = std::max(into.max_per_second, into.start_per_second);
  map.rate("max", into.max_per_second);
  map.number("share", into.share, 0, 100);
  map.number("factor", into.ramp_factor, 1, 100);
  read_steps(map, into);
  map.duration("step", into.step, std::chrono::milliseconds{1});
  map.count("concurrency", into.concurrency, 1, 10'000);
  map.finish();
}

void read_verify(MapReader map, Verification& into) {
  map.flag("nothingReturned", into.nothing_returned);
  read_checks(map, "checks", false, into.checks);
  map.flag("afterCanary", into.after_canary);
  map.flag("eachStep", into.each_step);
  map.flag("atEnd", into.at_end);
  map.finish();
}

void read_action(MapReader& map, StopRule& into) {
  int then = static_cast<int>(into.then);
  map.choice("then", kActions, then);
  into.then = static_cast<StopAction>(then);
}

void read_limit(MapReader& map, std::string_view key, const StopName& name, StopRule& into) {
  const bool is_duration = name.is_duration;
  const double most = name.rule == &StopConditions::failure_share ? 100 : 1e9;
  if (!is_duration) return map.number(key, into.limit, 0, most);
  Duration limit{static_cast<std::int64_t>(into.limit * 1e6)};
  map.duration(key, limit);
  into.limit = std::chrono::duration<double>(limit).count();
}

// `failureShare: 10` or `failureShare: { limit: 10, then: slow }`.
void read_stop(MapReader map, StopConditions& into) {
  for (const StopName& one : kStopNames) {
    StopRule& rule = into.*one.rule;
    const YamlNode* node = map.node().find(one.name);
    if (node == nullptr || node->kind != YamlNode::Kind::map) {
      read_limit(map, one.name, one, rule);
      continue;
    }
    MapReader both = *map.map(one.name);
    if (both.required("limit")) read_limit(both, "limit", one, rule);
    read_action(both, rule);
    both.finish();
  }
  const YamlNode* breaker = map.node().find("breakerOpen");
  if (breaker != nullptr && breaker->kind == YamlNode::Kind::map) {
    MapReader both = *map.map("breakerOpen");
    into.breaker_open.limit = 1;
    read_action(both, into.breaker_open);
    both.finish();
  } else {
    bool on = into.breaker_open.limit > 0;
    map.flag("breakerOpen", on);
    into.breaker_open.limit = on ? 1 : 0;
  }
  map.finish();
}

void read_staleness(MapReader map, Staleness& into) {
  for (const auto& [name, stale] :
       {std::pair{"expired", &into.expired}, std::pair{"superseded", &into.superseded}}) {
    int choice = static_cast<int>(*stale);
    map.choice(name, {"replay", "skip", "ask"}, choice);
    *stale = static_cast<Stale>(choice);
  }
  map.finish();
}

void read_header_policy(MapReader map, ReplayTerms& into) {
  int trace = into.new_trace ? 1 : 0;
  map.choice("trace", {"keep", "new"}, trace);
  into.new_trace = trace == 1;
  map.strings("strip", into.strip);
  map.headers("set", into.headers, false);  // which are masked
  if (into.strip.size() > kReplayHeadersMax || into.headers.size() > kReplayHeadersMax)
    map.problem("set", fmt::format("at most {} headers", kReplayHeadersMax));
  map.finish();
}

void read_plan(MapReader map, WallTime now, ReplayPlan& into) {
  if (auto selection = map.map("selection")) read_selection(*selection, now, into.selection);
  map.text("reason", into.reason);
  read_checks(map, "preconditions", true, into.preconditions);
  if (auto rate = map.map("rate")) read_rate(*rate, into.rate);
  if (auto canary = map.map("canary")) {
    canary->count("count", into.canary.count, 0, 100'000);
    canary->number("share", into.canary.share, 0, 100);
    canary->duration("hold", into.canary.hold);
    canary->finish();
  }
  if (auto verify = map.map("verify")) read_verify(*verify, into.verify);
  if (auto stop = map.map("stop")) read_stop(*stop, into.stop);
  if (auto stale = map.map("staleness")) read_staleness(*stale, into.staleness);
  map.count("attempts", into.terms.attempts, 0, 100);
  if (auto headers = map.map("headers")) read_header_policy(*headers, into.terms);
  std::string actor;  // of a plan that was shown: whoever gives it back is its actor
  map.text("actor", actor);
  map.finish();
}

void write_selection(wire::JsonWriter& json, const Selection& selection) {
  json.begin_object();
  if (!selection.group.empty()) json.field("group", selection.group);
  if (!selection.flow.empty()) json.field("flow", selection.flow);
  if (selection.failure) json.field("class", weir::to_text(*selection.failure));
  if (selection.since) json.field("since", to_rfc3339(*selection.since));
  if (selection.until) json.field("until", to_rfc3339(*selection.until));
  if (!selection.where.empty()) json.key("where").raw(selection.where);
  if (!selection.dependency.empty()) json.field("dependency", selection.dependency);
  if (!selection.key.empty()) json.field("key", selection.key);
  if (!selection.type.empty()) json.field("type", selection.type);
  if (selection.status != 0) json.field("status", selection.status);
  if (selection.mark != Mark::any) json.field("mark", weir::to_text(selection.mark));
  if (selection.delivered) json.field("delivered", true);
  if (!selection.ids.empty()) {
    json.key("ids").begin_array();
    for (const std::string& id : selection.ids) json.value(id);
    json.end_array();
  }
  json.end_object();
}

void write_check(wire::JsonWriter& json, const PlanCheck& check) {
  json.begin_object();
  if (check.kind == CheckKind::noneInDoubt) {
    json.field("noneInDoubt", true).end_object();
    return;
  }
  json.key(weir::to_text(check.kind)).begin_object();
  switch (check.kind) {
    case CheckKind::breakerClosed:
      json.field("dependency", check.subject).field("for", to_setting(check.duration));
      break;
    case CheckKind::flowStatus:
      json.field("name", check.subject).field("is", check.paused ? "paused" : "active");
      break;
    case CheckKind::timeWindow:
      json.field("from", to_day_time(check.from)).field("until", to_day_time(check.until));
      break;
    case CheckKind::http:
      json.field("url", check.subject).field("status", check.status);
      if (!check.header.empty()) {
        json.key("header").begin_object().field("name", check.header);
        json.field("value", check.value).end_object();
      }
      json.field("timeout", to_setting(check.duration));
      break;
    case CheckKind::prometheus:
      json.field("url", check.subject).field("query", check.query).field("below", check.below);
      json.field("timeout", to_setting(check.duration));
      break;
    case CheckKind::noneInDoubt: break;
  }
  json.end_object().end_object();
}

void write_checks(wire::JsonWriter& json, std::string_view name,
                  const std::vector<PlanCheck>& checks) {
  json.key(name).begin_array();
  for (const PlanCheck& check : checks) write_check(json, check);
  json.end_array();
}

void write_stop(wire::JsonWriter& json, const StopConditions& stop) {
  json.begin_object();
  for (const StopName& one : kStopNames) {
    const StopRule& rule = stop.*one.rule;
    json.key(one.name).begin_object();
    if (one.is_duration) {
      json.field("limit", to_setting(Duration{static_cast<std::int64_t>(rule.limit * 1e6)}));
    } else {
      json.field("limit", rule.limit);
    }
    json.field("then", weir::to_text(rule.then)).end_object();
  }
  if (stop.breaker_open.limit > 0) {
    json.key("breakerOpen").begin_object().field("then", weir::to_text(stop.breaker_open.then));
    json.end_object();
  } else {
    json.field("breakerOpen", false);
  }
  json.end_object();
}

void write_header_policy(wire::JsonWriter& json, const ReplayTerms& terms) {
  json.key("headers").begin_object().field("trace", terms.new_trace ? "new" : "keep");
  json.key("strip").begin_array();
  for (const std::string& name : terms.strip) json.value(name);
  json.end_array().key("set").begin_object();
  for (const auto& [name, value] : terms.headers) json.field(name, value);
  json.end_object().end_object();
}

void write_rate(wire::JsonWriter& json, const RatePlan& rate) {
  const auto text = [](double per_second) { return fmt::format("{}/s", per_second); };
  json.begin_object();
  if (rate.steps.empty()) {
    json.field("start", text(rate.start_per_second)).field("max", text(rate.max_per_second));
    json.field("factor", rate.ramp_factor);
  } else {
    json.key("steps").begin_array();
    for (const double step : rate.steps) json.value(text(step));
    json.end_array();
  }
  json.field("step", to_setting(rate.step)).field("share", rate.share);
  json.field("concurrency", rate.concurrency).end_object();
}

}  // namespace

PlanOutcome read_replay_plan(std::string_view text, WallTime now) {
  PlanOutcome outcome;
  const std::vector<SourceFile> files = {{"plan", std::string(text)}};
  const SecretResolver no_secrets = [](std::string_view, std::string_view) -> Result<std::string> {
    return Error{Code::config_invalid, "a plan has no secrets", ""};
  };
  Report report{files, no_secrets, outcome.problems};
  const auto tree = parse_yaml("plan", text, outcome.problems, kLimits);
  if (tree == nullptr) return outcome;
  ReplayPlan plan;
  read_plan(MapReader(report, "plan", *tree, "the plan"), now, plan);
  if (outcome.problems.empty()) outcome.plan = std::move(plan);
  return outcome;
}

void write_replay_plan(wire::JsonWriter& json, const ReplayPlan& plan) {
  json.begin_object().key("selection");
  write_selection(json, plan.selection);
  write_checks(json, "preconditions", plan.preconditions);
  json.key("rate");
  write_rate(json, plan.rate);
  json.key("canary").begin_object().field("count", plan.canary.count);
  json.field("share", plan.canary.share);
  json.field("hold", to_setting(plan.canary.hold)).end_object();
  json.key("verify").begin_object().field("nothingReturned", plan.verify.nothing_returned);
  write_checks(json, "checks", plan.verify.checks);
  json.field("afterCanary", plan.verify.after_canary).field("eachStep", plan.verify.each_step);
  json.field("atEnd", plan.verify.at_end).end_object();
  json.key("stop");
  write_stop(json, plan.stop);
  json.key("staleness").begin_object().field("expired", weir::to_text(plan.staleness.expired));
  json.field("superseded", weir::to_text(plan.staleness.superseded)).end_object();
  json.field("attempts", plan.terms.attempts);
  write_header_policy(json, plan.terms);
  json.field("reason", plan.reason).field("actor", plan.actor).end_object();
}

}  // namespace weir::config
