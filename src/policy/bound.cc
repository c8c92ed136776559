// SPDX-License-Identifier: Apache-2.0
#include "policy/bound.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "policy/backoff.h"
#include "policy/retry_budget.h"

namespace weir::policy {
namespace {

constexpr double kSafeShare = 0.8;
constexpr Duration kLongest = std::chrono::hours{24 * 365 * 100};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

Duration from_seconds(double value) {
  if (!(value < seconds(kLongest))) return kLongest;
  return Duration{static_cast<std::int64_t>(std::ceil(value * 1e6))};
}

Duration plus(Duration a, Duration b) { return std::min(kLongest, a + b); }

BudgetBound budget_bound(const RetryConstraintSpec& spec) {
  BudgetBound budget;
  if (spec.mode == Mode::shadow) return budget;
  budget.share = spec.percent / 100;
  const double interval = std::max(seconds(spec.min_retry_interval), 1e-6);
  budget.per_second = spec.min_retry_count / interval;
  budget.window_seconds = seconds(RetryBudget(spec).window());
  const double cost = std::min(spec.tokens.cost_transient, spec.tokens.cost_throttling);
  if (spec.tokens.capacity > 0 && cost > 0) {
    budget.per_retry = spec.tokens.success / cost;
    budget.tokens = spec.tokens.capacity / cost;
  }
  return budget;
}

// The smaller of the window's and the tokens' share; the minimum rate pays where either does not.
std::optional<double> retry_share(const BudgetBound& budget) {
  if (!budget.share) return std::nullopt;
  return std::min(*budget.share, budget.per_retry.value_or(*budget.share));
}

// Retries per second at so many first attempts per second.
std::optional<double> retry_rate(const BudgetBound& budget, double first) {
  const auto share = retry_share(budget);
  if (!share) return std::nullopt;
  return *share * first + budget.per_second;
}

double retry_burst(const BudgetBound& budget, double first) {
  const double minimum = budget.per_second * budget.window_seconds + 1;
  if (retry_share(budget) < budget.share) return *budget.tokens + minimum;
  return *budget.share * first * budget.window_seconds + minimum;
}

// The rule whose ceilings are the longest delays after each failure; decorrelated jitter triples
// the one before, and the one before may have been asked for by the server.
BackOffSpec longest_rule(const RetrySpec& retry, Duration base, Duration server) {
  BackOffSpec spec = retry.back_off;
  spec.base_interval = std::max(spec.base_interval, base);
  const bool decorrelated = spec.jitter == Jitter::decorrelated;
  if (decorrelated) spec.multiplier = std::max(spec.multiplier, 3.0);
  if (decorrelated && server > Duration::zero()) spec.base_interval = spec.max_interval;
  return spec;
}

// Before the last attempt: no delay is longer.
Duration longest_delay(const RetrySpec& retry) {
  if (retry.max_attempts <= 1) return {};
  return backoff_ceiling(longest_rule(retry, Duration::zero(), Duration::zero()),
                         retry.max_attempts - 1);
}

// The flows that call one dependency, and what they ask of it together.
struct Callers {
  std::vector<const FlowSpec*> flows;
  double peak = 0;
  double at_most = 0;         // calls per second if every retry is made
  double worst_attempts = 1;  // of any flow
  double probes = 0;          // uncharged calls per second
  Duration shortest_timeout = kLongest;
  Duration longest_timeout{};
  Duration longest_delay{};  // of one retry
};

Callers callers_of(const Config& config, const DependencySpec& dependency) {
  Callers callers;
  for (const FlowSpec& flow : config.flows) {
    if (flow.dependency != dependency.name) continue;
    const double attempts = std::max(flow.policy.retry.max_attempts, 1u);
    callers.flows.push_back(&flow);
    callers.peak += flow.peak_per_second;
    callers.at_most += flow.peak_per_second * attempts;
    callers.worst_attempts = std::max(callers.worst_attempts, attempts);
    callers.shortest_timeout = std::min(callers.shortest_timeout, flow.policy.timeouts.attempt);
    callers.longest_timeout = std::max(callers.longest_timeout, flow.policy.timeouts.attempt);
    callers.longest_delay = std::max(callers.longest_delay, longest_delay(flow.policy.retry));
  }
  const CircuitBreakerSpec& breaker = dependency.policy.circuit_breaker;
  std::set<std::string_view> paths;
  for (const FlowSpec* flow : callers.flows) paths.insert(flow->path);
  const double breakers = breaker.per_path ? static_cast<double>(paths.size()) : 1;
  if (breaker.enabled && breaker.mode == Mode::enforce)
    callers.probes = breakers * breaker.permitted_calls_in_half_open /
                     std::max(seconds(breaker.wait_in_open_base), 1e-3);
  return callers;
}

double attempts_per_event(const Callers& callers) {
  std::map<std::string_view, double> streams;
  for (const FlowSpec* flow : callers.flows)
    streams[flow->stream] += std::max(flow->policy.retry.max_attempts, 1u);
  double most = 0;
  for (const auto& [stream, attempts] : streams) most = std::max(most, attempts);
  return most;
}

double hidden_capacity(const BudgetBound& budget, double capacity, double attempts) {
  double hidden = capacity / attempts;
  if (const auto share = retry_share(budget))
    hidden = std::max(hidden, (capacity - budget.per_second) / (1 + *share));
  return hidden;
}

// The wait under way when an outage ends: the longest one that begins within it.
Duration last_wait(const CircuitBreakerSpec& spec, Duration outage) {
  if (!spec.enabled || spec.mode == Mode::shadow) return {};
  double start = 0;
  double wait = std::max(seconds(spec.wait_in_open_base), 1e-3);
  const double longest = std::max(seconds(spec.wait_in_open_max), wait);
  while (start + wait < seconds(outage) && wait < longest) {
    start += wait;
    wait = std::min(wait * std::max(spec.wait_in_open_multiplier, 1.0), longest);
    if (spec.wait_in_open_multiplier <= 1) break;
  }
  return from_seconds(wait * (1 + spec.wait_in_open_jitter));
}

std::optional<Duration> drained(double backlog, double surplus) {
  if (surplus <= 0) return std::nullopt;
  return from_seconds(backlog / surplus);
}

// A call that hangs when the outage ends may fail a timeout later, and open the breaker once more.
// From then on what is due is sent; after the longest delay as well, everything is due.
Recovery recovery_of(const DependencyBound& bound, const CircuitBreakerSpec& breaker,
                     const Callers& callers, Duration outage) {
  const Duration hanging = callers.longest_timeout;
  Recovery recovery{.outage = outage, .breaker = last_wait(breaker, plus(outage, hanging))};
  const Duration wait = plus(hanging, recovery.breaker);
  const Duration all_due = std::max(wait, plus(hanging, callers.longest_delay));
  const double served = std::min(*bound.capacity, bound.rate_limit.value_or(*bound.capacity));
  const double backlog = *bound.peak * seconds(plus(outage, wait));
  recovery.caught_up = drained(backlog, served - *bound.peak);
  recovery.at_worst = drained(backlog, served - *bound.failing_rate);
  for (auto* end : {&recovery.caught_up, &recovery.at_worst})
    if (*end) **end = plus(**end, all_due);
  return recovery;
}

Verdict verdict_of(const DependencyBound& bound) {
  if (!bound.capacity || !bound.peak) return Verdict::unknown;
  const double served = std::min(*bound.capacity, bound.rate_limit.value_or(*bound.capacity));
  if (*bound.peak >= served) return Verdict::overloaded;
  return *bound.sent_rate <= *bound.capacity ? Verdict::stable : Verdict::vulnerable;
}

void add_peak(DependencyBound& bound, const Callers& callers) {
  bound.peak = callers.peak;
  const auto retries = retry_rate(bound.budget, callers.peak);
  bound.failing_rate = callers.at_most;
  if (retries) bound.failing_rate = std::min(callers.at_most, callers.peak + *retries);
  bound.sent_rate = std::min(*bound.failing_rate, bound.rate_limit.value_or(*bound.failing_rate));
  bound.total_rate = std::min(callers.at_most, *bound.failing_rate + callers.peak + callers.probes);
  bound.amplification = *bound.failing_rate / callers.peak;
  if (bound.budget.share) bound.burst = retry_burst(bound.budget, callers.peak);
}

void add_capacity(DependencyBound& bound, const Callers& callers, double capacity) {
  const double attempts = callers.peak > 0 ? callers.at_most / callers.peak
                                           : callers.worst_attempts;
  bound.capacity = capacity;
  bound.hidden_capacity = hidden_capacity(bound.budget, capacity, attempts);
  if (!callers.flows.empty())
    bound.safe_concurrency = kSafeShare * capacity * seconds(callers.shortest_timeout);
}

// The adaptive limit stays below what a declared capacity finishes within the longest timeout.
double most_at_once(const DependencySpec& dependency, const Callers& callers) {
  const ConcurrencySpec& spec = dependency.policy.concurrency;
  double most = spec.max_parallel_requests;
  if (!spec.adaptive.enabled || spec.mode == Mode::shadow) return most;
  most = std::min<double>(most, spec.adaptive.max_limit);
  const double safe = kSafeShare * dependency.capacity_per_second *
                      seconds(callers.longest_timeout);
  return safe > 0 ? std::min(most, std::max(1.0, std::floor(safe))) : most;
}

DependencyBound dependency_bound(const Config& config, const DependencySpec& dependency,
                                 Duration outage) {
  const Callers callers = callers_of(config, dependency);
  const DependencyPolicy& policy = dependency.policy;
  DependencyBound bound{.name = dependency.name};
  bound.budget = budget_bound(policy.retry_constraint);
  bound.attempts_per_event = attempts_per_event(callers);
  bound.concurrency = most_at_once(dependency, callers);
  if (policy.rate_limit.enabled && policy.rate_limit.mode == Mode::enforce) {
    bound.rate_limit = policy.rate_limit.per_second;
    bound.rate_burst = policy.rate_limit.burst;
  }
  if (!callers.flows.empty())
    bound.timeout_rate = bound.concurrency / std::max(seconds(callers.shortest_timeout), 1e-6);
  if (dependency.capacity_per_second > 0) {
    add_capacity(bound, callers, dependency.capacity_per_second);
  } else {
    bound.missing.push_back(fmt::format("capacity of dependency {}", dependency.name));
  }
  bool complete = !callers.flows.empty();
  if (!complete) bound.missing.push_back(fmt::format("a flow that calls {}", dependency.name));
  for (const FlowSpec* flow : callers.flows) {
    bound.flows.push_back(flow->name);
    if (flow->peak_per_second > 0) continue;
    complete = false;
    bound.missing.push_back(fmt::format("peak of flow {}", flow->name));
  }
  if (complete) add_peak(bound, callers);
  bound.verdict = verdict_of(bound);
  if (bound.verdict != Verdict::unknown) {
    bound.safe_share = (*bound.capacity - bound.budget.per_second) / *bound.peak - 1;
    bound.recovery = recovery_of(bound, policy.circuit_breaker, callers, outage);
  }
  return bound;
}

FlowBound flow_bound(const FlowSpec& flow, const Bound& bound) {
  const RetrySpec& retry = flow.policy.retry;
  FlowBound result{.name = flow.name, .dependency = flow.dependency};
  result.attempts = std::max(retry.max_attempts, 1u);
  // An interruption of a flow that is not idempotent ends the round, as its last attempt would.
  result.calls = result.attempts;
  if (flow.idempotent) result.calls += std::max(retry.max_interruptions, 1u) - 1.0;
  result.delay = delay_bound(flow.policy);
  if (flow.peak_per_second > 0) result.peak = flow.peak_per_second;
  const auto found = std::ranges::find(bound.dependencies, flow.dependency, &DependencyBound::name);
  if (found == bound.dependencies.end()) return result;
  result.verdict = found->verdict;
  if (!found->peak) return result;
  // All retries of the dependency may be of one flow.
  const auto retries = retry_rate(found->budget, *found->peak);
  result.amplification = result.attempts;
  if (retries)
    result.amplification = std::min(result.attempts, 1 + *retries / flow.peak_per_second);
  return result;
}

Duration longest_delays(const RetrySpec& retry, Duration base, Duration server) {
  const BackOffSpec spec = longest_rule(retry, base, server);
  Duration sum{};
  for (std::uint32_t attempt = 1; attempt < std::max(retry.max_attempts, 1u); ++attempt)
    sum = plus(sum, plus(backoff_ceiling(spec, attempt), server));
  return sum;
}

}  // namespace

std::string_view to_text(Verdict verdict) {
  constexpr std::array<std::string_view, 4> names = {"stable", "vulnerable", "overloaded",
                                                     "unknown"};
  return names[static_cast<std::size_t>(verdict)];
}

DelayBound delay_bound(const FlowPolicy& policy) {
  const RetrySpec& retry = policy.retry;
  DelayBound delay{.event = policy.timeouts.event};
  const double attempts = std::max(retry.max_attempts, 1u);
  const Duration calls = from_seconds(attempts * seconds(policy.timeouts.attempt));
  const auto within = [&](Duration delays) {
    const Duration total = plus(calls, delays);
    return delay.event > Duration::zero() ? std::min(total, delay.event) : total;
  };
  const Duration slow_base = retry.throttled_base_interval;
  const Duration server = retry.honor_server ? retry.server_directed_max : Duration::zero();
  delay.ordinary = within(longest_delays(retry, Duration::zero(), Duration::zero()));
  delay.throttled = within(longest_delays(retry, slow_base, Duration::zero()));
  delay.directed = within(longest_delays(retry, slow_base, server));
  return delay;
}

Bound bound_of(const Config& config, Duration outage) {
  Bound bound;
  for (const DependencySpec& dependency : config.dependencies)
    bound.dependencies.push_back(dependency_bound(config, dependency, outage));
  for (const FlowSpec& flow : config.flows) bound.flows.push_back(flow_bound(flow, bound));
  return bound;
}

}  // namespace weir::policy
