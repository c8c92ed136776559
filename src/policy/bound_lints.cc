// SPDX-License-Identifier: Apache-2.0
#include "policy/bound_lints.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "model/replay.h"
#include "policy/bound_lint_rules.h"

namespace weir::policy {
namespace {

using Owner = SettingPlace::Owner;

std::string rate(double per_second) { return fmt::format("{:.4g}/s", per_second); }
std::string percent(double share) { return fmt::format("{:.3g} %", share * 100); }

// What one rule looks at: a dependency, its bound, its flows.
class DependencyLints {
 public:
  DependencyLints(const Config& config, const DependencySpec& dependency,
                  const DependencyBound& bound, std::vector<Finding>& into)
      : dependency_(dependency), policy_(dependency.policy), bound_(bound), into_(into) {
    for (const FlowSpec& flow : config.flows)
      if (flow.dependency == dependency.name) flows_.push_back(&flow);
  }

  void run() {
    if (flows_.empty()) return;
    bounds();
    load();
    limits();
    breaker_minimum();
    breaker_timeouts();
    unreachable();
    for (const FlowSpec* flow : flows_) unpaid_retries(*flow);
  }

 private:
  SettingPlace here(std::string setting) const {
    return {Owner::dependency, dependency_.name, std::move(setting)};
  }

  Finding& add(std::string id, SettingPlace at, std::string message, std::string hint) {
    into_.push_back({.id = std::move(id),
                     .at = std::move(at),
                     .message = std::move(message),
                     .hint = std::move(hint),
                     .rejected = policy_.bounds.enforce == Enforce::reject});
    return into_.back();
  }

  void bounds() {
    const double attempts = policy_.bounds.max_attempts_per_event;
    if (attempts > 0 && bound_.attempts_per_event > attempts) {
      Finding& finding = add(
          "L1", here("bounds.maxAttemptsPerEvent"),
          fmt::format("an event may be tried {:g} times at dependency {} (all flows of its stream "
                      "together), the bound is {:g}",
                      bound_.attempts_per_event, dependency_.name, attempts),
          "lower retry.maxAttempts of the flows, or give flow and dependency a policy each");
      finding.broken_bound = true;
      for (const FlowSpec* flow : flows_)
        finding.others.push_back({Owner::flow, flow->name, "retry.maxAttempts"});
    }
    const double most = policy_.bounds.max_amplification;
    // What is not declared cannot make it better than that every attempt is made.
    const double worst = bound_.amplification.value_or(worst_attempts());
    if (most == 0 || worst <= most * (1 + 1e-9)) return;
    const bool known = bound_.amplification.has_value();
    add("L1", here("bounds.maxAmplification"),
        known ? fmt::format("retries may multiply the load of dependency {} by {:.3g} ({} at a "
                            "peak of {}), the bound is {:g}",
                            dependency_.name, worst, rate(*bound_.failing_rate), rate(*bound_.peak),
                            most)
              : fmt::format("that retries multiply the load of dependency {} by no more than {:g} "
                            "cannot be shown: {} not declared (without it {:g})",
                            dependency_.name, most, fmt::join(bound_.missing, ", "), worst),
        known ? "lower retryConstraint.budget.percent, minRetryRate or retry.maxAttempts"
              : "declare `peak` at every flow of the dependency")
        .broken_bound = true;
  }

  double worst_attempts() const {
    double most = 1;
    for (const FlowSpec* flow : flows_)
      most = std::max<double>(most, flow->policy.retry.max_attempts);
    return most;
  }

  void load() {
    if (bound_.verdict == Verdict::overloaded) return overloaded();
    if (bound_.verdict == Verdict::vulnerable) {
      const double safe = std::max(*bound_.safe_share, 0.0);
      const bool by_share = bound_.budget.share && *bound_.budget.share > safe;
      add("L2",
          by_share ? here("retryConstraint.budget.percent")
                   : here("retryConstraint.minRetryRate.count"),
          fmt::format("{} may get {} while it fails, its capacity is {}: a short failure can keep "
                      "itself alive (hidden capacity {}, largest safe budget {})",
                      dependency_.name, rate(*bound_.sent_rate), rate(*bound_.capacity),
                      rate(*bound_.hidden_capacity), percent(safe)),
          "lower the budget, or set a rateLimit at or below the capacity")
          .others = {here("@capacity")};
      return;
    }
    if (bound_.verdict != Verdict::stable) return;
    const double replays = RatePlan{}.max_per_second;
    const double together = std::min(*bound_.failing_rate + replays,
                                     bound_.rate_limit.value_or(*bound_.failing_rate + replays));
    if (together <= *bound_.capacity) return;
    add("L12", here("@capacity"),
        fmt::format("a replay at its usual {} on top of {} while it fails is more than the "
                    "capacity of {}",
                    rate(replays), rate(*bound_.failing_rate), rate(*bound_.capacity)),
        "set a rateLimit at or below the capacity: replays draw from it too");
  }

  void overloaded() {
    const bool own = bound_.rate_limit && *bound_.peak >= *bound_.rate_limit &&
                     *bound_.peak < *bound_.capacity;
    Finding& finding =
        own ? add("L15", here("rateLimit.requests"),
                  fmt::format("the flows of {} peak at {}, and its rate limit lets {} through: the "
                              "backlog only grows",
                              dependency_.name, rate(*bound_.peak), rate(*bound_.rate_limit)),
                  "raise the rate limit")
            : add("L2", here("@capacity"),
                  fmt::format("the flows of {} peak at {}, and its capacity is {}: the backlog "
                              "only grows",
                              dependency_.name, rate(*bound_.peak), rate(*bound_.capacity)),
                  "raise the capacity, or filter what the flows take");
    for (const FlowSpec* flow : flows_)
      finding.others.push_back({Owner::flow, flow->name, "@peak"});
  }

  void limits() {
    if (!bound_.capacity) return;
    if (bound_.concurrency > *bound_.safe_concurrency) {
      add("L3", here("concurrency.maxParallelRequests"),
          fmt::format("{:g} calls at once are more than 0.8 x {} x {}: after a pause, calls that "
                      "timed out can keep {} busy",
                      bound_.concurrency, rate(*bound_.capacity),
                      weir::to_text(shortest()->policy.timeouts.attempt), dependency_.name),
          fmt::format("at most {:.0f}", std::max(1.0, std::floor(*bound_.safe_concurrency))))
          .others = {here("@capacity"), {Owner::flow, shortest()->name, "timeouts.attempt"}};
    }
    if (bound_.rate_limit && *bound_.rate_limit > *bound_.capacity * (1 + 1e-9)) {
      add("L13", here("rateLimit.requests"),
          fmt::format("the rate limit of {} is above the capacity of {}", rate(*bound_.rate_limit),
                      rate(*bound_.capacity)),
          "a rate limit protects only at or below the capacity")
          .others = {here("@capacity")};
    }
  }

  const FlowSpec* shortest() const {
    return *std::ranges::min_element(
        flows_, {}, [](const FlowSpec* flow) { return flow->policy.timeouts.attempt; });
  }
  const FlowSpec* longest() const {
    return *std::ranges::max_element(
        flows_, {}, [](const FlowSpec* flow) { return flow->policy.timeouts.attempt; });
  }

  void breaker_minimum() {
    const CircuitBreakerSpec& breaker = policy_.circuit_breaker;
    if (!breaker.enabled) return;
    const double window = std::chrono::duration<double>(breaker.sliding_window_size).count();
    const double needed = breaker.minimum_number_of_calls;
    const auto never = [&](double calls, std::string why, std::string hint) -> Finding& {
      return add("L10", here("circuitBreaker.minimumNumberOfCalls"),
                 fmt::format("the breaker can never trip: {} are {:.3g} calls in {}, and it needs "
                             "{:g}",
                             why, calls, weir::to_text(breaker.sliding_window_size), needed),
                 std::move(hint));
    };
    // A timed out call is counted when it ends: one more set of them may end in the window.
    const double timed_out = *bound_.timeout_rate * window + bound_.concurrency;
    if (timed_out < needed) {
      never(timed_out,
            fmt::format("{:g} at once that all time out after {}", bound_.concurrency,
                        weir::to_text(shortest()->policy.timeouts.attempt)),
            "lower minimumNumberOfCalls, or raise slidingWindowSize")
          .others = {here("concurrency.maxParallelRequests"),
                     {Owner::flow, shortest()->name, "timeouts.attempt"}};
      return;
    }
    if (!bound_.total_rate) return;
    const double most = std::min(*bound_.total_rate,
                                 bound_.rate_limit.value_or(*bound_.total_rate));
    if (most * window >= needed) return;
    Finding& finding = never(most * window,
                             fmt::format("{} at the peak, retries included", rate(most)),
                             "lower minimumNumberOfCalls, or raise slidingWindowSize");
    for (const FlowSpec* flow : flows_)
      finding.others.push_back({Owner::flow, flow->name, "@peak"});
  }

  void breaker_timeouts() {
    const CircuitBreakerSpec& breaker = policy_.circuit_breaker;
    if (!breaker.enabled) return;
    const Duration slowest = longest()->policy.timeouts.attempt;
    const SettingPlace timeout{Owner::flow, longest()->name, "timeouts.attempt"};
    if (breaker.max_wait_in_half_open < slowest) {
      add("L10", here("circuitBreaker.maxWaitDurationInHalfOpenState"),
          fmt::format("a probe of flow {} may take {}, and counts as hanging after {}",
                      longest()->name, weir::to_text(slowest),
                      weir::to_text(breaker.max_wait_in_half_open)),
          "make it longer than the longest timeouts.attempt")
          .others = {timeout};
    }
    const Duration slow = breaker.slow_call_duration_threshold;
    if (slow < Duration::max() / 4 && slow >= slowest) {
      add("L14", here("circuitBreaker.slowCallDurationThreshold"),
          fmt::format("no call is ever slow: after {} it has timed out, and slow begins at {}",
                      weir::to_text(slowest), weir::to_text(slow)),
          "make it shorter than timeouts.attempt")
          .others = {timeout};
    }
  }

  void unreachable() {
    const ConcurrencySpec& concurrency = policy_.concurrency;
    const AdaptiveSpec& adaptive = concurrency.adaptive;
    if (adaptive.enabled && adaptive.min_limit > concurrency.max_parallel_requests) {
      add("L14", here("concurrency.adaptive.minLimit"),
          fmt::format("the adaptive limit starts at {}, and the hard cap is {}", adaptive.min_limit,
                      concurrency.max_parallel_requests),
          "make minLimit at most maxParallelRequests")
          .others = {here("concurrency.maxParallelRequests")};
    }
  }

  void unpaid_retries(const FlowSpec& flow) {
    const BudgetBound& budget = bound_.budget;
    const bool none = budget.share && *budget.share == 0 && budget.per_second == 0;
    if (!none || flow.policy.retry.max_attempts <= 1) return;
    add("L16", here("retryConstraint.budget.percent"),
        fmt::format("the budget pays for no retry, and flow {} waits for {} until {} have passed",
                    flow.name, flow.policy.retry.max_attempts == 2 ? "one" : "them",
                    weir::to_text(flow.policy.timeouts.event)),
        "give it a percentage or a minRetryRate, or set retry.maxAttempts: 1")
        .others = {{Owner::flow, flow.name, "retry.maxAttempts"}};
  }

  const DependencySpec& dependency_;
  const DependencyPolicy& policy_;
  const DependencyBound& bound_;
  std::vector<Finding>& into_;
  std::vector<const FlowSpec*> flows_;
};

}  // namespace

std::vector<Finding> lint_bounds(const Config& config, const Bound& bound) {
  std::vector<Finding> findings;
  for (std::size_t i = 0; i < config.dependencies.size(); ++i)
    DependencyLints(config, config.dependencies[i], bound.dependencies[i], findings).run();
  for (std::size_t i = 0; i < config.flows.size(); ++i)
    lint_flow(config.flows[i], bound.flows[i], findings);
  lint_layers(config, findings);
  return findings;
}

}  // namespace weir::policy
