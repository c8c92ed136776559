// SPDX-License-Identifier: Apache-2.0
#include "policy/guardrails.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "policy/admission_order.h"
#include "policy/classify.h"
#include "policy/decide.h"
#include "policy/testing/property.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

// Counts, so that the happy path can prove that it does not allocate. The thread sanitizer brings
// its own operators.
#if !__has_feature(thread_sanitizer)
void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
#endif

namespace weir::policy {
namespace {

using namespace std::chrono_literals;

const MonoTime kStart{1000s};

DependencyPolicy small_policy() {
  DependencyPolicy policy;
  policy.retry_constraint = {
      .percent = 0, .interval = 10s, .min_retry_count = 1, .min_retry_interval = 1s};
  policy.circuit_breaker.wait_in_open_jitter = 0;
  policy.concurrency.max_parallel_requests = 15;
  policy.rate_limit = {.enabled = true, .per_second = 100, .burst = 20};
  return policy;
}

Classification result_of(FailureClass failure, bool breaker = false) {
  Classification result;
  result.failure = failure;
  result.counts_breaker = breaker;
  return result;
}

struct Bench {
  explicit Bench(const DependencyPolicy& policy = small_policy()) : guardrails(policy) {}

  Permit admit(Work work) {
    Permit permit;
    REQUIRE_FALSE(guardrails.admit({work}, now, permit));
    return permit;
  }
  std::optional<Guardrail> refused_by(Work work) {
    Permit permit;
    const auto refusal = guardrails.admit({work}, now, permit);
    return refusal ? std::optional(refusal->guardrail) : std::nullopt;
  }
  void end(const Permit& permit, const Classification& result) {
    guardrails.record(permit, result, 1ms, now, rng);
  }
  void call(Work work, const Classification& result) { end(admit(work), result); }
  void open() {
    for (int i = 0; i < 20; ++i) {
      call(Work::first, result_of(FailureClass::transient, true));
      now += 20ms;
    }
    REQUIRE(guardrails.breaker().state(now) == Breaker::State::open);
  }

  Guardrails guardrails;
  MonoTime now = kStart;
  Rng rng{1};
};

const Classification kOk = result_of(FailureClass::ok);

TEST_CASE("each guardrail refuses for itself, in the documented order") {
  Bench bench;
  std::vector<Permit> running;
  for (int i = 0; i < 10; ++i) running.push_back(bench.admit(Work::retry));
  CHECK(bench.refused_by(Work::retry) == Guardrail::retryBudget);
  for (int i = 0; i < 5; ++i) running.push_back(bench.admit(Work::first));
  CHECK(bench.refused_by(Work::first) == Guardrail::concurrency);
  for (const auto& permit : running) bench.end(permit, kOk);
  for (int i = 0; i < 5; ++i) bench.call(Work::replay, kOk);
  CHECK(bench.refused_by(Work::replay) == Guardrail::rateLimit);
  bench.now += 1s;
  bench.open();
  CHECK(bench.refused_by(Work::retry) == Guardrail::breaker);
  CHECK(bench.guardrails.denials(Guardrail::retryBudget) == 1);
  CHECK(bench.guardrails.denials(Guardrail::concurrency) == 1);
  CHECK(bench.guardrails.denials(Guardrail::rateLimit) == 1);
  CHECK(bench.guardrails.denials(Guardrail::breaker) == 1);
}

TEST_CASE("a spent budget never blocks first attempts or replays") {
  Bench bench;
  for (int i = 0; i < 10; ++i)
    bench.end(bench.admit(Work::retry), result_of(FailureClass::transient));
  CHECK(bench.refused_by(Work::retry) == Guardrail::retryBudget);
  CHECK_FALSE(bench.refused_by(Work::first));
  CHECK_FALSE(bench.refused_by(Work::replay));
}

TEST_CASE("a denial changes nothing but its own counter") {
  Bench bench;
  std::vector<Permit> running;
  for (int i = 0; i < 15; ++i) running.push_back(bench.admit(Work::first));
  const double balance = bench.guardrails.budget().balance(bench.now);
  const double tokens = bench.guardrails.rate().tokens(bench.now);
  for (int i = 0; i < 100; ++i) CHECK(bench.refused_by(Work::retry) == Guardrail::concurrency);
  CHECK(bench.guardrails.budget().balance(bench.now) == balance);
  CHECK(bench.guardrails.rate().tokens(bench.now) == tokens);
  CHECK(bench.guardrails.in_flight() == 15);
  CHECK(bench.guardrails.admitted(Work::retry) == 0);
  CHECK(bench.guardrails.admitted(Work::first) == 15);
}

TEST_CASE("a retry that succeeds or was never made gets its charge back") {
  Bench bench;
  const double before = bench.guardrails.budget().balance(bench.now);
  bench.call(Work::retry, kOk);
  CHECK(bench.guardrails.budget().balance(bench.now) == before);
  bench.guardrails.cancel(bench.admit(Work::retry), bench.now);
  CHECK(bench.guardrails.budget().balance(bench.now) == before);
  bench.call(Work::retry, result_of(FailureClass::permanent));
  CHECK(bench.guardrails.budget().balance(bench.now) == before - 1);
}

TEST_CASE("a first attempt that was never made leaves no deposit; replays deposit nothing") {
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.percent = 100;
  Bench bench(policy);
  const double before = bench.guardrails.budget().balance(bench.now);
  bench.guardrails.cancel(bench.admit(Work::first), bench.now);
  bench.call(Work::replay, kOk);
  CHECK(bench.guardrails.budget().balance(bench.now) == before);
  bench.call(Work::first, kOk);
  CHECK(bench.guardrails.budget().balance(bench.now) == before + 1);
}

TEST_CASE("probes bypass the budget, not the rate") {
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.call(Work::retry, result_of(FailureClass::throttled));
  bench.open();
  CHECK_FALSE(bench.guardrails.budget().can_spend(bench.now));
  bench.now = bench.guardrails.breaker().open_until();
  const Permit probe = bench.admit(Work::retry);
  CHECK_FALSE(probe.charged);
  bench.end(probe, kOk);
}

TEST_CASE("the release after a closed breaker is gradual") {
  Bench bench;
  bench.open();
  bench.now = bench.guardrails.breaker().open_until();
  for (int i = 0; i < 3; ++i) bench.call(Work::first, kOk);
  CHECK(bench.guardrails.limit(bench.now) == 3);
  for (int i = 0; i < 3; ++i) bench.admit(Work::first);
  CHECK(bench.refused_by(Work::first) == Guardrail::breaker);
}

TEST_CASE("throttles and cancels never open the breaker, permanent answers neither") {
  Bench bench;
  for (const auto failure :
       {FailureClass::throttled, FailureClass::overloaded, FailureClass::cancelled,
        FailureClass::refused, FailureClass::permanent, FailureClass::auth}) {
    for (int i = 0; i < 50; ++i) {
      bench.call(Work::first, result_of(failure));
      bench.now += 20ms;
    }
    CHECK(bench.guardrails.breaker().state(bench.now) == Breaker::State::closed);
  }
}

TEST_CASE("new rules: what did not change keeps its state, and calls under way count on") {
  DependencyPolicy policy = small_policy();
  policy.rate_limit.enabled = false;
  policy.retry_constraint.min_retry_count = 0.1;  // one in the window
  Bench bench(policy);
  std::vector<Permit> running;
  for (int i = 0; i < 10; ++i) running.push_back(bench.admit(Work::first));
  bench.admit(Work::retry);  // the one that the budget has
  policy.concurrency.max_parallel_requests = 11;
  bench.guardrails.update(policy, bench.now);
  CHECK(bench.guardrails.in_flight() == 11);
  CHECK(bench.refused_by(Work::first) == Guardrail::concurrency);
  for (const Permit& permit : running) bench.guardrails.cancel(permit, bench.now);
  CHECK(bench.refused_by(Work::retry) == Guardrail::retryBudget);
  policy.retry_constraint.min_retry_count = 100;
  bench.guardrails.update(policy, bench.now);
  CHECK_FALSE(bench.refused_by(Work::retry).has_value());
}

TEST_CASE("the adaptive limit follows what calls meant, through the guardrails") {
  DependencyPolicy policy = small_policy();
  policy.rate_limit.enabled = false;
  policy.concurrency.max_parallel_requests = 64;
  policy.concurrency.adaptive = {.enabled = true, .initial_limit = 20};
  Bench bench(policy);
  CHECK(bench.guardrails.limit(bench.now) == 20);
  // Rejects and a cancelled call neither lower nor raise it.
  for (int i = 0; i < 50; ++i) bench.call(Work::first, result_of(FailureClass::permanent));
  bench.call(Work::first, result_of(FailureClass::cancelled));
  bench.guardrails.cancel(bench.admit(Work::first), bench.now);
  CHECK(bench.guardrails.limit(bench.now) == 20);
  Classification throttled = result_of(FailureClass::throttled);
  throttled.counts_limiter = true;
  for (int i = 0; i < 10; ++i) bench.call(Work::first, throttled);
  CHECK(bench.guardrails.limit(bench.now) == 6);
  for (int i = 0; i < 6; ++i) bench.admit(Work::first);
  CHECK(bench.refused_by(Work::first) == Guardrail::concurrency);
}

TEST_CASE("a declared capacity bounds the adaptive limit") {
  DependencyPolicy policy = small_policy();
  policy.concurrency.adaptive = {.enabled = true, .initial_limit = 20};
  Bench bench(policy);
  bench.guardrails.bound_concurrency(4);
  CHECK(bench.guardrails.limit(bench.now) == 4);
  bench.guardrails.bound_concurrency(0);
  REQUIRE(bench.guardrails.concurrency().adaptive() != nullptr);
  CHECK(bench.guardrails.concurrency().adaptive()->max() == 15);  // the cap
}

TEST_CASE("an adaptive limit in shadow mode counts what it would have refused") {
  DependencyPolicy policy = small_policy();
  policy.concurrency.mode = Mode::shadow;
  policy.concurrency.adaptive = {.enabled = true, .initial_limit = 5};
  Bench bench(policy);
  for (int i = 0; i < 15; ++i) bench.admit(Work::first);
  CHECK(bench.guardrails.shadow_denials(Guardrail::concurrency) == 10);
  CHECK(bench.refused_by(Work::first) == Guardrail::concurrency);  // the cap
  CHECK(bench.guardrails.denials(Guardrail::concurrency) == 1);
}

TEST_CASE("what the server asks for holds everybody: live events, retries and replays") {
  DependencyPolicy policy = small_policy();
  policy.rate_limit.enabled = false;
  Bench bench(policy);
  bench.guardrails.record(bench.admit(Work::first), result_of(FailureClass::throttled), 1ms,
                          bench.now, bench.rng, {.hold = Duration{1s}});
  for (const Work work : kAllWork) {
    Permit permit;
    const auto refusal = bench.guardrails.admit({.work = work}, bench.now, permit);
    REQUIRE(refusal);
    CHECK(refusal->guardrail == Guardrail::rateLimit);
    CHECK(refusal->until == bench.now + Duration{1s});
  }
  bench.now += Duration{1s};
  bench.call(Work::first, kOk);
  CHECK(bench.refused_by(Work::first) == Guardrail::rateLimit);  // one, not all
}

TEST_CASE("one limit for live events, retries and replays; live first and nobody starves") {
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.percent = 1000;
  policy.concurrency.max_parallel_requests = 1000;
  policy.rate_limit = {.enabled = true, .per_second = 10, .burst = 1};
  Bench bench(policy);
  AdmissionOrder order;
  const AdmissionOrder::Ready everybody{true, true, true};
  const MonoTime end = bench.now + 12s;
  while (bench.now < end) {
    const Work work = *order.next(everybody);
    Permit permit;
    if (bench.guardrails.admit({.work = work}, bench.now, permit)) {
      bench.now += 10ms;
      continue;
    }
    order.served(work, everybody);
    bench.end(permit, kOk);
  }
  const auto admitted = [&](Work work) { return bench.guardrails.admitted(work); };
  const std::uint64_t all = admitted(Work::first) + admitted(Work::retry) + admitted(Work::replay);
  CHECK(all <= 12 * 10 + 1);
  CHECK(all >= 12 * 10 - 1);
  CHECK(admitted(Work::first) == doctest::Approx(80).epsilon(0.03));
  CHECK(admitted(Work::retry) == doctest::Approx(30).epsilon(0.07));
  CHECK(admitted(Work::replay) == doctest::Approx(10).epsilon(0.2));
}

TEST_CASE("would_admit asks without counting") {
  Bench bench;
  for (int i = 0; i < 15; ++i) bench.admit(Work::first);
  CHECK_FALSE(bench.guardrails.would_admit({Work::first}, bench.now));
  CHECK(bench.guardrails.denials(Guardrail::concurrency) == 0);
}

TEST_CASE("the happy path does not allocate") {
  Bench bench;
  Outcome outcome;
  outcome.status = 204;
  outcome.headers = {{"content-length", "0"}, {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}};
  const FlowPolicy policy;
  Delivery delivery;
  delivery.attempts_this_round = 1;
  const ClassifyRules rules;
  const WallTime wall = from_micros(1'795'000'000'000'000);

  const std::uint64_t before = allocations;
  for (int i = 0; i < 1000; ++i) {
    bench.now += 20ms;
    Permit permit;
    const bool refused = bench.guardrails.admit({Work::first}, bench.now, permit).has_value();
    const Classification result = classify(outcome, rules, "flow", "tracker", wall);
    bench.guardrails.record(permit, result, 1ms, bench.now, bench.rng);
    const Decision decision = decide({policy, delivery, true, OnFailure::parkKey, result, wall},
                                     bench.rng);
    if (refused || decision.kind != DecisionKind::done) FAIL("not the happy path");
  }
  const std::uint64_t used = allocations - before;
  CHECK(used == 0);
  CHECK(bench.guardrails.admitted(Work::first) == 1000);
}

TEST_CASE("without tokens a retry is paid from the minimum rate, and successes bring tokens back") {
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.percent = 100;
  policy.retry_constraint.tokens = {.capacity = 28, .cost_transient = 14, .cost_throttling = 5};
  Bench bench(policy);
  for (int i = 0; i < 10; ++i) bench.call(Work::first, result_of(FailureClass::permanent));
  bench.now += 200ms;
  const auto fails = result_of(FailureClass::permanent);
  for (int i = 0; i < 2; ++i) bench.call(Work::retry, fails);  // with tokens
  CHECK(bench.guardrails.tokens().tokens() == 0);
  for (int i = 0; i < 10; ++i) bench.call(Work::retry, fails);  // 1 per second in 10 s
  const Asked retry{.work = Work::retry};
  Permit permit;
  const auto refusal = bench.guardrails.admit(retry, bench.now, permit);
  REQUIRE(refusal);
  CHECK(refusal->guardrail == Guardrail::retryBudget);
  CHECK(refusal->reason ==
        "retry tokens spent (0 left, this retry costs 14), and 1 per 1.0 s "
        "without them");
  CHECK(bench.guardrails.would_admit({Work::first}, bench.now));
  bench.now += 300ms;
  for (int i = 0; i < 5; ++i) bench.call(Work::first, result_of(FailureClass::ok));
  CHECK(bench.guardrails.tokens().tokens() == 5);
  CHECK_FALSE(bench.guardrails.would_admit(retry, bench.now));
  CHECK(bench.guardrails.would_admit({.work = Work::retry, .cost = RetryCost::throttling},
                                     bench.now));
}

TEST_CASE("a retry that succeeds or is never made gets its tokens back") {
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.tokens = {.capacity = 28, .cost_transient = 14};
  Bench bench(policy);
  const Permit made = bench.admit(Work::retry);
  CHECK(bench.guardrails.tokens().tokens() == 14);
  bench.end(made, result_of(FailureClass::ok));
  CHECK(bench.guardrails.tokens().tokens() == 28);
  bench.guardrails.cancel(bench.admit(Work::retry), bench.now);
  CHECK(bench.guardrails.tokens().tokens() == 28);
}

TEST_CASE("in shadow mode every guardrail counts what it would have refused, and refuses nothing") {
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.mode = Mode::shadow;
  policy.retry_constraint.min_retry_count = 0;
  policy.rate_limit.mode = Mode::shadow;
  policy.circuit_breaker.mode = Mode::shadow;
  Bench bench(policy);
  for (int i = 0; i < 50; ++i) bench.call(Work::first, result_of(FailureClass::transient, true));
  CHECK(bench.guardrails.breaker().state(bench.now) == Breaker::State::open);
  for (int i = 0; i < 5; ++i) bench.call(Work::retry, result_of(FailureClass::transient, true));
  for (const Guardrail rail : {Guardrail::breaker, Guardrail::retryBudget, Guardrail::rateLimit}) {
    CHECK(bench.guardrails.denials(rail) == 0);
    CHECK(bench.guardrails.shadow_denials(rail) >= 5);
  }
}

TEST_CASE("other rules leave an open breaker open; old calls do not pay into a changed budget") {
  Bench bench;
  const Permit retry = bench.admit(Work::retry);
  bench.open();
  DependencyPolicy policy = small_policy();
  policy.circuit_breaker.minimum_number_of_calls = 7;
  policy.retry_constraint.min_retry_count = 2;
  bench.guardrails.update(policy, bench.now);
  CHECK(bench.guardrails.breaker().state(bench.now) == Breaker::State::open);
  const double before = bench.guardrails.budget().balance(bench.now);
  bench.end(retry, result_of(FailureClass::ok));
  CHECK(bench.guardrails.budget().balance(bench.now) == before);
}

TEST_CASE("enforced after it only watched, or the reverse, a budget keeps what it knows") {
  Bench bench;
  for (int i = 0; i < 10; ++i) bench.call(Work::retry, result_of(FailureClass::transient));
  DependencyPolicy policy = small_policy();
  policy.retry_constraint.mode = Mode::shadow;
  bench.guardrails.update(policy, bench.now);
  CHECK_FALSE(bench.refused_by(Work::retry));
  bench.guardrails.update(small_policy(), bench.now);
  CHECK(bench.refused_by(Work::retry) == Guardrail::retryBudget);
}

TEST_CASE("a probe of a breaker that a reload took away does not count for the new one") {
  Bench bench;
  bench.open();
  bench.now = bench.guardrails.breaker().open_until();
  const Permit probe = bench.admit(Work::first);
  DependencyPolicy policy = small_policy();
  policy.circuit_breaker.per_path = true;
  bench.guardrails.update(policy, bench.now);
  bench.end(probe, result_of(FailureClass::transient, true));
  CHECK(bench.guardrails.breaker("/a").calls(bench.now) == 0);
  CHECK(bench.guardrails.in_flight() == 0);
}

TEST_CASE("the ramp of one path is not filled by the calls of another") {
  DependencyPolicy policy = small_policy();
  policy.circuit_breaker.per_path = true;
  policy.circuit_breaker.minimum_number_of_calls = 3;
  policy.rate_limit.enabled = false;
  Bench bench(policy);
  const auto admit = [&](std::string_view path, Permit& permit) {
    return bench.guardrails.admit({.path = path}, bench.now, permit);
  };
  Permit permit;
  for (int i = 0; i < 3; ++i) {
    REQUIRE_FALSE(admit("/b", permit));
    bench.end(permit, result_of(FailureClass::transient, true));
  }
  bench.now = bench.guardrails.breaker("/b").open_until();
  for (int i = 0; i < 3; ++i) {
    REQUIRE_FALSE(admit("/b", permit));
    bench.end(permit, result_of(FailureClass::ok));
  }
  CHECK(bench.guardrails.breaker("/b").state(bench.now) == Breaker::State::closed);
  for (int i = 0; i < 10; ++i) REQUIRE_FALSE(admit("/a", permit));
  for (int i = 0; i < 3; ++i) CHECK_FALSE(admit("/b", permit));
  const auto refusal = admit("/b", permit);
  REQUIRE(refusal);
  CHECK(refusal->guardrail == Guardrail::breaker);
  CHECK_FALSE(admit("/a", permit));
  CHECK(bench.guardrails.limit(bench.now) == 15);  // of all paths
  CHECK(bench.guardrails.worst_breaker(bench.now).state(bench.now) == Breaker::State::closed);
}

}  // namespace
}  // namespace weir::policy
