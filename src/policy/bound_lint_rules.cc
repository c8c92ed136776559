// SPDX-License-Identifier: Apache-2.0
#include "policy/bound_lint_rules.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace weir::policy {
namespace {

using Owner = SettingPlace::Owner;

class FlowLints {
 public:
  FlowLints(const FlowSpec& flow, const FlowBound& bound, std::vector<Finding>& into)
      : flow_(flow), policy_(flow.policy), bound_(bound), into_(into) {}

  void run() {
    bounds();
    deadline();
    unreachable();
  }

 private:
  SettingPlace here(std::string setting) const {
    return {Owner::flow, flow_.name, std::move(setting)};
  }

  Finding& add(std::string id, std::string setting, std::string message, std::string hint) {
    into_.push_back({.id = std::move(id),
                     .at = here(std::move(setting)),
                     .message = std::move(message),
                     .hint = std::move(hint),
                     .rejected = policy_.bounds.enforce == Enforce::reject});
    return into_.back();
  }

  // A setting that cannot act, because of the other one.
  void unused(std::string id, std::string setting, std::string message, std::string hint,
              SettingPlace other) {
    Finding& finding = add(std::move(id), std::move(setting), std::move(message), std::move(hint));
    finding.others = {std::move(other)};
    finding.only_if_written = true;
  }

  void bounds() {
    const double attempts = policy_.bounds.max_attempts_per_event;
    if (attempts > 0 && bound_.attempts > attempts) {
      Finding& finding = add("L1", "bounds.maxAttemptsPerEvent",
                             fmt::format("flow {} may try an event {:g} times, the bound is {:g}",
                                         flow_.name, bound_.attempts, attempts),
                             "lower retry.maxAttempts");
      finding.broken_bound = true;
      finding.others = {here("retry.maxAttempts")};
    }
    const double most = policy_.bounds.max_amplification;
    const double worst = bound_.amplification.value_or(bound_.attempts);
    if (most == 0 || worst <= most * (1 + 1e-9)) return;
    const bool known = bound_.amplification.has_value();
    add("L1", "bounds.maxAmplification",
        known ? fmt::format("flow {} may send {:.3g} calls per event, the bound is {:g}",
                            flow_.name, worst, most)
              : fmt::format("that flow {} sends no more than {:g} calls per event cannot be shown "
                            "without the peak of every flow of {} (without it {:g})",
                            flow_.name, most, flow_.dependency, worst),
        known ? "lower retryConstraint.budget.percent of its dependency, or retry.maxAttempts"
              : "declare `peak`")
        .broken_bound = true;
  }

  void deadline() {
    const Duration event = policy_.timeouts.event;
    if (event <= Duration::zero() || policy_.retry.max_attempts <= 1) return;
    FlowPolicy endless = policy_;
    endless.timeouts.event = Duration::zero();
    const DelayBound delay = delay_bound(endless);
    if (delay.ordinary > event) {
      add("L5", "retry.maxAttempts",
          fmt::format("{} attempts with their delays may take {}, and the event expires after {}",
                      policy_.retry.max_attempts, weir::to_text(delay.ordinary),
                      weir::to_text(event)),
          "fewer attempts, a lower backOff.maxInterval, or a longer timeouts.event")
          .others = {here("timeouts.event")};
    }
    // Shorter intervals than the cap may never reach it.
    if (policy_.retry.back_off.max_interval >= event) {
      unused("L11", "retry.backOff.maxInterval",
             fmt::format("a delay may grow to {}, and the event expires after {}",
                         weir::to_text(policy_.retry.back_off.max_interval), weir::to_text(event)),
             "keep it well below timeouts.event", here("timeouts.event"));
    }
  }

  void unreachable() {
    const RetrySpec& retry = policy_.retry;
    const Duration event = policy_.timeouts.event;
    if (retry.honor_server && event > Duration::zero() && retry.server_directed_max >= event) {
      unused("L14", "retry.serverDirected.maxInterval",
             fmt::format("a server may ask for {}, and the event expires after {}",
                         weir::to_text(retry.server_directed_max), weir::to_text(event)),
             "keep it well below timeouts.event", here("timeouts.event"));
    }
    if (retry.max_attempts > 1 && retry.throttled_base_interval > retry.back_off.max_interval) {
      unused(
          "L14", "retry.throttledBackOff.baseInterval",
          fmt::format("the delay after a throttled call begins at {}, and maxInterval cuts it to "
                      "{}",
                      weir::to_text(retry.throttled_base_interval),
                      weir::to_text(retry.back_off.max_interval)),
          "raise backOff.maxInterval", here("retry.backOff.maxInterval"));
    }
    if (policy_.timeouts.connect > policy_.timeouts.attempt) {
      unused("L14", "timeouts.connect",
             fmt::format("connecting may take {}, and the whole attempt only {}",
                         weir::to_text(policy_.timeouts.connect),
                         weir::to_text(policy_.timeouts.attempt)),
             "make it at most timeouts.attempt", here("timeouts.attempt"));
    }
  }

  const FlowSpec& flow_;
  const FlowPolicy& policy_;
  const FlowBound& bound_;
  std::vector<Finding>& into_;
};

// "host:port" of scheme://host[:port][/prefix], in lower case, with the port of the scheme.
std::string authority(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == url.npos) return {};
  const std::string_view rest = url.substr(scheme + 3);
  std::string host(rest.substr(0, rest.find('/')));
  std::ranges::transform(host, host.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto bracket = host.rfind(']');
  const bool has_port = host.find(':', bracket == host.npos ? 0 : bracket) != host.npos;
  if (!has_port) host += url.starts_with("https") ? ":443" : ":80";
  return host;
}

bool is_own_address(const Config& config, const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == address.npos || address.substr(colon + 1) != std::to_string(config.listen_port))
    return false;
  const std::string host = address.substr(0, colon);
  return host == "localhost" || host == "[::1]" || host.starts_with("127.") ||
         host == config.listen_host;
}

bool retries(const Config& config, const DependencySpec& dependency) {
  return std::ranges::any_of(config.flows, [&](const FlowSpec& flow) {
    return flow.dependency == dependency.name && flow.policy.retry.max_attempts > 1;
  });
}

bool rejects(const DependencySpec& dependency) {
  return dependency.policy.bounds.enforce == Enforce::reject;
}

void lint_loop(const Config& config, const DependencySpec& dependency, std::vector<Finding>& into) {
  for (const FlowSpec& flow : config.flows) {
    if (flow.dependency != dependency.name) continue;
    const bool loop = dependency.url.find('/', dependency.url.find("://") + 3) ==
                          std::string::npos &&
                      flow.path == fmt::format("/v1/streams/{}/events", flow.stream);
    into.push_back({.id = "L8",
                    .at = {Owner::dependency, dependency.name, "@url"},
                    .others = {{Owner::flow, flow.name, "@to.http.path"}},
                    .message = loop ? fmt::format("flow {} sends every event back into its own "
                                                  "stream, without end",
                                                  flow.name)
                                    : fmt::format("dependency {} is this Weir itself: what flow {} "
                                                  "sends is retried here and once more behind it",
                                                  dependency.name, flow.name),
                    .hint = loop ? "send it to another stream, or filter what has been there"
                                 : "give the second call a flow of its own, and one of both "
                                   "retry.maxAttempts: 1",
                    .rejected = rejects(dependency)});
  }
}

}  // namespace

void lint_flow(const FlowSpec& flow, const FlowBound& bound, std::vector<Finding>& into) {
  FlowLints(flow, bound, into).run();
}

void lint_layers(const Config& config, std::vector<Finding>& into) {
  for (std::size_t i = 0; i < config.dependencies.size(); ++i) {
    const DependencySpec& second = config.dependencies[i];
    const std::string address = authority(second.url);
    if (is_own_address(config, address)) lint_loop(config, second, into);
    if (!retries(config, second)) continue;
    for (std::size_t j = 0; j < i; ++j) {
      const DependencySpec& first = config.dependencies[j];
      if (authority(first.url) != address || !retries(config, first)) continue;
      into.push_back({.id = "L8",
                      .at = {Owner::dependency, second.name, "@url"},
                      .others = {{Owner::dependency, first.name, "@url"}},
                      .message = fmt::format("dependencies {} and {} are both {}, and each has a "
                                             "retry budget and a breaker of its own: together they "
                                             "allow twice as much",
                                             first.name, second.name, address),
                      .hint = "make them one dependency, and let the flows' paths differ",
                      .rejected = rejects(second) || rejects(first)});
      break;
    }
  }
}

}  // namespace weir::policy
