// SPDX-License-Identifier: Apache-2.0
// Whatever a policy says and however its dependency behaves: the calls that the guardrails let
// through stay within what `weir policy bound` prints for it.
#include <algorithm>
#include <deque>
#include <vector>

#include "policy/bound.h"
#include "policy/guardrails.h"
#include "policy/testing/property.h"

namespace weir::scenarios {
namespace {

using namespace std::chrono_literals;
using policy::Guardrails;
using policy::Work;

constexpr int kCases = 10'000;
constexpr Duration kStep = 200ms;
constexpr int kSteps = 60;

struct Setting {
  Config config;
  double failing = 1;        // share of calls that fail
  FailureClass failure{};    // how
  std::int64_t latency = 1;  // steps
};

Config draw_config() {
  Config config;
  config.streams = {{.name = "s"}};
  config.dependencies = {{.name = "d", .url = "http://d", .capacity_per_second = 50}};
  DependencyPolicy& policy = config.dependencies[0].policy;
  RetryConstraintSpec& budget = policy.retry_constraint;
  budget.percent = *rc::gen::inRange(0, 101);
  budget.interval = std::chrono::seconds{*rc::gen::inRange(1, 11)};
  budget.min_retry_count = *rc::gen::inRange(0, 4);
  budget.tokens.capacity = *rc::gen::element(0, 14, 100);
  budget.mode = *rc::gen::element(Mode::enforce, Mode::enforce, Mode::shadow);
  CircuitBreakerSpec& breaker = policy.circuit_breaker;
  breaker.enabled = *rc::gen::arbitrary<bool>();
  breaker.minimum_number_of_calls = 5;
  breaker.wait_in_open_base = 1s;
  breaker.permitted_calls_in_half_open = static_cast<std::uint32_t>(*rc::gen::inRange(1, 4));
  policy.concurrency.max_parallel_requests = static_cast<std::uint32_t>(*rc::gen::inRange(1, 20));
  if (*rc::gen::arbitrary<bool>())
    policy.rate_limit = {.enabled = true,
                         .per_second = 1.0 * *rc::gen::inRange(1, 20),
                         .burst = 1.0 * *rc::gen::inRange(1, 10)};
  FlowSpec flow{.name = "f", .stream = "s", .dependency = "d"};
  flow.peak_per_second = *rc::gen::inRange(1, 10);
  flow.policy.retry.max_attempts = static_cast<std::uint32_t>(*rc::gen::inRange(1, 6));
  config.flows = {flow};
  return config;
}

Setting draw() {
  return {.config = draw_config(),
          .failing = *rc::gen::element(0.0, 0.3, 0.7, 1.0),
          .failure = *rc::gen::element(FailureClass::transient, FailureClass::throttled),
          .latency = *rc::gen::inRange(1, 5)};
}

// Deliveries that are due at once: the guardrails alone hold them back.
class Simulation {
 public:
  Simulation(const Setting& setting, std::uint64_t seed)
      : setting_(setting),
        guardrails_(setting.config.dependencies[0].policy),
        rng_(seed),
        most_(setting.config.flows[0].policy.retry.max_attempts) {}

  void step(int number) {
    now_ = MonoTime{kStep * number};
    std::vector<Call> over;
    std::erase_if(running_, [&](const Call& call) {
      if (call.end > number) return false;
      over.push_back(call);
      return true;
    });
    for (const Call& call : over) finish(call);
    const double peak = setting_.config.flows[0].peak_per_second;
    while (events < 1 + peak * std::chrono::duration<double>(kStep).count() * number) {
      fresh_.push_back(0);
      ++events;
    }
    release(fresh_, Work::first, number);
    release(due_, Work::retry, number);
  }

  double calls = 0;
  double events = 0;
  std::uint32_t worst = 0;  // attempts of one delivery

 private:
  struct Call {
    policy::Permit permit;
    std::uint32_t attempts;
    int end;
  };

  void release(std::deque<std::uint32_t>& waiting, Work work, int number) {
    while (!waiting.empty()) {
      policy::Permit permit;
      const policy::Asked asked{.work = work, .cost = policy::retry_cost(setting_.failure)};
      if (guardrails_.admit(asked, now_, permit)) return;
      const std::uint32_t attempts = waiting.front() + 1;
      waiting.pop_front();
      ++calls;
      worst = std::max(worst, attempts);
      running_.push_back({permit, attempts, number + static_cast<int>(setting_.latency)});
    }
  }

  void finish(const Call& call) {
    const bool failed = rng_.unit() < setting_.failing;
    Classification result;
    result.failure = failed ? setting_.failure : FailureClass::ok;
    result.counts_breaker = failed && setting_.failure == FailureClass::transient;
    guardrails_.record(call.permit, result, kStep * setting_.latency, now_, rng_);
    if (failed && call.attempts < most_) due_.push_back(call.attempts);
  }

  const Setting& setting_;
  Guardrails guardrails_;
  Rng rng_;
  std::uint32_t most_;
  MonoTime now_{};
  std::deque<std::uint32_t> fresh_;
  std::deque<std::uint32_t> due_;
  std::vector<Call> running_;
};

void check_case() {
  const Setting setting = draw();
  const policy::Bound bound = policy::bound_of(setting.config);
  const policy::DependencyBound& d = bound.dependencies[0];
  const CircuitBreakerSpec& breaker = setting.config.dependencies[0].policy.circuit_breaker;
  const double probes = breaker.enabled ? breaker.permitted_calls_in_half_open : 0;
  Simulation simulation(setting, *rc::gen::arbitrary<std::uint64_t>());
  for (int number = 0; number < kSteps; ++number) {
    simulation.step(number);
    const double seconds = std::chrono::duration<double>(kStep * number).count();
    // The arrivals are a burst of one and the peak; whole events count.
    const double span = seconds + 2 / *d.peak;
    RC_ASSERT(simulation.calls <= bound.flows[0].attempts * simulation.events);
    RC_ASSERT(simulation.calls <= *d.total_rate * span + d.burst.value_or(0) + probes);
    if (setting.failing == 1) {
      const double open = probes * (seconds / 1 + 1);
      RC_ASSERT(simulation.calls <= *d.failing_rate * span + d.burst.value_or(0) + open);
    }
    if (d.rate_limit) RC_ASSERT(simulation.calls <= *d.rate_limit * seconds + d.rate_burst + 1e-6);
  }
  RC_ASSERT(simulation.worst <= bound.flows[0].attempts);
  RC_CLASSIFY(simulation.calls > simulation.events, "retries were made");
}

TEST_CASE("no policy and no dependency makes more calls than the printed bound") {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = kCases;
  rc::detail::TestMetadata metadata;
  metadata.id = "calls stay within the bound";
  const auto result = rc::detail::checkTestable(check_case, metadata, params);
  std::ostringstream shown;
  rc::detail::printResultMessage(result, shown);
  const bool good = result.template is<rc::detail::SuccessResult>();
  MESSAGE(shown.str());
  CHECK(good);
}

}  // namespace
}  // namespace weir::scenarios
