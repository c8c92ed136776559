// SPDX-License-Identifier: Apache-2.0
#include "policy/breaker.h"

#include <vector>

#include "policy/testing/breaker_bench.h"
#include "policy/testing/draws.h"
#include "policy/testing/probe_count.h"
#include "policy/testing/property.h"

namespace weir::policy {
namespace {

using namespace std::chrono_literals;
using State = Breaker::State;

using testing::kStart;
using Bench = testing::BreakerBench;

TEST_CASE("opens at the threshold, not below the minimum of calls") {
  Bench bench;
  bench.calls(19, true);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  bench.call(true);
  CHECK(bench.breaker.state(bench.now) == State::open);
  CHECK(bench.breaker.open_until() == bench.now + 5s);
  CHECK(bench.breaker.failure_percent(bench.now) == doctest::Approx(100));
  CHECK(bench.breaker.calls(bench.now) == 20);
}

TEST_CASE("stays closed below the threshold") {
  Bench bench;
  for (int i = 0; i < 100; ++i) {
    bench.calls(2, false);
    bench.call(true);
  }
  CHECK(bench.breaker.state(bench.now) == State::closed);
  CHECK(bench.breaker.failure_percent(bench.now) == doctest::Approx(100.0 / 3));
}

TEST_CASE("old calls leave the window") {
  Bench bench;
  bench.calls(19, true);
  bench.now += 11s;
  bench.calls(19, true);
  CHECK(bench.breaker.state(bench.now) == State::closed);
  CHECK(bench.breaker.calls(bench.now) == 19);
}

TEST_CASE("open refuses, and says until when and why") {
  Bench bench;
  bench.open();
  bench.now += 1s;
  Breaker::Epoch epoch = 0;
  const auto refusal = bench.breaker.admit(bench.now, epoch);
  REQUIRE(refusal);
  CHECK(refusal->guardrail == Guardrail::breaker);
  CHECK(refusal->until == kStart + 5s);
  CHECK(refusal->reason ==
        "breaker open for another " + weir::to_text(Duration{4s}) + " (100 % of 20 calls failed)");
  CHECK_FALSE(bench.breaker.admits(kStart + 5s - 1us));
  CHECK(bench.breaker.admits(kStart + 5s));
}

TEST_CASE("half-open admits exactly the probes, and closes when they succeed") {
  Bench bench;
  bench.open();
  bench.now += 5s;
  const std::vector<Breaker::Epoch> probes = {bench.admit(), bench.admit(), bench.admit()};
  CHECK_FALSE(bench.breaker.admits(bench.now));
  CHECK(bench.breaker.probes_in_flight() == 3);
  bench.breaker.record(probes[0], false, bench.now, bench.rng);
  bench.breaker.record(probes[1], false, bench.now, bench.rng);
  CHECK_FALSE(bench.breaker.admits(bench.now));
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
  bench.breaker.record(probes[2], false, bench.now, bench.rng);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("failed probes open again, for longer each time, up to the maximum") {
  Bench bench;
  bench.open();
  Duration wait = 5s;
  for (int round = 0; round < 8; ++round) {
    bench.now = bench.breaker.open_until();
    bench.calls(3, true);
    wait = std::min<Duration>(wait * 2, 120s);
    CHECK(bench.breaker.open_until() - bench.now == wait);
  }
}

TEST_CASE("the wait grows on if it opens right after closing, and starts again after a good time") {
  Bench bench;
  bench.open();
  bench.now += 5s;
  bench.calls(3, false);
  bench.calls(20, true);
  CHECK(bench.breaker.open_until() - bench.now == 10s);
  bench.now = bench.breaker.open_until();
  bench.calls(3, false);
  bench.now += 10s;
  bench.calls(20, true);
  CHECK(bench.breaker.open_until() - bench.now == 5s);
}

TEST_CASE("a probe that was never made gives its permit back") {
  Bench bench;
  bench.open();
  bench.now += 5s;
  const auto epoch = bench.admit();
  bench.admit();
  bench.admit();
  bench.breaker.cancelled(epoch, bench.now);
  CHECK(bench.breaker.admits(bench.now));
  bench.admit();
  CHECK_FALSE(bench.breaker.admits(bench.now));
}

TEST_CASE("probes that say nothing are used up, and new ones come after the base wait") {
  Bench bench;
  bench.open();
  bench.now += 5s;
  for (int i = 0; i < 3; ++i) bench.breaker.inconclusive(bench.admit(), bench.now);
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
  const auto refusal = bench.breaker.refusal(bench.now);
  REQUIRE(refusal);
  CHECK(refusal->until == bench.now + 5s);
  bench.now += 5s;
  bench.calls(3, false);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("half-open ends: by the results there are, or open again when probes hang") {
  SUBCASE("one good result") {
    Bench bench;
    bench.open();
    bench.now += 5s;
    bench.call(false);
    CHECK(bench.breaker.state(bench.now + 29s) == State::halfOpen);
    CHECK(bench.breaker.state(bench.now + 30s) == State::closed);
  }
  SUBCASE("hanging probes") {
    Bench bench;
    bench.open();
    bench.now += 5s;
    const auto epoch = bench.admit();
    CHECK(bench.breaker.state(bench.now + 30s) == State::open);
    bench.breaker.record(epoch, false, bench.now + 31s, bench.rng);
    CHECK(bench.breaker.state(bench.now + 31s) == State::open);
  }
  SUBCASE("no traffic at all") {
    Bench bench;
    bench.open();
    bench.now += 1h;
    CHECK(bench.breaker.state(bench.now) == State::halfOpen);
    CHECK(bench.breaker.state(bench.now + 31s) == State::halfOpen);
    CHECK(bench.breaker.admits(bench.now + 31s));
  }
}

TEST_CASE("calls of an earlier state change nothing when they end late") {
  Bench bench;
  std::vector<Breaker::Epoch> stragglers;
  for (int i = 0; i < 30; ++i) stragglers.push_back(bench.admit());
  bench.open();
  bench.now += 5s;
  const auto probe = bench.admit();
  for (const auto epoch : stragglers) bench.breaker.record(epoch, true, bench.now, bench.rng);
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
  CHECK(bench.breaker.probes_in_flight() == 1);
  bench.breaker.record(probe, false, bench.now, bench.rng);
  bench.calls(2, false);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("after closing the concurrency starts at the probes and doubles while it goes well") {
  Bench bench;
  CHECK(bench.breaker.ramp_limit(bench.now) == Breaker::kNoRamp);
  bench.open();
  bench.now += 5s;
  bench.calls(3, false);
  CHECK(bench.breaker.ramp_limit(bench.now) == 3);
  bench.calls(3, false);
  CHECK(bench.breaker.ramp_limit(bench.now) == 6);
  // Below the threshold is well enough.
  bench.calls(2, true);
  bench.calls(4, false);
  CHECK(bench.breaker.ramp_limit(bench.now) == 12);
  for (int i = 0; i < 6; ++i) {
    bench.call(true);
    bench.call(false);
  }
  CHECK(bench.breaker.ramp_limit(bench.now) == 3);
  bench.calls(1 << 18, false);
  CHECK(bench.breaker.ramp_limit(bench.now) == Breaker::kNoRamp);
}

TEST_CASE("transitions are told once, in order, and the newest are kept") {
  Bench bench;
  CHECK_FALSE(bench.breaker.take_transition());
  bench.open();
  bench.now += 5s;
  bench.calls(3, false);
  const auto opened = bench.breaker.take_transition();
  REQUIRE(opened);
  CHECK(opened->from == State::closed);
  CHECK(opened->to == State::open);
  CHECK(opened->calls == 20);
  CHECK(opened->failure_percent == doctest::Approx(100));
  CHECK(opened->open_until == kStart + 5s);
  CHECK(bench.breaker.take_transition()->to == State::halfOpen);
  CHECK(bench.breaker.take_transition()->to == State::closed);
  CHECK_FALSE(bench.breaker.take_transition());

  for (int round = 0; round < 10; ++round) {
    bench.calls(20, true);
    bench.now = bench.breaker.open_until();
    bench.calls(3, false);
  }
  int kept = 0;
  State last = State::open;
  while (const auto transition = bench.breaker.take_transition()) {
    ++kept;
    last = transition->to;
  }
  CHECK(kept == 16);
  CHECK(last == State::closed);
}

TEST_CASE("disabled admits everything") {
  CircuitBreakerSpec spec;
  spec.enabled = false;
  Bench bench(spec);
  bench.calls(1000, true);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("jitter stretches the wait by at most its share") {
  CircuitBreakerSpec spec;
  spec.wait_in_open_jitter = 0.2;
  Duration shortest = 1h;
  Duration longest = 0s;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Bench bench(spec);
    bench.rng = Rng(seed);
    bench.open();
    const Duration wait = bench.breaker.open_until() - bench.now;
    shortest = std::min(shortest, wait);
    longest = std::max(longest, wait);
  }
  CHECK(shortest >= 5s);
  CHECK(shortest < 5100ms);
  CHECK(longest <= 6s);
  CHECK(longest > 5900ms);
}

TEST_CASE("a half-open state that ended badly while nobody looked does not begin to wait then") {
  Bench bench;
  bench.open();
  bench.now += 5s;
  bench.call(true);
  bench.admit();  // and hangs
  bench.now += 1h;
  CHECK(bench.breaker.admits(bench.now));
  for (const auto& [to, at] :
       {std::pair(State::open, kStart), std::pair(State::halfOpen, kStart + 5s),
        std::pair(State::open, kStart + 35s), std::pair(State::halfOpen, bench.now)}) {
    const auto transition = bench.breaker.take_transition();
    REQUIRE(transition);
    CHECK(transition->to == to);
    CHECK(transition->at == at);
  }
}

TEST_CASE("another number of probes holds for the half-open state under way") {
  CircuitBreakerSpec spec = testing::exact_spec();
  Bench bench(spec);
  bench.open();
  bench.now += 5s;
  const Breaker::Epoch probe = bench.admit();
  spec.permitted_calls_in_half_open = 2;
  bench.breaker.update(spec, bench.now);
  bench.admit();
  CHECK_FALSE(bench.breaker.admits(bench.now));
  spec.permitted_calls_in_half_open = 1;
  bench.breaker.update(spec, bench.now);
  bench.breaker.cancelled(probe, bench.now);
  CHECK_FALSE(bench.breaker.admits(bench.now));
  bench.breaker.record(probe, false, bench.now, bench.rng);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("fewer probes than have answered already decide at the reload") {
  CircuitBreakerSpec spec = testing::exact_spec();
  Bench bench(spec);
  bench.open();
  bench.now += 5s;
  bench.call(false);
  spec.permitted_calls_in_half_open = 1;
  bench.breaker.update(spec, bench.now);
  CHECK(bench.breaker.state(bench.now) == State::closed);
}

TEST_CASE("a longest wait that a reload brings ends a half-open state that hangs") {
  CircuitBreakerSpec spec = testing::exact_spec();
  spec.max_wait_in_half_open = 0s;
  Bench bench(spec);
  bench.open();
  bench.now += 5s;
  for (int i = 0; i < 3; ++i) bench.admit();
  bench.now += 1h;
  CHECK(bench.breaker.state(bench.now) == State::halfOpen);
  spec.max_wait_in_half_open = 30s;
  bench.breaker.update(spec, bench.now);
  CHECK(bench.breaker.refusal(bench.now)->until == bench.now + 30s);
  bench.now += 30s;
  CHECK(bench.breaker.state(bench.now) == State::open);
}

// Random calls that start and end in any order, with time passing in between.
class Traffic {
 public:
  using End = testing::ProbeCount::End;

  explicit Traffic(const CircuitBreakerSpec& spec)
      : breaker(spec), probes(spec.permitted_calls_in_half_open), spec_(spec) {}

  void step() {
    switch (draws.one_of({0, 0, 0, 0, 1, 1, 1, 1, 2, 3, 4, 4, 5})) {
      case 0: return admit();
      case 1: return end(End::decided);
      case 2: return end(End::cancelled);
      case 3: return end(End::inconclusive);
      case 4: return reload();
      default: now += std::chrono::milliseconds{draws.in(0, 4000)};
    }
  }

  Breaker breaker;
  MonoTime now = kStart;
  testing::Draws draws;
  std::vector<Breaker::Epoch> running;
  testing::ProbeCount probes;
  std::vector<Breaker::Transition> transitions;

 private:
  void follow() {
    while (const auto transition = breaker.take_transition()) {
      transitions.push_back(*transition);
      probes.follow(*transition);
    }
  }

  void reload() {
    if (!draws.one_in(4)) return;
    spec_.permitted_calls_in_half_open = draws.in(1u, 6u);
    spec_.max_wait_in_half_open = draws.one_of<Duration>({0s, 6s});
    breaker.update(spec_, now);
    probes.permit(spec_.permitted_calls_in_half_open);
    follow();
  }

  void admit() {
    const State state = breaker.state(now);
    follow();
    Breaker::Epoch epoch = 0;
    const auto refusal = breaker.admit(now, epoch);
    if (state == State::closed) RC_ASSERT(!refusal);
    if (state == State::open) {
      RC_ASSERT(refusal);
      RC_ASSERT(refusal->until == breaker.open_until());
      RC_ASSERT(refusal->until > now);
    }
    if (state == State::halfOpen) refusal ? probes.refused() : probes.admitted(epoch);
    if (!refusal) running.push_back(epoch);
  }

  void end(End how) {
    if (running.empty()) return;
    const Breaker::Epoch epoch = draws.take(running);
    breaker.state(now);
    follow();
    probes.ended(epoch, how);
    if (how == End::decided) breaker.record(epoch, draws.coin(), now, draws.rng());
    if (how == End::cancelled) breaker.cancelled(epoch, now);
    if (how == End::inconclusive) breaker.inconclusive(epoch, now);
    follow();
  }

  CircuitBreakerSpec spec_;
};

TEST_CASE("exactly the probes that are permitted, never open below the minimum of calls") {
  CHECK(testing::holds("breaker invariants", [] {
    CircuitBreakerSpec spec;
    spec.minimum_number_of_calls = *rc::gen::inRange(1u, 15u);
    spec.permitted_calls_in_half_open = *rc::gen::inRange(1u, 5u);
    spec.wait_in_open_base = 2s;
    spec.max_wait_in_half_open = *rc::gen::element<Duration>(0s, 6s);
    Traffic traffic(spec);
    for (int i = *rc::gen::inRange(1, 150); i > 0; --i) traffic.step();
    for (const Breaker::Transition& transition : traffic.transitions) {
      if (transition.from != State::closed) continue;
      RC_ASSERT(transition.to == State::open);
      RC_ASSERT(transition.calls >= spec.minimum_number_of_calls);
      RC_ASSERT(transition.failure_percent >= spec.failure_rate_threshold);
      const Duration wait = transition.open_until - transition.at;
      RC_ASSERT(wait >= spec.wait_in_open_base);
      RC_ASSERT(static_cast<double>(wait.count()) <=
                static_cast<double>(spec.wait_in_open_max.count()) * 1.2);
    }
  }));
}

TEST_CASE("it never gets stuck: well again, it closes within its waits") {
  CHECK(testing::holds("breaker recovers", [] {
    CircuitBreakerSpec spec;
    spec.minimum_number_of_calls = 5;
    Traffic traffic(spec);
    for (int i = *rc::gen::inRange(1, 150); i > 0; --i) traffic.step();
    for (const Breaker::Epoch epoch : traffic.running)
      traffic.breaker.cancelled(epoch, traffic.now);
    for (int i = 0; i < 400 && traffic.breaker.state(traffic.now) != State::closed; ++i) {
      Breaker::Epoch epoch = 0;
      if (!traffic.breaker.admit(traffic.now, epoch)) {
        traffic.breaker.record(epoch, false, traffic.now, traffic.draws.rng());
      }
      traffic.now += 1s;
    }
    RC_ASSERT(traffic.breaker.state(traffic.now) == State::closed);
  }));
}

}  // namespace
}  // namespace weir::policy
