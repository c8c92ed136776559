// SPDX-License-Identifier: Apache-2.0
#include "app/bound_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "wire/json.h"

namespace weir::app {
namespace {

using policy::Bound;
using policy::DependencyBound;
using policy::FlowBound;
using policy::Verdict;

std::string number(double value) { return fmt::format("{:.4g}", value); }
std::string rate(double per_second) { return number(per_second) + "/s"; }
// A bound is rounded up: it must not look lower than it is.
std::string most(double value, int digits = 4) {
  if (!(value > 0)) return number(value);
  const double scale = std::pow(10, digits - 1 - std::floor(std::log10(value)));
  return fmt::format("{:.{}g}", std::ceil(value * scale - 1e-6) / scale, digits);
}
std::string most_rate(double per_second) { return most(per_second) + "/s"; }
std::string most(Duration duration) {
  using std::chrono::ceil;
  using Tenths = std::chrono::duration<std::int64_t, std::deci>;
  if (duration < std::chrono::milliseconds{999})
    return weir::to_text(ceil<std::chrono::milliseconds>(duration));
  if (duration < std::chrono::seconds{59}) return weir::to_text(ceil<Tenths>(duration));
  if (duration < std::chrono::hours{1}) return weir::to_text(ceil<std::chrono::seconds>(duration));
  if (duration < std::chrono::days{1}) return weir::to_text(ceil<std::chrono::minutes>(duration));
  return weir::to_text(ceil<std::chrono::hours>(duration));
}
std::string percent(double share) { return fmt::format("{:.3g} %", share * 100); }

void line(std::string& text, std::string_view label, const std::string& content) {
  text += fmt::format("  {:<19} {}\n", label, content);
}

std::string budget_text(const policy::BudgetBound& budget) {
  if (!budget.share) return "no budget holds them back";
  std::string text = fmt::format("budget {} of first attempts + {} in {} s", percent(*budget.share),
                                 rate(budget.per_second), number(budget.window_seconds));
  if (budget.per_retry)
    text += fmt::format(", tokens for {} per success and {} at once", percent(*budget.per_retry),
                        number(*budget.tokens));
  return text;
}

void add_load(std::string& text, const DependencyBound& bound) {
  if (!bound.peak) return;
  line(text, "while calls fail",
       fmt::format("at most {}, {} times the peak", most_rate(*bound.sent_rate),
                   most(*bound.sent_rate / *bound.peak, 3)));
  if (*bound.sent_rate < *bound.failing_rate)
    line(text, "",
         fmt::format("the rate limit cuts it from {}: retries wait",
                     most_rate(*bound.failing_rate)));
  if (bound.burst)
    line(text, "burst", fmt::format("{} retries beyond that rate at most", most(*bound.burst)));
  line(text, "calls ever made",
       fmt::format(
           "at most {} in the long run: retries that succeed are not charged",
           most_rate(std::min(*bound.total_rate, bound.rate_limit.value_or(*bound.total_rate)))));
}

void add_recovery(std::string& text, const DependencyBound& bound) {
  if (!bound.recovery) return;
  const policy::Recovery& recovery = *bound.recovery;
  const std::string label = fmt::format("after {} down", weir::to_text(recovery.outage));
  if (!recovery.caught_up)
    return line(text, label, "never catches up: the peak is all that it takes, or more");
  const std::string at_worst = recovery.at_worst ? most(*recovery.at_worst) : "never";
  std::string content = "caught up after " + most(*recovery.caught_up);
  if (recovery.breaker > Duration::zero())
    content += fmt::format(", up to {} of it the breaker's last wait", most(recovery.breaker));
  if (recovery.at_worst != recovery.caught_up)
    content += fmt::format("; while retries go on as fast as they may: {}", at_worst);
  line(text, label, content);
}

void add_dependency(std::string& text, const DependencyBound& bound) {
  text += fmt::format("dependency {}: {}\n", bound.name, to_text(bound.verdict));
  if (bound.flows.empty()) return line(text, "called by", "no flow");
  line(text, "called by", fmt::format("{}", fmt::join(bound.flows, ", ")));
  if (bound.capacity) line(text, "capacity", rate(*bound.capacity));
  if (bound.peak) line(text, "peak", rate(*bound.peak));
  line(text, "attempts per event",
       fmt::format("at most {}, all flows of its stream together",
                   number(bound.attempts_per_event)));
  line(text, "retries", budget_text(bound.budget));
  add_load(text, bound);
  if (bound.rate_limit)
    line(text, "rate limit",
         fmt::format("{}, {} at once", rate(*bound.rate_limit), number(bound.rate_burst)));
  std::string calls = fmt::format("{}, so {} while all of them time out", number(bound.concurrency),
                                  most_rate(*bound.timeout_rate));
  if (bound.safe_concurrency)
    calls += fmt::format("; safe up to {}", number(*bound.safe_concurrency));
  line(text, "calls at once", calls);
  if (bound.hidden_capacity)
    line(text, "hidden capacity",
         fmt::format("{}: the most events whose worst case still fits",
                     rate(*bound.hidden_capacity)));
  if (bound.safe_share)
    line(text, "largest safe budget",
         *bound.safe_share < 0 ? std::string("none: the peak alone is too much")
                               : percent(*bound.safe_share));
  add_recovery(text, bound);
  if (!bound.missing.empty())
    line(text, "not declared",
         fmt::format("{}; with it: the load while calls fail, the largest safe budget, recovery "
                     "and the verdict",
                     fmt::join(bound.missing, ", ")));
}

void add_flow(std::string& text, const FlowBound& bound) {
  text += fmt::format("flow {} -> {}: {}\n", bound.name, bound.dependency, to_text(bound.verdict));
  line(text, "attempts",
       fmt::format("at most {} per event; every replay of it begins anew", number(bound.attempts)));
  if (bound.calls > bound.attempts)
    line(text, "",
         fmt::format("at most {} calls if Weir is killed in between", number(bound.calls)));
  if (bound.amplification)
    line(text, "amplification",
         fmt::format("at most {} calls per event at a peak of {}", most(*bound.amplification, 3),
                     rate(*bound.peak)));
  const policy::DelayBound& delay = bound.delay;
  line(text, "delay",
       fmt::format("at most {}; {} if throttled; {} if the server asks for more time",
                   most(delay.ordinary), most(delay.throttled), most(delay.directed)));
  if (delay.event > Duration::zero())
    line(text, "", fmt::format("with deferrals no more than {}", most(delay.event)));
}

void put(wire::JsonWriter& json, std::string_view name, const std::optional<double>& value) {
  if (value) json.field(name, *value);
}

void put(wire::JsonWriter& json, std::string_view name, Duration value) {
  json.field(name, std::chrono::duration<double>(value).count());
}

void put_recovery(wire::JsonWriter& json, const policy::Recovery& recovery) {
  json.key("recovery").begin_object();
  put(json, "outageSeconds", recovery.outage);
  put(json, "breakerWaitSeconds", recovery.breaker);
  json.key("caughtUpSeconds");
  const auto end = [&](const std::optional<Duration>& value) {
    if (!value) return (void)json.null();
    json.value(std::chrono::duration<double>(*value).count());
  };
  end(recovery.caught_up);
  json.key("atWorstSeconds");
  end(recovery.at_worst);
  json.end_object();
}

void put_dependency(wire::JsonWriter& json, const DependencyBound& bound) {
  json.begin_object().field("name", bound.name).field("verdict", to_text(bound.verdict));
  json.key("flows").begin_array();
  for (const std::string& flow : bound.flows) json.value(flow);
  json.end_array().key("notDeclared").begin_array();
  for (const std::string& missing : bound.missing) json.value(missing);
  json.end_array();
  put(json, "capacityPerSecond", bound.capacity);
  put(json, "peakPerSecond", bound.peak);
  json.field("attemptsPerEvent", bound.attempts_per_event);
  put(json, "failingRatePerSecond", bound.failing_rate);
  put(json, "sentRatePerSecond", bound.sent_rate);
  put(json, "totalRatePerSecond", bound.total_rate);
  put(json, "amplification", bound.amplification);
  put(json, "retryBurst", bound.burst);
  put(json, "rateLimitPerSecond", bound.rate_limit);
  if (bound.rate_limit) json.field("rateLimitBurst", bound.rate_burst);
  json.field("concurrency", bound.concurrency);
  put(json, "safeConcurrency", bound.safe_concurrency);
  put(json, "timeoutRatePerSecond", bound.timeout_rate);
  put(json, "hiddenCapacityPerSecond", bound.hidden_capacity);
  if (bound.safe_share) json.field("safeBudgetPercent", *bound.safe_share * 100);
  if (bound.recovery) put_recovery(json, *bound.recovery);
  json.end_object();
}

void put_flow(wire::JsonWriter& json, const FlowBound& bound) {
  json.begin_object().field("name", bound.name).field("dependency", bound.dependency);
  json.field("verdict", to_text(bound.verdict)).field("attempts", bound.attempts);
  json.field("calls", bound.calls);
  put(json, "peakPerSecond", bound.peak);
  put(json, "amplification", bound.amplification);
  put(json, "delaySeconds", bound.delay.ordinary);
  put(json, "throttledDelaySeconds", bound.delay.throttled);
  put(json, "directedDelaySeconds", bound.delay.directed);
  put(json, "eventSeconds", bound.delay.event);
  json.end_object();
}

}  // namespace

Bound narrowed(Bound bound, std::string_view flow) {
  if (flow.empty()) return bound;
  std::erase_if(bound.flows, [&](const FlowBound& one) { return one.name != flow; });
  std::erase_if(bound.dependencies, [&](const DependencyBound& one) {
    return std::ranges::find(one.flows, flow) == one.flows.end();
  });
  return bound;
}

Verdict worst(const Bound& bound) {
  const auto any = [&](Verdict verdict) {
    return std::ranges::any_of(bound.dependencies,
                               [&](const DependencyBound& one) { return one.verdict == verdict; });
  };
  for (const Verdict verdict : {Verdict::overloaded, Verdict::vulnerable, Verdict::unknown})
    if (any(verdict)) return verdict;
  return bound.dependencies.empty() ? Verdict::unknown : Verdict::stable;
}

std::string bound_text(const Bound& bound) {
  std::string text;
  for (const DependencyBound& one : bound.dependencies) {
    if (!text.empty()) text += '\n';
    add_dependency(text, one);
  }
  for (const FlowBound& one : bound.flows) {
    if (!text.empty()) text += '\n';
    add_flow(text, one);
  }
  return text;
}

std::string bound_json(const Bound& bound) {
  wire::JsonWriter json;
  json.begin_object().field("verdict", to_text(worst(bound)));
  json.key("dependencies").begin_array();
  for (const DependencyBound& one : bound.dependencies) put_dependency(json, one);
  json.end_array().key("flows").begin_array();
  for (const FlowBound& one : bound.flows) put_flow(json, one);
  json.end_array().end_object();
  return std::move(json).take();
}

}  // namespace weir::app
