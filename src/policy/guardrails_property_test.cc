// SPDX-License-Identifier: Apache-2.0
// Permits of a dependency under any interleaving: of calls, shadow modes, breakers per path,
// learned holds, reloads, and breakers worked by hand.
#include <algorithm>
#include <map>
#include <numeric>
#include <vector>

#include "policy/guardrails.h"
#include "policy/testing/draws.h"
#include "policy/testing/probe_count.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;
using testing::Draws;
using testing::ProbeCount;
using End = ProbeCount::End;

DependencyPolicy any_policy(Draws& draws) {
  const auto mode = [&] { return draws.one_in(4) ? Mode::shadow : Mode::enforce; };
  DependencyPolicy policy;
  policy.circuit_breaker.enabled = !draws.one_in(8);
  policy.circuit_breaker.mode = mode();
  policy.circuit_breaker.per_path = draws.coin();
  policy.circuit_breaker.minimum_number_of_calls = draws.in(1u, 8u);
  policy.circuit_breaker.permitted_calls_in_half_open = draws.in(1u, 5u);
  policy.circuit_breaker.wait_in_open_base = 500ms;
  policy.circuit_breaker.wait_in_open_max = 4s;
  policy.circuit_breaker.max_wait_in_half_open = draws.one_of<Duration>({0s, 2s});
  policy.retry_constraint.mode = mode();
  policy.retry_constraint.percent = draws.one_of({0.0, 50.0});
  policy.retry_constraint.min_retry_count = draws.one_of({0.0, 1.0});
  policy.retry_constraint.tokens.capacity = draws.one_of({0.0, 20.0, 500.0});
  policy.rate_limit = {.enabled = draws.coin(), .per_second = 20, .burst = 10, .mode = mode()};
  policy.concurrency.max_parallel_requests = draws.in(1u, 10u);
  policy.concurrency.mode = mode();
  policy.concurrency.adaptive = {.enabled = draws.coin(), .initial_limit = draws.in(1u, 10u)};
  return policy;
}

Classification any_result(Draws& draws) {
  Classification result;
  result.failure = draws.coin() ? FailureClass::transient
                                : static_cast<FailureClass>(draws.in(0, kFailureClassCount));
  result.counts_breaker = result.failure == FailureClass::transient ||
                          result.failure == FailureClass::ambiguous;
  result.counts_limiter = result.failure == FailureClass::throttled;
  return result;
}

// What the breaker makes of it.
End end_of(const Classification& result) {
  switch (result.failure) {
    case FailureClass::throttled:
    case FailureClass::overloaded:
    case FailureClass::refused:
    case FailureClass::cancelled: return End::inconclusive;
    default: return End::decided;
  }
}

// One dependency, what is asked of it, and what must be true of the answers.
class Trial {
 public:
  Trial() : policy_(any_policy(draws_)), rails_(policy_) {}

  void step() {
    switch (draws_.in(0, 24)) {
      case 0: return reload();
      case 1: return force();
      case 2:
      case 3:
      case 4: now_ += std::chrono::milliseconds{draws_.in(0, 1500)}; break;
      case 5:
      case 6: cancel(); break;
      default: draws_.in(0, 5) < 3 ? ask() : record();
    }
    check();
  }

  void finish() {
    std::uint64_t counted = 0;
    for (int rail = 0; rail <= static_cast<int>(Guardrail::paused); ++rail)
      counted += rails_.denials(static_cast<Guardrail>(rail));
    RC_ASSERT(counted == denied_);
    std::uint64_t in = 0;
    for (const Work work : kAllWork) in += rails_.admitted(work);
    RC_ASSERT(in == admitted_);
    while (!running_.empty()) cancel();
    check();
    RC_ASSERT(rails_.in_flight() == 0u);
    // Nothing is stuck: given back to its calls, after the longest hold, each path is called.
    rails_.force_breakers(BreakerOrder::automatic, now_, now_);
    now_ += kHoldMax + 1min;
    for (const std::string_view path : kPaths) {
      Permit permit;
      const auto refusal = rails_.admit({.path = path}, now_, permit);
      if (refusal) RC_FAIL(refusal->reason);
      rails_.cancel(permit, now_);
    }
  }

 private:
  static constexpr std::array<std::string_view, 3> kPaths = {"/a", "/b", "/c"};
  using Key = std::pair<std::uint32_t, std::size_t>;  // of a breaker: generation and place

  bool forced(BreakerOrder order) const { return order_ == order && now_ < order_until_; }

  // The probes of the breaker for that path, and of any that a reload took away.
  ProbeCount& probes_of(Key key) { return probes_.try_emplace(key, permitted()).first->second; }
  std::uint32_t permitted() const { return policy_.circuit_breaker.permitted_calls_in_half_open; }

  Key key_of(std::string_view path) {
    const Breaker* const breaker = &rails_.breaker(path, now_);
    const auto& all = rails_.breakers();
    const auto found = std::ranges::find_if(
        all, [&](const PathBreaker& one) { return &one.breaker == breaker; });
    return {generation_, static_cast<std::size_t>(found - all.begin())};
  }

  // Time alone changes a breaker too, so they are asked for their state first.
  void follow() {
    auto& all = rails_.breakers();
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i].breaker.state(now_);
      while (const auto transition = all[i].breaker.take_transition())
        probes_of({generation_, i}).follow(*transition);
    }
  }

  void ask() {
    const Asked asked{.work = draws_.one_of({Work::first, Work::retry, Work::replay}),
                      .cost = draws_.one_of({RetryCost::transient, RetryCost::throttling}),
                      .path = kPaths[draws_.in<std::size_t>(0, kPaths.size())]};
    const Key key = key_of(asked.path);
    follow();
    const State state = rails_.breaker(asked.path, now_).state(now_);
    const bool would = rails_.would_admit(asked, now_);
    const std::uint32_t limit = rails_.concurrency().limit();
    Permit permit;
    const auto refusal = rails_.admit(asked, now_, permit);
    RC_ASSERT(would == !refusal.has_value());
    if (refusal) return check_refusal(*refusal, key, state);
    ++admitted_;
    RC_ASSERT(running_.size() < limit);
    RC_ASSERT(running_.size() < policy_.concurrency.max_parallel_requests);
    RC_ASSERT(!forced(BreakerOrder::open));
    const bool watches = policy_.circuit_breaker.mode == Mode::shadow;
    RC_ASSERT(state != State::open || watches);
    if (policy_.rate_limit.mode == Mode::enforce) RC_ASSERT(now_ >= held_until_);
    RC_ASSERT(permit.charged <= (asked.work == Work::retry));
    RC_ASSERT(Key(permit.generation, permit.breaker) == key);
    // One that only watches admits more, which it does not look at.
    if (state == State::halfOpen && permit.epoch != 0) probes_of(key).admitted(permit.epoch);
    if (state == State::halfOpen && permit.epoch == 0) {
      RC_ASSERT(watches);
      probes_of(key).refused();
    }
    running_.push_back(permit);
  }

  void check_refusal(const Refusal& refusal, Key key, State state) {
    ++denied_;
    RC_ASSERT(refusal.until > now_);
    RC_ASSERT(!refusal.reason.empty());
    if (forced(BreakerOrder::open)) {
      RC_ASSERT(refusal.guardrail == Guardrail::breaker);
      RC_ASSERT(refusal.reason == "breaker opened by hand");
      return;
    }
    switch (refusal.guardrail) {
      case Guardrail::breaker:
        RC_ASSERT(!forced(BreakerOrder::closed));
        RC_ASSERT(policy_.circuit_breaker.enabled);
        RC_ASSERT(policy_.circuit_breaker.mode == Mode::enforce);
        if (state == State::halfOpen) probes_of(key).refused();
        return;
      case Guardrail::retryBudget:
        RC_ASSERT(policy_.retry_constraint.mode == Mode::enforce);
        return;
      case Guardrail::rateLimit: RC_ASSERT(policy_.rate_limit.mode == Mode::enforce); return;
      default:
        RC_ASSERT(refusal.guardrail == Guardrail::concurrency);
        RC_ASSERT(policy_.concurrency.mode == Mode::enforce ||
                  running_.size() >= policy_.concurrency.max_parallel_requests);
    }
  }

  void record() {
    if (running_.empty()) return;
    const Permit permit = draws_.take(running_);
    const Classification result = any_result(draws_);
    ServerPace pace;
    if (draws_.one_in(12)) pace.hold = std::chrono::milliseconds{draws_.in(1, 4000)};
    if (pace.hold) held_until_ = std::max(held_until_, now_ + *pace.hold);
    follow();
    probes_of({permit.generation, permit.breaker}).ended(permit.epoch, end_of(result));
    rails_.record(permit, result, std::chrono::milliseconds{draws_.in(1, 200)}, now_, draws_.rng(),
                  pace);
  }

  void cancel() {
    if (running_.empty()) return;
    const Permit permit = draws_.take(running_);
    follow();
    probes_of({permit.generation, permit.breaker}).ended(permit.epoch, End::cancelled);
    rails_.cancel(permit, now_);
  }

  void reload() {
    follow();
    const DependencyPolicy before = std::exchange(policy_, any_policy(draws_));
    if (draws_.coin()) policy_.circuit_breaker.per_path = before.circuit_breaker.per_path;
    if (before.circuit_breaker.per_path != policy_.circuit_breaker.per_path) ++generation_;
    rails_.update(policy_, now_);
    for (auto& [key, probes] : probes_) probes.permit(permitted());
  }

  void force() {
    order_ = draws_.one_of({BreakerOrder::open, BreakerOrder::closed, BreakerOrder::automatic});
    order_until_ = now_ + std::chrono::milliseconds{draws_.in(1, 5000)};
    rails_.force_breakers(order_, order_until_, now_);
  }

  void check() {
    follow();
    RC_ASSERT(rails_.in_flight() == running_.size());
    const auto& all = rails_.breakers();
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto own = std::ranges::count_if(running_, [&](const Permit& permit) {
        return Key(permit.generation, permit.breaker) == Key(generation_, i);
      });
      RC_ASSERT(all[i].in_flight == static_cast<std::uint32_t>(own));
    }
    RC_ASSERT(rails_.tokens().tokens() >= 0);
    RC_ASSERT(rails_.tokens().tokens() <= rails_.tokens().spec().capacity);
  }

  Draws draws_;
  DependencyPolicy policy_;
  Guardrails rails_;
  MonoTime now_{1000s};
  std::vector<Permit> running_;
  std::map<Key, ProbeCount> probes_;
  std::uint32_t generation_ = 0;
  BreakerOrder order_ = BreakerOrder::automatic;
  MonoTime order_until_{};
  MonoTime held_until_{};
  std::uint64_t denied_ = 0;
  std::uint64_t admitted_ = 0;
};

TEST_CASE("permits are conserved under any interleaving, and every bound holds") {
  CHECK(testing::holds("guardrails conserve permits", [] {
    Trial trial;
    for (int i = *rc::gen::inRange(1, 80); i > 0; --i) trial.step();
    trial.finish();
  }));
}

}  // namespace
}  // namespace weir::policy
